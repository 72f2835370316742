"""The threads of one camera: one reads frames, one looks at them.

    camera --read--> [slot: the newest frame] --take--> watcher --observation--> inbox

A camera that stops answering is a fault, not the end of the agent: it is opened again with growing
patience, and the fault is cleared by its first frame. A finite source that ends is drained first.
Beside that a camera may send frames that are no pictures, or the same one for ever: faults as well.
One whose lens is covered or soiled, or that hangs upside down, is told by a part of its own
(``lens:``, ``mount:``), on which nothing depends.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from agent.app.threads.fault_line import FaultLine
from agent.app.threads.rounds import came_round
from agent.app.threads.worker import Slot
from agent.controller.inputs import Input, Observed
from agent.domain.access.part import PartKind
from agent.domain.foreign.boundary import read_or
from agent.domain.sight.comparison import ReferenceIndex
from agent.domain.sight.image import Frame
from agent.domain.sight.track import Observation
from agent.errors import GateAgentError, UnavailableError
from agent.ports import Camera
from agent.vision.face.watch import ClaimedFace
from agent.vision.frames.lens import LensTrouble, LensWatch
from agent.vision.frames.readable import unreadable

_POLL_S = 0.25
_FIRST_RETRY_S = 1.0
_LONGEST_RETRY_S = 30.0
_MOST_UNREAD = 30
_OF_THE_LENS = {
    LensTrouble.NOTHING: "it shows nothing: its lens is covered, or it is dark",
    LensTrouble.SOILED: "a part of its picture is covered: clean its lens, or clear its view",
}

_log = structlog.get_logger(__name__)


class Watches(Protocol):
    """What looks at frames: ``vision.face.watch.Watcher``."""

    def observe(self, frame: Frame, index: ReferenceIndex) -> Observation:
        """The face in the approach zone, followed and compared."""

    def settle(self, track: int) -> None:
        """The track has had its attempt."""

    def compare(self, claim: ClaimedFace | None) -> None:
        """Compare 1:1 with whom a credential names; None stops that."""


class FrameSink(Protocol):
    """Where a reader puts its frames: a ``Slot``, or an infrared eye."""

    def put(self, value: Frame, /) -> None:
        """A new one, which replaces the one before."""

    def close(self) -> None:
        """No more will come."""


class CameraReader:
    """Puts every frame into each slot; the reader of a slot sees the newest."""

    def __init__(
        self,
        name: str,
        camera: Camera,
        reopen: Callable[[], Camera],
        slots: Sequence[FrameSink],
        post: Callable[[Input], None],
        timeout_s: float,
        *,
        infrared: bool = False,
    ) -> None:
        """``infrared``: its picture may well be dark, and nothing of that is the lens's."""
        self._fault = FaultLine(PartKind.CAMERA.part(name), post)
        self._lens_fault = FaultLine(PartKind.LENS.part(name), post)
        self._lens = LensWatch()
        self._unreadable = 0
        self._camera = camera
        self._reopen = reopen
        self._slots = slots
        self._timeout_s = timeout_s
        self._infrared = infrared
        self._stopping = threading.Event()

    def work(self) -> None:
        """The thread's loop, until the source ends or ``stop``."""
        try:
            while not self._stopping.is_set():
                came_round()
                try:
                    frame = self._camera.read(self._timeout_s)
                except UnavailableError as error:
                    self._recover(error)
                    continue
                if frame is None:
                    return
                if self._usable(frame):
                    for slot in self._slots:
                        slot.put(frame)
        finally:
            self._camera.close()
            for slot in self._slots:
                slot.close()

    def told(self) -> bool:
        """Whether the last word about it was that it failed."""
        return self._fault.failing

    def stop(self) -> None:
        """End ``work`` after the frame under way."""
        self._stopping.set()

    def _usable(self, frame: Frame) -> bool:
        """Whether the frame is a picture; what it says of the camera is told."""
        problem = unreadable(frame.image)
        if problem is not None:
            self._unreadable += 1
            if self._unreadable >= _MOST_UNREAD:
                self._fault.failed(f"its frames are no pictures: {problem}")
            return False
        self._unreadable = 0
        trouble = read_or("lens", None, lambda: self._lens.look(frame.image, frame.captured_s))
        if trouble is LensTrouble.FROZEN:
            self._fault.failed("it repeats one frame for ever: restart it")
            return True
        self._fault.works()
        if trouble is None or self._infrared:
            self._lens_fault.works()
        else:
            self._lens_fault.failed(_OF_THE_LENS[trouble])
        return True

    def _recover(self, error: UnavailableError) -> None:
        self._fault.failed(error)
        self._camera.close()
        patience_s = _FIRST_RETRY_S
        while not self._stopping.wait(patience_s):
            try:
                self._camera = self._reopen()
            except UnavailableError as again:
                _log.warning("camera_still_gone", part=self._fault.part, error=str(again))
                patience_s = min(patience_s * 2.0, _LONGEST_RETRY_S)
            else:
                return


class Judges(Protocol):
    """What knows who stands apart in the gallery."""

    def judged(self, seen: Observation) -> Observation:
        """What was seen, and whether another holder could pass for who is named there."""

    def unsearched(self, error: UnavailableError) -> None:
        """A face could not be compared with the gallery."""


class CameraWatcher:
    """Looks at the newest frame with the newest gallery."""

    def __init__(  # noqa: PLR0913 - the ends of a thread, each wired once
        self,
        watcher: Watches,
        slot: Slot[Frame],
        gallery: Callable[[], ReferenceIndex],
        post: Callable[[Input], None],
        ended: Callable[[], None],
        fault: FaultLine,
        *,
        mount: FaultLine | None = None,
        judge: Judges | None = None,
        show: Callable[[Frame, Observation], None] = lambda _frame, _seen: None,
    ) -> None:
        """``fault`` is told where no frame at all can be looked at any more.

        ``show`` gets each frame with what was seen in it, after it was posted.

        ``mount`` where the camera hangs upside down. ``judge`` adds to what was seen what the
        gallery says of whoever is named.
        """
        self._mount = mount
        self._watcher = watcher
        self._slot = slot
        self._gallery = gallery
        self._post = post
        self._ended = ended
        self._stopping = threading.Event()
        self._fault = fault
        self._judge = judge
        self._show = show
        self._unread = 0
        self._settled: int | None = None
        self._claim: ClaimedFace | None = None

    def settle(self, track: int) -> None:
        """Called by the controller's thread: the track has had its attempt."""
        self._settled = track

    def compare(self, claim: ClaimedFace | None) -> None:
        """Called by the controller's thread: compare 1:1 with ``claim`` from the next frame on."""
        self._claim = claim

    def work(self) -> None:
        """The thread's loop, until the slot is closed and empty or ``stop``."""
        while not self._stopping.is_set():
            came_round()
            frame = self._slot.take(_POLL_S)
            if frame is None:
                if self._slot.finished:
                    self._ended()
                    return
                continue
            settled, self._settled = self._settled, None
            if settled is not None:
                self._watcher.settle(settled)
            self._watcher.compare(self._claim)
            self._look(frame)

    def stop(self) -> None:
        """End ``work`` after the frame under way."""
        self._stopping.set()

    def _look(self, frame: Frame) -> None:
        """A frame on which a library raises shows nobody; many in a row are a fault."""
        gallery = self._gallery()
        try:
            seen = read_or(
                "face",
                None,
                lambda: self._observed(frame, gallery),
                GateAgentError,
            )
        except UnavailableError as error:
            if self._judge is None:
                raise
            self._judge.unsearched(error)
            return
        if seen is not None:
            self._unread = 0
            self._fault.works()
            self._tell_mount(seen)
            self._post(Observed(seen))
            self._show(frame, seen)
            return
        self._unread += 1
        if self._unread >= _MOST_UNREAD:
            self._fault.failed("no face can be looked for in its frames")

    def _tell_mount(self, seen: Observation) -> None:
        if self._mount is None:
            return
        if seen.upside_down:
            self._mount.failed("it hangs upside down: turn it, or its picture in the driver")
        elif seen.track is not None:
            self._mount.works()

    def _observed(self, frame: Frame, gallery: ReferenceIndex) -> Observation:
        seen = self._watcher.observe(frame, gallery)
        return seen if self._judge is None else self._judge.judged(seen)

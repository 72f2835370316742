"""The thread that reads symbols of one camera's frames, beside the one that looks at faces.

    camera --read--> [slot: the newest frame] --take--> symbols --codes, verify--> inbox

A credential is said again for as long as it lies there: the controller judges it once. What is no
credential of ours is not said at all. A code that is held up and cannot be read is said as such.
"""

import threading
from collections.abc import Callable

from agent.app.threads.rounds import came_round
from agent.app.threads.senses.codes import ANYWHERE, Codes, Outlook
from agent.app.threads.senses.unread import Unread
from agent.app.threads.senses.verifier import CredentialVerifier
from agent.app.threads.worker import Slot
from agent.controller.inputs import CodeUnread, CredentialShown, Input
from agent.domain.sight.image import Frame
from agent.domain.sight.track import Box
from agent.ports import Clock, SymbolReader
from agent.vision.frames.motion import MotionGate

_POLL_S = 0.25


class SymbolWatcher:
    """Looks at the newest frame; what it reads goes to those who know credentials."""

    def __init__(
        self,
        access_point: str,
        reader: SymbolReader,
        slot: Slot[Frame],
        verifier: CredentialVerifier,
        clock: Clock,
        post: Callable[[Input], None],
        *,
        outlook: Outlook = ANYWHERE,
    ) -> None:
        self._access_point = access_point
        self._reader = reader
        self._slot = slot
        self.codes = Codes(verifier, outlook)
        self._outlook = outlook
        self._unread = Unread()
        self._clock = clock
        self._post = post
        self._stopping = threading.Event()
        self._any = False
        self.motion: MotionGate | None = None
        """Says which frames are looked at while there is no code; None: all of them."""
        self.outline: Callable[[list[Box], list[Box]], None] | None = None
        """Is told where codes lie: those that were read, those that could not be."""

    def work(self) -> None:
        """The thread's loop, until the slot is closed and empty or ``stop``."""
        while not self._stopping.is_set():
            came_round()
            frame = self._slot.take(_POLL_S)
            if frame is None:
                if self._slot.finished:
                    return
                continue
            if self._wanted(frame):
                self.look(frame)

    def look(self, frame: Frame) -> None:
        """Look at one frame."""
        symbols = self._reader.look(frame.image)
        self._any = bool(symbols)
        if self.outline is not None:
            self.outline([one.box for one in symbols], self._reader.unread)
        height, width = frame.image.shape[:2]
        now = self._clock.now()
        for presented in self.codes.look(symbols, (width, height), now):
            self._post(CredentialShown(self._access_point, presented))
        if symbols:
            self._unread.read()
            return
        here = (one for one in self._reader.unread if self._outlook.in_zone(one, width, height))
        if self._unread.look(here, now.monotonic_s):
            self._post(CodeUnread(self._access_point))

    def stop(self) -> None:
        """End ``work`` after the frame under way."""
        self._stopping.set()

    def _wanted(self, frame: Frame) -> bool:
        """Whether there was a code, or something moved, or nobody has looked for half a second."""
        if self.motion is None:
            return True
        return self.motion.wants(frame.image, frame.captured_s, followed=self._any)

"""What is looked at beside attack detection's models, at one camera: ``domain.sight.cues``."""

from agent.domain.foreign.boundary import read_or
from agent.domain.sight.cues import UNSEEN, Cues
from agent.domain.sight.image import DetectedFace, Image
from agent.domain.sight.track import Box
from agent.vision.pad.flow import FaceFlow
from agent.vision.pad.infrared import Detect, InfraredEye
from agent.vision.pad.screen import screen_signs

_SCREEN_EVERY_S = 0.33
"""It takes as long as a model does, and a device does not come and go between two frames."""


class Beside:
    """Owned by the watcher's thread, as its engine is.

    ``follow`` sees every frame in which a presentation's face was located, ``cues`` those of them
    that are compared. What a library raises on is not told, and ends nobody's attempt.
    """

    def __init__(
        self, *, liveness: bool = False, screen: bool = False, infrared: InfraredEye | None = None
    ) -> None:
        self._flow = FaceFlow() if liveness else None
        self._screen = screen
        self._track: int | None = None
        self._screened: tuple[int | None, float] | None = None
        self._infrared = infrared

    def follow(self, track: int | None, image: Image, box: Box, captured_s: float) -> None:
        """A frame of the presentation ``track``."""
        flow, self._track = self._flow, track
        if flow is not None:
            read_or("liveness", None, lambda: flow.see(track, image, box, captured_s))

    def cues(self, image: Image, face: DetectedFace, captured_s: float, detect: Detect) -> Cues:
        """Of the frame that was followed last."""
        flow, eye = self._flow, self._infrared
        if flow is None and eye is None and not self._screen:
            return UNSEEN
        unknown: float | None = None
        live = None if flow is None else read_or("liveness", unknown, flow.liveness)
        screen = None
        if self._screen and self._looks_for_screen(captured_s):
            screen = read_or("screen", unknown, lambda: screen_signs(image, face.box).score)
        seen = None
        if eye is not None:
            seen = read_or(
                "infrared",
                unknown,
                lambda: eye.score(image.shape, face.box, captured_s, detect),
            )
        return Cues(live, screen, seen)

    def _looks_for_screen(self, captured_s: float) -> bool:
        """At a presentation's first frame that counts, then three times a second."""
        track, at_s = self._screened or (None, captured_s)
        first = self._screened is None or track != self._track
        if not first and 0.0 <= captured_s - at_s < _SCREEN_EVERY_S:
            return False
        self._screened = (self._track, captured_s)
        return True

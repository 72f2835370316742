"""Who stands there where no face near enough was found: too far, hidden, or on their head.

All of it is a hint, so it is looked for now and then only, and only while something moves or did a
moment ago: in an empty street it costs nothing.

    every 0.4 s   smaller faces in the zone: half as wide as they should be, or down to 24 pixels
                  where one is found twice in its place, as who passes by is not
    every 0.8 s   for a cascade, what it cannot see (``vision.face.overlooked``)
    every 5 s     the picture turned upside down: a camera that was hung so sees no face for ever
    each look     in a picture without light, whether it has changed (``vision.frames.unlit``)
"""

import numpy as np

from agent.domain.sight.hindrance import Hindrance
from agent.domain.sight.image import DetectedFace, Image
from agent.domain.sight.sighting import Sighting
from agent.domain.sight.track import Box
from agent.vision.face.engine import FaceEngine
from agent.vision.face.overlooked import Overlooked
from agent.vision.face.zone import Zone
from agent.vision.frames.unlit import Unlit
from agent.vision.packs.manifest import HaarDetector

_FAR = 0.5
"""Of the least width, down to which somebody is asked to come closer at once; whoever is farther
off may be passing by, and is asked once they stand."""
_LEAST_PX = 24
"""Below it a detector sees faces in leaves and shelves."""
_FAR_EVERY_S = 0.4
_STANDS_S = 1.0
"""Between two looks that show a face within its own width of where it was: who walks past moves by
a metre and more a second, five widths of a face."""
_HIDDEN_EVERY_S = 0.8
_TURNED_EVERY_S = 5.0
_STAYS_S = 1.0
"""How long a hint holds after what it was about was seen last."""
_MOVED_S = 1.5
_STILL_S = 30.0
"""So long nobody stands without moving at all: a face on a poster is asked nothing all night."""
_ON_THEIR_HEADS = 3
"""Looks at which faces stood on their heads, and none upright between, after which it is told."""


class Faint:
    """Looks where no face near enough was found; owned by the watcher's thread."""

    def __init__(self, engine: FaceEngine, zone: Zone) -> None:
        self._engine = engine
        self._zone = zone
        # A cascade knows whole frontal faces only.
        by_cascade = isinstance(engine.manifest.detector, HaarDetector)
        self._overlooked = Overlooked() if by_cascade else None
        self._last_s: dict[str, float] = {}
        self._unlit = Unlit()
        self._far_s = self._found_s = float("-inf")
        self._distant: tuple[list[Box], float] = ([], float("-inf"))
        self._partly: tuple[Hindrance, float] | None = None
        self._on_their_heads = 0

    @property
    def upside_down(self) -> bool:
        """Whether the camera hangs upside down, by the faces that it shows."""
        return self._on_their_heads >= _ON_THEIR_HEADS

    def found(self, at_s: float) -> None:
        """A face near enough was found, so what was told of others has an end."""
        self._far_s, self._partly = float("-inf"), None
        self._on_their_heads = 0
        self._last_s["turned"] = self._found_s = at_s

    def aside(self, faces: list[DetectedFace], image: Image, at_s: float) -> None:
        """Faces that were found anyway: those in the zone that are not near enough."""
        height, width = image.shape[:2]
        for face in faces:
            small = face.box.width < self._zone.min_face_px
            if not small or not self._zone.shows(face.box, width, height):
                continue
            if face.box.width >= _FAR * self._zone.min_face_px or self._stands(face.box, at_s):
                if self._engine.locate(image, face) is not None:
                    self._far_s = at_s
                return

    def _stands(self, box: Box, at_s: float) -> bool:
        """Whether a face stood where this one does when it was looked for before."""
        boxes, seen_s = self._distant
        return 0.0 < at_s - seen_s <= _STANDS_S and any(
            box.apart(one) <= box.width for one in boxes
        )

    def look(self, image: Image, at_s: float, moved_s: float) -> Sighting:
        """What can be said of a picture without a face; ``moved_s`` ago something moved in it."""
        lively = moved_s <= _MOVED_S
        known = 0.0 <= at_s - self._far_s <= _STAYS_S and moved_s <= _STILL_S
        sought = self._zone.min_face_px > _LEAST_PX and (lively or known)
        if sought and self._due("far", at_s, _FAR_EVERY_S):
            faces = self._engine.detect(image, _LEAST_PX)
            self.aside(faces, image, at_s)
            self._distant = ([face.box for face in faces], at_s)
        far = 0.0 <= at_s - self._far_s <= _STAYS_S
        if lively and not far:
            self._look_closer(image, at_s)
        partly = self._partly
        if partly is not None and not 0.0 <= at_s - partly[1] <= _STAYS_S:
            partly = self._partly = None
        somebody = 0.0 <= at_s - max(self._found_s, self._far_s) <= _STAYS_S
        unlit = self._unlit.look(self._zone.part(image), at_s, somebody=somebody)
        return Sighting(far=far, partly=partly[0] if partly is not None else None, unlit=unlit)

    def _look_closer(self, image: Image, at_s: float) -> None:
        if self._overlooked is not None and self._due("hidden", at_s, _HIDDEN_EVERY_S):
            hidden = self._overlooked.look(self._zone.part(image), self._zone.min_face_px)
            if hidden is not None:
                self._partly = (hidden, at_s)
        if self._due("turned", at_s, _TURNED_EVERY_S):
            turned = np.ascontiguousarray(image[::-1, ::-1])
            for face in self._engine.detect(turned, self._zone.min_face_px):
                box = face.box
                if box.width >= self._zone.min_face_px and self._engine.locate(turned, face):
                    self._on_their_heads += 1
                    break

    def _due(self, what: str, at_s: float, every_s: float) -> bool:
        """Whether it is time again; also where time ran backwards."""
        last_s = self._last_s.get(what)
        if last_s is not None and 0.0 <= at_s - last_s < every_s:
            return False
        self._last_s[what] = at_s
        return last_s is not None or what != "turned"

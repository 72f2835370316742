"""What a camera's frames say: the face in the approach zone, followed and compared."""

import hashlib
import time
from dataclasses import dataclass

import numpy as np

from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import ReferenceIndex, score
from agent.domain.sight.image import DetectedFace, Frame, Image, Template
from agent.domain.sight.track import Box, ClaimScore, FaceSample, Observation
from agent.vision.face.engine import FaceEngine
from agent.vision.face.quality import GATE, AcquisitionLimits, measure, shortfall
from agent.vision.face.track import Tracker

_BOX_WAVERS = 0.9
_NEAR = 1.8
_SETTLED_EVERY_S = 0.5
_MOST_LOCATED = 3
_NEARER = 0.75
"""Of the largest face's width, below which the one followed so far is left for it."""
_SAME_PLACE = 0.2
_STILL_THERE_S = 1.0


@dataclass(frozen=True, slots=True)
class Zone:
    """The approach zone in fractions of the frame; ``min_face_px`` is how near one must stand."""

    x: float = 0.0
    y: float = 0.0
    width: float = 1.0
    height: float = 1.0
    min_face_px: int = 80

    def holds(self, box: Box, frame_width: int, frame_height: int) -> bool:
        """Whether the middle of ``box`` lies in the zone, and near enough."""
        x = (box.x + box.width / 2) / frame_width
        y = (box.y + box.height / 2) / frame_height
        inside = self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height
        return inside and box.width >= self.min_face_px


@dataclass(frozen=True, slots=True, eq=False)
class ClaimedFace:
    """Whom a credential names: compared 1:1 while it holds.

    ``id`` names the presentation. The holder's own references come first; ``template`` is what the
    credential brought with it, None where it brought none of this pack.
    """

    id: int
    holder: HolderId
    template: Template | None = None


def search_widths(min_face_px: int, followed_px: int | None = None) -> tuple[int, ...]:
    """The smallest faces to look for, in turn, in pixels.

    A cascade's time goes into the small faces: those at little more than half the distance are
    found in a third of it. So they come first, unless the face that is followed stands too far to
    be among them. Boxes waver from frame to frame, so each search reaches a little below its mark.
    """
    mark_px = _NEAR * min_face_px
    near, far = (round(width * _BOX_WAVERS) for width in (mark_px, min_face_px))
    return (near, far) if followed_px is None or followed_px > mark_px else (far,)


class Watcher:
    """Looks at one camera's frames in order; owned by one thread."""

    def __init__(
        self,
        engine: FaceEngine,
        camera: str,
        zone: Zone,
        tracker: Tracker,
        limits: AcquisitionLimits = GATE,
    ) -> None:
        self._engine = engine
        self._camera = camera
        self._zone = zone
        self._tracker = tracker
        self._limits = limits
        self._revision: int | None = None
        self._settled: int | None = None
        self._judged_at: list[tuple[Box, float]] = []
        """Where those stand who have had their attempt, and when each was seen there."""
        self._embedded_s = float("-inf")
        self._claim: ClaimedFace | None = None

    def compare(self, claim: ClaimedFace | None) -> None:
        """Compare 1:1 with ``claim`` as well from now on; None stops that."""
        self._claim = claim

    def settle(self, track: int) -> None:
        """The track has had its attempt: from now on only a change of person is looked for."""
        self._settled = track

    def observe(self, frame: Frame, index: ReferenceIndex) -> Observation:
        """The observation of one frame, compared with ``index``."""
        if index.revision != self._revision:
            self._revision = index.revision
            self._tracker.forget_samples()
        stages = Stages()
        located = self._nearest(frame.image, frame.captured_s, stages)
        box = located.box if located is not None else None
        track = self._tracker.follow(box, frame.captured_s)
        if box is not None and track is not None:
            self._mark(box, frame.captured_s, judged=track.id == self._settled)
        if located is not None and track is not None and self._wanted(track.id, frame.captured_s):
            aligned = self._engine.crop(frame.image, located)
            if shortfall(measure(located, aligned), self._limits) is None:
                self._embedded_s = frame.captured_s
                template = self._engine.embed_crop(aligned)
                stages.done("embed")
                best, runner_up = index.search(template)
                stages.done("compare")
                content = _digest(frame.image, located.box)
                claim = self._claim_score(template, index)
                sample = FaceSample(frame.captured_s, content, best, runner_up, claim=claim)
                track = self._tracker.add(sample, template)
        return Observation(self._camera, frame.captured_s, track, stages.ms, index.revision)

    def _nearest(self, image: Image, captured_s: float, stages: "Stages") -> DetectedFace | None:
        """The face to look at; the search for smaller ones goes on only while none is found."""
        followed = self._tracker.box
        for smallest in search_widths(self._zone.min_face_px, followed.width if followed else None):
            faces = self._in_turn(self._engine.detect(image, smallest), image, captured_s)
            stages.done("detect")
            located = self._first_located(image, faces)
            stages.done("landmarks")
            if located is not None:
                return located
        return None

    def _in_turn(
        self, faces: list[DetectedFace], image: Image, captured_s: float
    ) -> list[DetectedFace]:
        """The near faces by falling area, but first the one followed, unless clearly behind.

        Two people of like size must not take turns, or neither would ever be judged. Whoever has
        had their attempt comes last, or somebody who stays would keep all others out.
        """
        height, width = image.shape[:2]
        near = [face for face in faces if self._zone.holds(face.box, width, height)]
        judged = self._judged([face.box for face in near], captured_s)
        # A credential waits for the face that was there already.
        last = [] if self._claim is not None else [f for f in near if f.box in judged]
        first = [face for face in near if face not in last]
        if all_judged := not first:
            first, last = last, []
        followed = self._tracker.overlapping([face.box for face in first])
        if followed is not None:
            behind = first[followed].box.width < _NEARER * first[0].box.width
            if all_judged or not behind:  # nobody begins anew for standing nearer
                first.insert(0, first.pop(followed))
        return [*first, *last]

    def _judged(self, boxes: list[Box], captured_s: float) -> list[Box]:
        """Which of the faces have had their attempt; they may move, and be missed for a moment."""
        places = []
        for place, seen_s in self._judged_at:
            box = max(boxes, key=place.overlap, default=None)
            if box is not None and place.overlap(box) >= _SAME_PLACE:
                places.append((box, captured_s))
            elif 0.0 <= captured_s - seen_s <= _STILL_THERE_S:
                places.append((place, seen_s))
        self._judged_at = places
        return [place for place, _ in places]

    def _mark(self, box: Box, captured_s: float, *, judged: bool) -> None:
        """The face that is followed has had its attempt, or is another one in that place."""
        places = [one for one in self._judged_at if one[0].overlap(box) < _SAME_PLACE]
        self._judged_at = [*places, (box, captured_s)] if judged else places

    def _first_located(self, image: Image, faces: list[DetectedFace]) -> DetectedFace | None:
        """The first that the landmarks call a face: a pattern on a wall must not hide a person."""
        for face in faces[:_MOST_LOCATED]:
            located = self._engine.locate(image, face)
            if located is not None:
                return located
        return None

    def _claim_score(self, template: Template, index: ReferenceIndex) -> ClaimScore | None:
        claim = self._claim
        if claim is None:
            return None
        found = index.verify(template, claim.holder)
        if found is None and claim.template is not None:
            found = score(claim.template, template, index.metric)
        return None if found is None else ClaimScore(claim.id, found)

    def _wanted(self, track: int, captured_s: float) -> bool:
        if self._claim is not None:
            return True
        due = captured_s - self._embedded_s >= _SETTLED_EVERY_S
        return track != self._settled or due or self._tracker.in_doubt


class Stages:
    """Milliseconds of each stage of one frame."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._last_s = time.perf_counter()

    def done(self, stage: str) -> None:
        """What ran since the last call was this stage."""
        now_s = time.perf_counter()
        self.ms[stage] = self.ms.get(stage, 0.0) + (now_s - self._last_s) * 1000.0
        self._last_s = now_s


def _digest(image: Image, box: Box) -> bytes:
    """A digest of the face's pixels: a camera that hangs repeats it, a living one never does."""
    part = image[max(box.y, 0) : box.y + box.height, max(box.x, 0) : box.x + box.width]
    return hashlib.blake2b(np.ascontiguousarray(part).data, digest_size=16).digest()

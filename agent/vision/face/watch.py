"""What a camera's frames say: the faces in the approach zone, followed; one of them compared."""

import hashlib
import time
from dataclasses import dataclass

import numpy as np

from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import ReferenceIndex, score
from agent.domain.sight.image import DetectedFace, Frame, Image, Template
from agent.domain.sight.sighting import Sighting
from agent.domain.sight.track import Box, Candidate, ClaimScore, FaceSample, Observation
from agent.vision.face.budget import EmbeddingBudget
from agent.vision.face.condition import condition
from agent.vision.face.crowd import Crowd, Person
from agent.vision.face.engine import FaceEngine
from agent.vision.face.faint import Faint
from agent.vision.face.pose import pose_of
from agent.vision.face.quality import GATE, AcquisitionLimits, Quality, measure, shortfall
from agent.vision.face.track import Tracker
from agent.vision.face.zone import Zone, search_widths
from agent.vision.frames.motion import MotionGate
from agent.vision.frames.readable import unreadable
from agent.vision.pad.beside import Beside
from agent.vision.pad.score import PadScorer

_SETTLED_EVERY_S = 0.5
_MOST_LOCATED = 3


@dataclass(frozen=True, slots=True, eq=False)
class ClaimedFace:
    """Whom a credential names: compared 1:1 while it holds.

    ``id`` names the presentation. The holder's own references come first; ``template`` is what the
    credential brought with it, None where it brought none of this pack.
    """

    id: int
    holder: HolderId
    template: Template | None = None


class Watcher:
    """Looks at one camera's frames in order; owned by one thread.

    A frame in which nothing moved is looked at twice a second (``vision.frames.motion``), one with
    somebody in it always; whose turn it is says ``vision.face.crowd``; and of their frames so many
    a second as ``vision.face.budget`` allows are embedded and compared, the better ones.
    """

    def __init__(
        self,
        engine: FaceEngine,
        camera: str,
        zone: Zone,
        tracker: Tracker,
        limits: AcquisitionLimits = GATE,
        pad: PadScorer | None = None,
        beside: Beside | None = None,
    ) -> None:
        """``pad`` looks at every face that is compared; None where no attack detection runs.

        ``beside`` looks for what stands beside its models.
        """
        self._engine = engine
        self._pad = pad
        self._beside = beside or Beside()
        self._camera = camera
        self._zone = zone
        self._limits = limits
        self._crowd = Crowd(tracker)
        self._motion = MotionGate()
        self._budget = EmbeddingBudget()
        self._faint = Faint(engine, zone)
        self._revision: int | None = None
        self._embedded_s = float("-inf")
        self._claim: ClaimedFace | None = None
        self._sighting = Sighting()
        self.quality: Quality | None = None
        """Of the face in the frame that was looked at last; None where there was none."""

    def compare(self, claim: ClaimedFace | None) -> None:
        """Compare 1:1 with ``claim`` as well from now on; None stops that."""
        self._claim = claim

    def settle(self, track: int) -> None:
        """The track has had its attempt: from now on only a change of person is looked for."""
        self._crowd.settle(track)

    def observe(self, frame: Frame, index: ReferenceIndex) -> Observation:
        """The observation of one frame, compared with ``index``.

        Raises:
            ValueError: the frame is no picture (``vision.frames.readable``).
        """
        problem = unreadable(frame.image)
        if problem is not None:
            raise ValueError(problem)
        if index.revision != self._revision:
            self._revision = index.revision
            self._crowd.forget_samples()
        stages, at_s = Stages(), frame.captured_s
        if self._motion.wants(frame.image, at_s, followed=self._crowd.followed):
            self._look(frame, index, stages)
        turn = self._crowd.turn
        return Observation(
            self._camera,
            at_s,
            turn.tracker.track if turn is not None else None,
            stages.ms,
            index.revision,
            self._sighting.hindrance,
            self._faint.upside_down,
        )

    def _look(self, frame: Frame, index: ReferenceIndex, stages: "Stages") -> None:
        """Everything that there is to see in a frame."""
        image, at_s = frame.image, frame.captured_s
        found = self._nearest(image, at_s, stages)
        moved_s = at_s - self._motion.moved_s
        if found is None:
            self.quality = None
            self._sighting = self._faint.look(image, at_s, moved_s)
            stages.done("detect")
            return
        self._faint.found(at_s)
        person, located = found
        aligned = self._engine.crop(image, located)
        quality = self.quality = measure(located, aligned)
        points = self._engine.manifest.landmarks.kind
        shown = condition(image, located.landmarks, points, aligned, quality)
        several = self._crowd.waiting(self._people)
        self._sighting = Sighting(True, shown.hindrance(self._limits), several)
        stages.done("landmarks")
        track = person.tracker.id
        self._beside.follow(track, image, located.box, at_s)
        stages.done("cues")
        if track is None or shortfall(quality, self._limits) is not None:
            return
        if self._wanted(person, track, shown.goodness, at_s):
            person.frames.took(track, shown.goodness, at_s)
            self._embedded_s = at_s
            self._embed(person, frame, located, aligned, shown.goodness, index, stages)

    def _embed(
        self,
        person: Person,
        frame: Frame,
        located: DetectedFace,
        aligned: Image,
        goodness: float,
        index: ReferenceIndex,
        stages: "Stages",
    ) -> None:
        """One frame's face as a sample of its track: embedded, compared, and what else is scored.

        Whatever scores the frames that count (``FaceSample``) is called here and nowhere else.
        """
        template = self._engine.embed_crop(aligned)
        stages.done("embed")
        best, runner_up = index.search(template)
        fused = self._fused(person, template, goodness, frame.captured_s, best, index)
        claim = self._claim_score(template, index)
        stages.done("compare")
        pad = self._attack_score(frame.image, located, stages)
        cues = self._beside.cues(frame.image, located, frame.captured_s, self._engine.detect)
        stages.done("cues")
        sample = FaceSample(
            frame.captured_s,
            _digest(frame.image, located.box),
            best,
            runner_up,
            pad_score=pad,
            claim=claim,
            fused=fused,
            cues=cues,
            yaw_deg=self._yaw_deg(located),
        )
        person.tracker.add(sample, template, goodness)

    def _nearest(
        self, image: Image, at_s: float, stages: "Stages"
    ) -> tuple[Person, DetectedFace] | None:
        """Whose turn it is; the search for smaller faces goes on only while none is found."""
        turn = self._crowd.turn
        followed_px = turn.box.width if turn is not None else None
        if turn is not None and turn.is_judged:
            followed_px = 0  # who had their attempt and stays hides nobody who stands farther away
        widths = search_widths(self._zone.min_face_px, followed_px)
        for smallest in widths:
            faces = self._engine.detect(image, smallest)
            stages.done("detect")
            found = self._first_located(image, faces, at_s)
            stages.done("landmarks")
            if found is not None:
                return found
            self._faint.aside(faces, image, at_s)
        return None

    def _first_located(
        self, image: Image, faces: list[DetectedFace], at_s: float
    ) -> tuple[Person, DetectedFace] | None:
        """The first that the landmarks call a face: a pattern on a wall must not hide a person.

        Others beside them are asked as well until it is known that they are faces.
        """
        height, width = image.shape[:2]
        near = [face for face in faces if self._zone.holds(face.box, width, height)]
        self._people = self._crowd.see(near, at_s)
        found, looks = None, _MOST_LOCATED
        for person in self._crowd.in_turn(self._people, claimed=self._claim is not None):
            if looks == 0 or (found is not None and person.shown):
                continue
            looks -= 1
            located = self._engine.locate(image, near[self._people.index(person)])
            if located is None:
                continue
            person.shown = True
            if found is None:
                found = (person, located)
                self._crowd.present(person, at_s)
        return found

    def _fused(
        self,
        person: Person,
        template: Template,
        goodness: float,
        at_s: float,
        best: Candidate | None,
        index: ReferenceIndex,
    ) -> float | None:
        """The mean of the track's best frames against whom this one is nearest to."""
        tracker = person.tracker
        if best is None or best.score < tracker.same_person:
            return None
        together = tracker.fused(template, goodness, at_s)
        found = None if together is None else index.verify(together.template, best.holder)
        return None if together is None or found is None else together.on_scale(found)

    def _claim_score(self, template: Template, index: ReferenceIndex) -> ClaimScore | None:
        claim = self._claim
        if claim is None:
            return None
        found = index.verify(template, claim.holder)
        if found is None and claim.template is not None:
            found = score(claim.template, template, index.metric)
        return None if found is None else ClaimScore(claim.id, found)

    def _attack_score(self, image: Image, located: DetectedFace, stages: "Stages") -> float | None:
        if self._pad is None:
            return None
        score = self._pad.score(image, located)
        stages.done("pad")
        return score

    def _yaw_deg(self, located: DetectedFace) -> float | None:
        if located.landmarks is None:
            return None
        pose = pose_of(located.landmarks, self._engine.manifest.landmarks.kind)
        return None if pose is None else pose.yaw_deg

    def _wanted(self, person: Person, track: int, goodness: float, at_s: float) -> bool:
        if person.tracker.in_doubt:
            return True  # the next one decides whose it is
        if self._claim is None and person.is_judged:
            return not 0.0 <= at_s - self._embedded_s < _SETTLED_EVERY_S
        return person.frames.worth(track, goodness, at_s) and self._budget.spend(at_s)


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

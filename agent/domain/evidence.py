"""What the sensors saw of one presentation, as values; what it means is the policy's to say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import field as dataclass_field

import numpy as np
from numpy.typing import NDArray

from agent.domain.factor import Factor, Factors
from agent.domain.holder import HolderId
from agent.domain.presented import DocumentPresented, HealthPresented, PassPresented
from agent.domain.skin_temperature import SkinReading


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; ``x`` and ``y`` name its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> int:
        """In square pixels."""
        return self.width * self.height

    def overlap(self, other: "Box") -> float:
        """Intersection over union, 0 to 1."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        shared = max(width, 0) * max(height, 0)
        union = self.area + other.area - shared
        return shared / union if union else 0.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A holder whose reference is near the probe; a higher score is more alike."""

    holder: HolderId
    score: float


@dataclass(frozen=True, slots=True)
class FaceSample:
    """One frame's face compared 1:N.

    ``captured_s`` is the frame's capture on the monotonic clock; ``content`` a digest of the
    face's pixels, by which a frozen camera is told from a living one; ``runner_up`` the best
    candidate who is another holder than ``best``; ``pad_score`` None where no model looked.
    """

    captured_s: float
    content: bytes = field(repr=False)
    best: Candidate | None
    runner_up: Candidate | None
    pad_score: float | None = None
    claim: "ClaimScore | None" = None


@dataclass(frozen=True, slots=True)
class ClaimScore:
    """The face compared 1:1 with the reference of a credential's holder.

    ``claim`` names the presentation whose holder it was compared with.
    """

    claim: int
    score: float


@dataclass(frozen=True, slots=True)
class FaceTrack:
    """One presentation: a face followed through frames, its newest sample last.

    ``first_seen_s`` and ``last_seen_s`` are captures on the monotonic clock. A track whose
    faces could not be compared (too small, blurred) has no samples yet.
    """

    id: int
    box: Box
    first_seen_s: float
    last_seen_s: float
    samples: tuple[FaceSample, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """What vision made of one frame: the face in the approach zone, or none.

    Observations coalesce on their way to the controller, so each carries the whole track.
    ``gallery_revision`` names the snapshot that the samples were compared with.
    """

    camera: str
    captured_s: float
    track: FaceTrack | None
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    gallery_revision: int = 0


@dataclass(frozen=True, slots=True)
class TemperatureReading:
    """One sample of the thermometer, in degrees Celsius; no diagnosis.

    ``field`` is the whole thermal image of an array sensor (rows x columns, float32), where there
    is one; ``temperature_c`` is then its warmest spot.
    """

    measured_s: float
    temperature_c: float
    ambient_c: float | None = None
    field: NDArray[np.float32] | None = dataclass_field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class FaceEvidence:
    """The agreed outcome of one track, and what it was judged by.

    ``claimed`` says that it was compared 1:1 with the holder whom a credential names. ``holder``
    is None where no candidate reached the threshold; ``margin`` is the distance in score to the
    best other holder, None where there is no other.
    """

    holder: HolderId | None
    score: float | None
    margin: float | None
    runner_up_score: float | None
    frames: int
    span_s: float
    newest_s: float
    ambiguous: bool = False
    frozen: bool = False
    pad_score: float | None = None
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one attempt brings before the policy.

    ``thermal_score`` says whether the face is as warm as one, 0 to 1; None where that cannot be
    told, or nothing looked.
    """

    face: FaceEvidence | None = None
    temperature: SkinReading | None = None
    gate_pass: PassPresented | None = None
    document: DocumentPresented | None = None
    health: HealthPresented | None = None
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    thermal_score: float | None = None

    @property
    def shown(self) -> Factors:
        """Which factors it holds; a face only where it is somebody's."""
        there = {
            Factor.FACE: self.face is not None and self.face.holder is not None,
            Factor.PASS: self.gate_pass is not None,
            Factor.ID_DOCUMENT: self.document is not None,
            Factor.HEALTH_CERTIFICATE: self.health is not None,
        }
        return frozenset(factor for factor, shown in there.items() if shown)

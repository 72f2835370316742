"""What vision made of frames: a face followed, each sample compared, as values."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.domain.credential.holder import HolderId
from agent.domain.sight.cues import UNSEEN, Cues
from agent.domain.sight.hindrance import Hindrance

MOST_SAMPLES = 12
"""Of one track, the newest: nothing older can be agreed on."""


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

    @property
    def middle(self) -> tuple[float, float]:
        """Across and down, in pixels."""
        return self.x + self.width / 2, self.y + self.height / 2

    def apart(self, other: "Box") -> float:
        """Pixels from middle to middle."""
        return math.dist(self.middle, other.middle)

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
    ``fused`` is the mean of the track's best frames so far compared with ``best``'s holder, on the
    scale of one comparison; None where there is no such mean, or where this frame by itself is too
    far from that holder to be surely theirs. ``cues`` are what stands beside the models.
    ``yaw_deg`` is how far the head is turned to the person's left; None where that is not known.
    """

    captured_s: float
    content: bytes = field(repr=False)
    best: Candidate | None
    runner_up: Candidate | None
    pad_score: float | None = None
    claim: "ClaimScore | None" = None
    fused: float | None = None
    cues: Cues = UNSEEN
    yaw_deg: float | None = None


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
    ``gallery_revision`` names the snapshot that the samples were compared with; ``hindrance`` what
    keeps whoever is seen from being judged, None where nobody is seen or all is well;
    ``upside_down`` that faces were seen on their heads only, so the camera hangs so; ``too_close``
    of holders whom the track's samples name whether another holder could pass for them, and whoever
    is missing there was not looked at.
    """

    camera: str
    captured_s: float
    track: FaceTrack | None
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    gallery_revision: int = 0
    hindrance: Hindrance | None = None
    upside_down: bool = False
    too_close: Mapping[HolderId, bool] = field(default_factory=dict)

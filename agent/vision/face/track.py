"""Follows one face through frames by overlap: a presentation is a track.

    no track      face in the zone           -> new track
    track         a face that overlaps       -> the same track
    track         none for ``gap_s``         -> no track
    track         a face elsewhere           -> new track
    track         a frame older than its last -> no track
    track         two templates in a row that are another person's  -> new track

The last row matters: a second person who steps into the first one's place overlaps them well, and
without it would inherit their presentation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.domain.sight.comparison import Metric, score
from agent.domain.sight.image import Template
from agent.domain.sight.track import MOST_SAMPLES, Box, FaceSample, FaceTrack

_LEAST_OVERLAP = 0.2


@dataclass(slots=True, eq=False)
class _Person:
    """Whose face the track follows: the mean of its templates so far."""

    mean: Template
    count: int = 1
    strangers: int = 0


@dataclass(slots=True, eq=False)
class Tracker:
    """At most one track at a time; times are captures on the monotonic clock.

    ``same_person`` is the score below which two templates are surely not one person's (the pack's
    threshold at FMR 1e-2).
    """

    metric: Metric
    same_person: float
    gap_s: float = 1.0
    _next_id: int = 1
    _id: int | None = None
    _box: Box = field(default_factory=lambda: Box(0, 0, 0, 0))
    _first_s: float = 0.0
    _last_s: float = 0.0
    _samples: list[FaceSample] = field(default_factory=list)
    _person: _Person | None = None

    def follow(self, box: Box | None, captured_s: float) -> FaceTrack | None:
        """The track after a frame whose chosen face is ``box``, None where there was none."""
        # A camera whose time runs backwards must not make a moment look like a fifth of a second.
        if self._id is not None and not 0.0 <= captured_s - self._last_s <= self.gap_s:
            self._id = None
        if box is None:
            return self.track
        if self._id is None or self._box.overlap(box) < _LEAST_OVERLAP:
            self._begin(captured_s)
        self._box, self._last_s = box, captured_s
        return self.track

    def overlapping(self, boxes: Sequence[Box]) -> int | None:
        """Which of ``boxes`` is the followed face; None where no track is, or none overlaps."""
        if self._id is None or not boxes:
            return None
        best = max(range(len(boxes)), key=lambda i: self._box.overlap(boxes[i]))
        return best if self._box.overlap(boxes[best]) >= _LEAST_OVERLAP else None

    def add(self, sample: FaceSample, template: Template) -> FaceTrack | None:
        """The track after the chosen face of the newest frame was compared.

        A template that is somebody else's is left out, and the second in a row begins a new track
        with itself. One with a component that is no number is nobody's, and left out as well.
        """
        if not np.isfinite(template).all():
            return self.track
        person = self._person
        if person is not None and score(person.mean, template, self.metric) < self.same_person:
            person.strangers += 1
            if person.strangers < 2:
                return self.track
            self._begin(sample.captured_s)
            person = None
        if person is None:
            self._person = _Person(template.copy())
        else:
            person.strangers = 0
            person.count = min(person.count + 1, MOST_SAMPLES)
            step = (template - person.mean) / np.float32(person.count)
            person.mean = (person.mean + step).astype(np.float32)
        self._samples = [*self._samples, sample][-MOST_SAMPLES:]
        return self.track

    @property
    def in_doubt(self) -> bool:
        """Whether the newest template was another person's: the next one decides."""
        return self._person is not None and self._person.strangers > 0

    def forget_samples(self) -> None:
        """What was compared so far no longer counts: the gallery has changed."""
        self._samples = []

    @property
    def box(self) -> Box | None:
        """Where the followed face was last; None where no track is."""
        return self._box if self._id is not None else None

    @property
    def track(self) -> FaceTrack | None:
        """The presentation as it stands; without samples while it is in doubt whose it is."""
        if self._id is None:
            return None
        # While somebody else may stand there, nothing is opened for who stood there before.
        samples = () if self.in_doubt else tuple(self._samples)
        return FaceTrack(self._id, self._box, self._first_s, self._last_s, samples)

    def _begin(self, captured_s: float) -> None:
        self._id = self._next_id
        self._next_id += 1
        self._first_s = self._last_s = captured_s
        self._samples = []
        self._person = None

"""Follows one face through frames by overlap: a presentation is a track.

    no track      face in the zone           -> new track
    track         a face that overlaps       -> the same track
    track         none for ``gap_s``         -> no track
    track         a face elsewhere           -> new track
    track         a frame older than its last -> no track
    track         two templates in a row that are another person's  -> new track
    track         presented again after somebody else was           -> new track

The row before the last matters: a second person who steps into the first one's place overlaps them
well, and without it would inherit their presentation. Of several faces each has a tracker of its
own (``vision.face.crowd``); their ids come from one count.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from agent.domain.sight.comparison import Metric, score
from agent.domain.sight.image import Template
from agent.domain.sight.track import MOST_SAMPLES, Box, FaceSample, FaceTrack
from agent.vision.face.fusion import Best, Fused

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
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _id: int | None = None
    _box: Box = field(default_factory=lambda: Box(0, 0, 0, 0))
    _first_s: float = 0.0
    _last_s: float = 0.0
    _samples: list[FaceSample] = field(default_factory=list)
    _person: _Person | None = None
    _best: Best = field(default_factory=Best)

    def another(self) -> "Tracker":
        """One for another face, whose ids are none of this one's."""
        return Tracker(self.metric, self.same_person, self.gap_s, self._ids)

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

    def fused(self, template: Template, goodness: float, captured_s: float) -> Fused | None:
        """The best templates so far with the newest among the candidates, as one.

        None where the newest is the first, or may be somebody else's.
        """
        person = self._person
        if person is None or not np.isfinite(template).all():
            return None
        if score(person.mean, template, self.metric) < self.same_person:
            return None
        return self._best.with_newest(template, goodness, captured_s).fused(self.metric)

    def add(
        self, sample: FaceSample, template: Template, goodness: float = 1.0
    ) -> FaceTrack | None:
        """The track after the chosen face of the newest frame was compared.

        ``goodness`` (0 to 1) is how well the frame shows it, by which the best are chosen.
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
        self._best = self._best.with_newest(template, goodness, sample.captured_s)
        return self.track

    def renew(self, captured_s: float) -> FaceTrack | None:
        """The same face as a new presentation: whose it is, is seen anew as well."""
        if self._id is not None:
            self._begin(captured_s)
        return self.track

    @property
    def id(self) -> int | None:
        """Of the track; None where none is."""
        return self._id

    @property
    def in_doubt(self) -> bool:
        """Whether the newest template was another person's: the next one decides."""
        return self._person is not None and self._person.strangers > 0

    def forget_samples(self) -> None:
        """What was compared so far no longer counts: the gallery has changed."""
        self._samples = []

    @property
    def track(self) -> FaceTrack | None:
        """The presentation as it stands; without samples while it is in doubt whose it is."""
        if self._id is None:
            return None
        # While somebody else may stand there, nothing is opened for who stood there before.
        samples = () if self.in_doubt else tuple(self._samples)
        return FaceTrack(self._id, self._box, self._first_s, self._last_s, samples)

    def _begin(self, captured_s: float) -> None:
        self._id = next(self._ids)
        self._first_s = self._last_s = captured_s
        self._samples = []
        self._best = Best()
        self._person = None

"""Several faces before one camera, each followed; and whose turn it is.

Boxes of a frame and those followed belong together by overlap, the best pairs first; whether it is
still the same person, the templates say (``vision.face.track``). One face at a time is presented:

    who                                          turn
    nearer than all others, or as near           first, and keeps it
    nearer than three quarters of whoever has it takes it
    has had their attempt                        after all who have not
    behind whoever has had their attempt         waits until that one has gone
    behind whoever has the turn, who is missed
    (turned, covered, blurred)                   waits: nothing opens for the one before
    beside whoever has the turn, who is missed   waits a quarter of a second: detectors blink

"Behind" is narrower than three quarters and over their shoulder. What has not moved for half a
minute after the attempt is part of the scene (a poster) and keeps nobody waiting; a person sways,
and whoever is behind them steps aside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.domain.sight.image import DetectedFace
from agent.domain.sight.track import Box
from agent.vision.face.budget import BestFrames
from agent.vision.face.track import Tracker

NEARER = 0.75
"""Of the largest face's width, below which the one who had the turn is left for it."""
_SAME_PLACE = 0.2
_BESIDE = 1.0
"""In widths of the nearer face, from middle to middle: within it is over the shoulder."""
_MISSED_S = 0.25
_SCENERY_S = 30.0
_SWAYS = 0.1
"""In widths of the face; a detector's boxes waver by less about a picture that hangs."""
_MOST_FOLLOWED = 8
"""The nearest; whoever fills the picture with faces costs no more."""


@dataclass(slots=True, eq=False)
class Person:
    """One face that is followed."""

    tracker: Tracker
    box: Box
    seen_s: float
    shown: bool = False
    """Whether landmarks ever said that it is a face: a pattern on a wall keeps nobody waiting."""
    presented: bool = False
    judged: int | None = None
    """The presentation that had its attempt, and since when."""
    judged_s: float = 0.0
    anchor: Box | None = None
    """Where it was when it last moved, and since when it stays there."""
    still_s: float = 0.0
    frames: BestFrames = field(default_factory=BestFrames)

    def moves_to(self, box: Box, captured_s: float) -> None:
        """It was seen in ``box``."""
        if self.anchor is None or self.anchor.apart(box) > _SWAYS * box.width:
            self.anchor, self.still_s = box, captured_s
        self.box, self.seen_s = box, captured_s

    @property
    def is_scenery(self) -> bool:
        """Whether it has been there unmoved for so long after its attempt that it is no person."""
        return self.seen_s - max(self.judged_s, self.still_s) >= _SCENERY_S

    @property
    def is_judged(self) -> bool:
        """Whether the presentation as it stands has had its attempt."""
        return self.judged is not None and self.judged == self.tracker.id


class Crowd:
    """The faces of one camera; owned by the watcher's thread."""

    def __init__(self, tracker: Tracker) -> None:
        """``tracker`` is the first face's; the others' are made after it."""
        self._spare: Tracker | None = tracker
        self._like = tracker
        self._people: list[Person] = []
        self._settled: int | None = None
        self.turn: Person | None = None
        """Whose presentation it is."""

    def settle(self, track: int) -> None:
        """The presentation has had its attempt."""
        self._settled = track

    def see(self, faces: Sequence[DetectedFace], captured_s: float) -> list[Person]:
        """Whose each face of a frame is, in their order; who is gone for too long is forgotten."""
        gap_s = self._like.gap_s
        self._people = [p for p in self._people if 0.0 <= captured_s - p.seen_s <= gap_s]
        if self.turn is not None and self.turn not in self._people:
            self.turn = None
        found: dict[int, Person] = {}
        pairs = [
            (person.box.overlap(face.box), -number, place)
            for place, person in enumerate(self._people)
            for number, face in enumerate(faces[:_MOST_FOLLOWED])
        ]
        taken: set[int] = set()
        for overlap, minus, place in sorted(pairs, reverse=True):
            if overlap >= _SAME_PLACE and -minus not in found and place not in taken:
                found[-minus] = self._people[place]
                taken.add(place)
        people = []
        for number, face in enumerate(faces[:_MOST_FOLLOWED]):
            person = found.get(number)
            if person is None:
                person = Person(self._new_tracker(), face.box, captured_s)
                self._people.append(person)
            person.tracker.follow(face.box, captured_s)
            person.moves_to(face.box, captured_s)
            people.append(person)
        for person in self._people:
            if person.tracker.id is not None and person.tracker.id == self._settled:
                if not person.is_judged:
                    person.judged_s = captured_s
                person.judged = self._settled
        return people

    def in_turn(self, people: Sequence[Person], *, claimed: bool) -> list[Person]:
        """Those of a frame (nearest first) in the order in which to look at them.

        Two people of like size must not take turns, or neither would ever be judged; whoever has
        had their attempt comes last, or somebody who stays would keep all others out. Where a
        credential waits (``claimed``) it is for the face that was there already.
        """
        last = [] if claimed else [one for one in people if one.is_judged]
        first = [one for one in people if one not in last and not self._waits(one, claimed=claimed)]
        all_judged = not first
        if all_judged:
            first, last = last, []
        turn = self.turn
        if turn in first:
            behind = turn.box.width < NEARER * first[0].box.width
            if all_judged or not behind:  # nobody begins anew for standing nearer
                first.remove(turn)
                first.insert(0, turn)
        return [*first, *last]

    def present(self, person: Person, captured_s: float) -> None:
        """It is this one's turn; where it was before, and another's since, it begins anew."""
        person.shown = True
        if self.turn is not person:
            if person.presented:
                person.tracker.renew(captured_s)
            self.turn = person
        person.presented = True

    def waiting(self, people: Sequence[Person]) -> bool:
        """Whether somebody else of a frame stands as near as whoever has the turn, or behind."""
        turn = self.turn
        others = [one for one in people if one is not turn and one.shown and not one.is_judged]
        if turn is None or turn.is_judged:
            return any(self._waits(one, claimed=False) for one in others)
        return any(one.box.width >= NEARER * turn.box.width for one in others)

    @property
    def followed(self) -> bool:
        """Whether anybody is followed who is surely a face."""
        return any(one.shown for one in self._people)

    def forget_samples(self) -> None:
        """The gallery has changed."""
        for person in self._people:
            person.tracker.forget_samples()

    def _waits(self, person: Person, *, claimed: bool) -> bool:
        """Whether somebody who stands nearer, before them, has to go first."""
        for other in self._people:
            if other is person or not other.shown:
                continue
            behind = _behind(person.box, other.box)
            if other.is_judged:
                if behind and not claimed and not other.is_scenery:
                    return True
            elif other is self.turn and other.seen_s < person.seen_s:
                nearer = other.box.width < NEARER * person.box.width
                missed_s = person.seen_s - other.seen_s
                if behind or (missed_s < _MISSED_S and not nearer):
                    return True
        return False

    def _new_tracker(self) -> Tracker:
        spare, self._spare = self._spare, None
        return spare if spare is not None else self._like.another()


def _behind(box: Box, nearer: Box) -> bool:
    apart = abs(box.middle[0] - nearer.middle[0])
    return box.width < NEARER * nearer.width and apart <= _BESIDE * nearer.width

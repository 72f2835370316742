"""Whether whoever stood at a simulated gate was left without a sign, by the lights alone.

invariant               the lights
left_without_a_sign     stood as they do while nobody is there, for longer than two seconds before
                        somebody who had not been let in, one agent alive

Blue, or dark, is how they stand while nobody is there; whatever else is lit is a sign. A pattern's
dark part is shorter than this.
"""

from dataclasses import dataclass, field

from agent.lab.simulate.checker_probes import Report
from agent.lab.simulate.truth import Presence, Presences

WITHOUT_S = 2.0
_TOLERANCE_S = 0.05
_AT_REST = frozenset({"blue"})


@dataclass(slots=True)
class _Point:
    lit: set[str] = field(default_factory=set)
    there: bool = False
    silent_s: float | None = None
    """Since when somebody has stood there without a sign."""


class SignWatch:
    """Is told everything in the order of time, as the checker is, which it is part of."""

    def __init__(self, report: Report, presences: Presences) -> None:
        self._report, self._presences = report, presences
        self._points: dict[str, _Point] = {}
        self._alive = False
        self._silent: list[tuple[str, Presence, float, float]] = []
        self.people = 0

    def light(self, at_s: float, point: str, colour: str, *, on: bool) -> None:
        """A light at this access point went on or off, as seen at its pin."""
        one = self._points.setdefault(point, _Point())
        (one.lit.add if on else one.lit.discard)(colour)
        if one.lit <= _AT_REST:
            self._begins(one, at_s)
        else:
            self._ends(point, one, at_s)

    def steps_in(self, at_s: float, point: str) -> None:
        """Somebody stands there now."""
        one = self._points.setdefault(point, _Point())
        one.there = True
        self._begins(one, at_s)

    def leaves(self, at_s: float, point: str) -> None:
        """They went."""
        one = self._points.setdefault(point, _Point())
        self._ends(point, one, at_s)
        one.there = False

    def runs(self, at_s: float) -> None:
        """An agent is up."""
        self._alive = True
        for one in self._points.values():
            one.silent_s = None
            self._begins(one, at_s)

    def dies(self, at_s: float) -> None:
        """It is gone, or hangs: nobody promises a sign."""
        for point, one in self._points.items():
            self._ends(point, one, at_s)
        self._alive = False

    def finish(self) -> None:
        """All is published: who was let in needed no sign any more."""
        left: set[int] = set()
        for point, presence, from_s, until_s in self._silent:
            if presence.let_in_s <= from_s + WITHOUT_S or id(presence) in left:
                continue
            left.add(id(presence))
            for_s = round(until_s - from_s, 3)
            self._report.violated(
                from_s, "left_without_a_sign", [], access_point=point, for_s=for_s
            )
        self.people = len(left)

    def _begins(self, one: _Point, at_s: float) -> None:
        if one.there and self._alive and one.silent_s is None and one.lit <= _AT_REST:
            one.silent_s = at_s

    def _ends(self, point: str, one: _Point, at_s: float) -> None:
        since_s, one.silent_s = one.silent_s, None
        presence = self._presences.at(point)
        if since_s is None or presence is None or at_s - since_s <= WITHOUT_S + _TOLERANCE_S:
            return
        self._silent.append((point, presence, since_s, at_s))

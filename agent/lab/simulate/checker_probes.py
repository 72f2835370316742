"""What is promised against people who probe, judged from outside.

invariant                       what was done, and what the gate did
false_grants_beyond_promise     strangers' faces opened more often than was promised for a day
unjudged_not_told               a stranger slid through, and no event counts them
resident_kept_out_by_probing    a clear face of full rights was not let in after strangers
two_faces_one_pass              a pass opened that had just met a wrong face, or met too many
removed_revived                 the pass of somebody who was removed opened
row_revives                     somebody whose row cannot be read was let in, or a revoked pass
codes_delay_a_pass              a genuine pass waited because of a stranger's codes
expired_opened, began_early     a right opened before or after its time, by a clock that was set
state_forgot                    what a file knew was forgotten with it
passed_back                     one pass let two in within the window of one passage

It is told who stood where, and in truth as whom; whoever is to be let in within some seconds says
so themselves (``Person.within_s``), and that counts only where nothing else was broken, locked or
restarted meanwhile.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from agent.lab.simulate.truth import ClockMap, Person, Presence, Presences, RecentActs

_FAR = float("inf")
_SURE = 1e-6
"""So seldom a gate that keeps its promise is accused."""
_SLIDES_S = 1.2
"""Whoever is gone by then was not judged."""
_TOLD_S = 62.0
_MOST_FACES, _FACES_WITHIN_S = 25, 3600.0
"""Wrong faces that one credential may meet in its first hour, and a few."""
_WINDOW_S = 14.0
_SURELY_ANOTHER = 3
_SETTLED_S = 3.0
_CLOSED_S = 905.0
_EDGE = timedelta(seconds=2.0)
_MOST = 1000


@dataclass(slots=True)
class Report:
    """Violations with the inputs that led there."""

    acts: RecentActs
    violations: list[dict[str, Any]] = field(default_factory=list)

    def violated(
        self,
        at_s: float,
        invariant: str,
        inputs: list[dict[str, Any]] | None = None,
        **more: object,
    ) -> None:
        """Keep it; past some number only the first ones."""
        if len(self.violations) < _MOST:
            led = list(self.acts.last if inputs is None else inputs)
            one = {"time": round(at_s, 3), "invariant": invariant, **more, "inputs": led}
            self.violations.append(one)

    def sorted(self) -> list[dict[str, Any]]:
        """By time."""
        return sorted(self.violations, key=lambda one: one["time"])


@dataclass(frozen=True, slots=True)
class Promised:
    """What the config says of strangers' faces."""

    false_grants_per_day: float = 0.05
    false_grant_rate: float = 0.01


class Promises:
    """Is told everything in the order of time, as the checker is, which it is part of."""

    def __init__(
        self, report: Report, presences: Presences, clock: ClockMap, promised: Promised
    ) -> None:
        self._report, self._presences, self._clock = report, presences, clock
        self._promised = promised
        self._lives: list[list[float]] = []
        self._troubles: list[tuple[float, float, str | None]] = []
        self._forbidden: dict[str, tuple[float, str]] = {}
        self._met: dict[str, list[tuple[str, Presence, float]]] = {}
        self._counts: dict[str, list[tuple[float, int]]] = {}
        self._closed: dict[str, list[list[float]]] = {}
        self._taken: dict[str, float] = {}
        self.false_grants = 0

    # --- what the world did -----------------------------------------------------------------

    def runs(self, at_s: float) -> None:
        """An agent is up."""
        self._lives.append([at_s, _FAR])

    def dies(self, at_s: float) -> None:
        """It is gone, and with it what it knew of faces."""
        if self._lives:
            self._lives[-1][1] = min(self._lives[-1][1], at_s)
        self._met.clear()

    def troubled(self, from_s: float, until_s: float, point: str | None = None) -> None:
        """Something else speaks against letting people in here, or everywhere."""
        self._troubles.append((from_s, until_s, point))

    def compared(self, at_s: float, point: str) -> None:
        """Whoever stands there was compared with the holder whom their credential names."""
        presence = self._presences.at(point)
        if presence is None or presence.person.credential is None:
            return
        presence.compared += 1
        if presence.person.holder is not None or presence.compared != _SURELY_ANOTHER:
            return
        name = presence.person.credential
        met = self._met.setdefault(name, [])
        met.append((point, presence, at_s))
        lately = [one for one in met if one[2] > at_s - _FACES_WITHIN_S]
        if len(lately) == _MOST_FACES + 1:
            self._report.violated(at_s, "two_faces_one_pass", faces=len(lately))

    def forbids(self, at_s: float, subject: str, invariant: str) -> None:
        """This holder, or this pass, opens nothing from now on."""
        self._forbidden[subject] = (at_s, invariant)
        self._report.acts.note(at_s, "forbidden", subject=subject)

    def allows(self, subject: str) -> None:
        """It does again."""
        self._forbidden.pop(subject, None)

    def state_taken(self, at_s: float, file: str) -> None:
        """This file of the state is gone, or an older one lies there."""
        self._taken[file] = at_s
        self._report.acts.note(at_s, "file taken", file=file)

    def state_accepted(self, at_s: float, file: str) -> None:
        """A person said that it counts as it is."""
        self._taken.pop(file, None)
        self._report.acts.note(at_s, "file accepted", file=file)

    def state_unnoticed(self, at_s: float, file: str, why: str) -> None:
        """It was no fault to the agent that this file was gone, or an older one."""
        self._report.violated(at_s, "state_forgot", file=file, why=why)

    # --- what the gate did ------------------------------------------------------------------

    def opened(self, at_s: float, output: str, *, by: str | None) -> None:
        """An output was released; ``by`` None where only a grant may be the cause."""
        taken_s = self._taken.get("latches")
        if taken_s is not None and at_s > taken_s and by is None:
            self._report.violated(at_s, "state_forgot", file="latches", output=output)

    def lucky(self, person: Person, holder: str | None) -> bool:
        """Whether a stranger was taken for somebody by the chance that is promised."""
        like = person.holder is None and person.resembles is not None
        return like and person.resembles == holder and person.luck <= self._promised_rate

    def granted(self, at_s: float, point: str, presence: Presence, holder: str | None) -> None:
        """Somebody was granted, and this is who stood there."""
        presence.granted = True
        person = presence.person
        self.false_grants += self.lucky(person, holder)
        for subject in (person.credential, person.holder, holder):
            told_s, invariant = self._forbidden.get(subject or "", (_FAR, ""))
            if at_s > told_s + 0.5:
                self._report.violated(at_s, invariant, access_point=point, holder=holder)
                break
        self._by_true_time(at_s, point, person)
        for where, other, met_s in self._met.get(person.credential or "", ()):
            if other is not presence and at_s - _WINDOW_S <= met_s <= at_s:
                self._report.violated(
                    at_s, "two_faces_one_pass", access_point=point, holder=holder, met_at=where
                )
                break
        taken_s = self._taken.get("passes")
        if taken_s is not None and at_s > taken_s and person.uses is not None:
            self._report.violated(at_s, "state_forgot", file="passes", access_point=point)

    def told(self, point: str, kind: str, data: Mapping[str, Any], moments: list[float]) -> None:
        """An event about those who probe."""
        at_s = max(moments, default=0.0)
        if kind == "access.unjudged":
            self._counts.setdefault(point, []).append((at_s, int(data["count"])))
        elif kind == "access.probing":
            closed = self._closed.setdefault(point, [])
            if closed and closed[-1][1] == _FAR:
                closed[-1][1] = at_s
            if data["stage"] == "second_factor":
                closed.append([at_s, _FAR])

    def finish(self, at_s: float) -> None:
        """All is published: what needs the whole day."""
        days = max(at_s / 86_400.0, 1.0)
        if _chance_of(self.false_grants, self._promised.false_grants_per_day * days) < _SURE:
            self._report.violated(
                at_s,
                "false_grants_beyond_promise",
                seen=self.false_grants,
                promised=self._promised.false_grants_per_day * days,
            )
        for point, presence in self._presences.all():
            self._waited(point, presence)
        self._slid_through()

    @property
    def _promised_rate(self) -> float:
        return self._promised.false_grant_rate

    def _by_true_time(self, at_s: float, point: str, person: Person) -> None:
        true = self._clock.truth(at_s)
        if person.valid_until is not None and true > person.valid_until + _EDGE:
            self._report.violated(at_s, "expired_opened", access_point=point, holder=person.holder)
        if person.valid_from is not None and true < person.valid_from - _EDGE:
            self._report.violated(at_s, "began_early", access_point=point, holder=person.holder)

    def _waited(self, point: str, presence: Presence) -> None:
        """Who was to be let in, and stood there in vain."""
        within_s = presence.person.within_s
        if within_s is None or presence.granted:
            return
        end_s = presence.from_s + within_s
        if presence.until_s < end_s or not self._well(point, presence.from_s - _SETTLED_S, end_s):
            return
        if any(begin <= end_s and presence.from_s <= end for begin, end in self._lawfully(point)):
            return
        self._report.violated(
            presence.from_s,
            presence.person.promise,
            [],
            access_point=point,
            holder=presence.person.holder,
        )

    def _lawfully(self, point: str) -> Iterator[tuple[float, float]]:
        """When a second factor may be asked for: never longer than a quarter of an hour."""
        for begin, end in self._closed.get(point, ()):
            yield begin, min(end, begin + _CLOSED_S)

    def _slid_through(self) -> None:
        """Whoever was not judged is counted within a minute."""
        events = {
            point: [[at_s, count, 0] for at_s, count in sorted(told)]
            for point, told in self._counts.items()
        }
        for point, one in self._presences.all():
            if one.person.holder is not None or one.events or one.until_s == _FAR:
                continue
            # Not since they came: whoever was masked first slides from when they show their face.
            slid = 0.05 <= one.until_s - one.shown_s <= _SLIDES_S
            if not slid or not self._well(point, one.from_s - 0.5, one.until_s + _TOLD_S):
                continue
            told = next(
                (
                    event
                    for event in events.get(point, ())
                    if one.until_s - 0.2 <= event[0] <= one.until_s + _TOLD_S
                    and event[2] < event[1]
                ),
                None,
            )
            if told is None:
                self._report.violated(one.until_s, "unjudged_not_told", [], access_point=point)
            else:
                told[2] += 1

    def _well(self, point: str, from_s: float, until_s: float) -> bool:
        """Whether one agent lived all the time, and nothing was broken or locked here."""
        lived = any(begin <= from_s and until_s <= end for begin, end in self._lives)
        return lived and not any(
            begin <= until_s and from_s <= end
            for begin, end, where in self._troubles
            if where in (None, point)
        )


def _chance_of(count: int, expected: float) -> float:
    """That so many or more are seen where so many are expected (Poisson)."""
    less = math.fsum(
        math.exp(-expected) * expected**number / math.factorial(number) for number in range(count)
    )
    return max(1.0 - less, 0.0) if count else 1.0

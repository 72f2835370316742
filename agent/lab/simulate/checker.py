"""Checks a simulated gate from outside: its pins, what the broker got, and what was done to it.

It never looks into the controller. Pins are judged as they move, where the cause may be an event
that is published later; so an opening by grant waits for its event until the end.

    invariant                   an output
    opened_without_cause        is released by nothing: no grant, REX, fire, schedule or command
    opened_in_lockdown          is released while locked down, but for REX and fire
    moved_by_restart            is released while the agent is dead or starting
    energised_past_maximum      stays released for longer than it may
    egress_not_freed            is not released within a second of REX or fire, the agent alive
    opening_without_event       is released, and no event ever says so

``checker_events`` has those of the published events, ``checker_probes`` what is promised against
those who probe, ``checker_signs`` whether anybody was left without a sign.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from agent.lab.simulate.checker_events import Stream
from agent.lab.simulate.checker_probes import Promised, Promises, Report
from agent.lab.simulate.checker_signs import SignWatch
from agent.lab.simulate.truth import ClockMap, Hours, Person, Presences, RecentActs

_EGRESS_S = 1.0
_REX_S = 1.0
_TOLERANCE_S = 0.05
_RECORD_S = 0.15
"""An opening's event bears a time so near to it: the same moment, and the wait for its row."""
_SCHEDULE_S = 2.0
"""How long the hour may take to be noticed."""
_RELEASE_S = 0.5
_FAR = float("inf")


@dataclass(frozen=True, slots=True)
class WatchedOutput:
    """What is known of an output from its config alone."""

    max_s: float
    points: tuple[str, ...]
    free: Hours | None = None
    locked: Hours | None = None


@dataclass(slots=True)
class _Output:
    settings: WatchedOutput
    free: bool = False
    free_since_s: float = 0.0
    lasting_until_s: float = -_FAR
    rex_s: float = -_FAR
    released_s: float = -_FAR
    commanded: str | None = None
    commanded_s: float = -_FAR
    unsure: bool = False
    broken_until_s: float = -_FAR
    past_maximum: bool = False
    egress: list[float] = field(default_factory=list)
    openings: list["_Opening"] = field(default_factory=list)
    lasted: list[list[float]] = field(default_factory=list)


@dataclass(slots=True)
class _Opening:
    """The output was released; ``by`` what the world knows of why, None where only a grant may."""

    at_s: float
    by: str | None
    excused: bool
    inputs: list[dict[str, Any]]
    locked: bool = False


class Checker:
    """Is told everything in the order of time; ``finish`` gives what was violated."""

    def __init__(
        self,
        outputs: Mapping[str, WatchedOutput],
        zone: tzinfo,
        promised: Promised = Promised(),  # noqa: B008 - frozen
    ) -> None:
        self._outputs = {name: _Output(one) for name, one in outputs.items()}
        self._of_point = {point: name for name, one in outputs.items() for point in one.points}
        self._zone = zone
        self._clock = ClockMap()
        self._acts = RecentActs()
        self._report = Report(self._acts)
        self.presences = Presences()
        self.promises = Promises(self._report, self.presences, self._clock, promised)
        self.stream = Stream(
            self._report, self.presences, self._clock, zone, self.promises, self._was_free
        )
        self.signs = SignWatch(self._report, self.presences)
        self._alive_since_s: float | None = None
        self._starting = False
        self._fire = False
        self._fire_s = -_FAR
        self._journal_trouble: list[list[float]] = []
        self.openings = 0

    # --- what the world did -----------------------------------------------------------------

    def note(self, at_s: float, what: str, **more: object) -> None:
        """Something was done to the gate that no invariant asks about."""
        self._acts.note(at_s, what, **more)

    def clock_set(self, at_s: float, utc: Any, *, trusted: bool) -> None:
        """The kiosk's time of day from now on."""
        self._clock.set(at_s, utc, trusted=trusted)
        self._acts.note(at_s, "clock", utc=utc.isoformat(), trusted=trusted)

    def steps_in(self, at_s: float, point: str, person: Person, *, arrives: bool = False) -> None:
        """Somebody stands before an access point; ``arrives``: one of the day's arrivals."""
        self.presences.begin(point, person, at_s, arrives=arrives)
        self.signs.steps_in(at_s, point)
        self._acts.note(at_s, "stands", access_point=point, holder=person.holder)

    def shows_face(self, at_s: float, point: str) -> None:
        """A frame of whoever stands there went to be compared: nothing is in its way."""
        self.presences.shows_face(point, at_s)

    def leaves(self, at_s: float, point: str, *, free: bool = False) -> None:
        """They went, through it or away; ``free``: the way was."""
        self.signs.leaves(at_s, point)
        self.presences.end(point, at_s, free=free)

    def starts(self, at_s: float) -> None:
        """A process takes over; until ``runs`` no output may be released but by what lasts."""
        self._starting = True
        self.presences.restarted()
        self._acts.note(at_s, "starts")

    def runs(self, at_s: float) -> None:
        """It is up and reads its inputs."""
        self._starting = False
        self._alive_since_s = at_s
        self.promises.runs(at_s)
        self.signs.runs(at_s)
        if self._fire:
            for output in self._outputs.values():
                output.egress.append(at_s)

    def dies(self, at_s: float, how: str) -> None:
        """The process is gone, or hangs: nobody promises anything."""
        self._starting = False
        self._alive_since_s = None
        for output in self._outputs.values():
            output.egress.clear()
        if self._journal_trouble and self._journal_trouble[-1][1] == _FAR:
            # What the door did while its row could not be written is known to nobody any more.
            self.stream.unwritten.append((self._journal_trouble[-1][0], at_s))
        self.promises.dies(at_s)
        self.signs.dies(at_s)
        self.stream.agent_died(at_s)
        self._acts.note(at_s, how)

    def writes(self, at_s: float, *, well: bool) -> None:
        """Whether rows can be written down now."""
        if well and self._journal_trouble:
            self._journal_trouble[-1][1] = at_s
        elif not well:
            self._journal_trouble.append([at_s, _FAR])
        self._acts.note(at_s, "journal works" if well else "journal fails")

    def presses(self, at_s: float, output: str) -> None:
        """The exit button of this output."""
        one = self._outputs[output]
        one.rex_s = at_s
        if self._alive_since_s is not None:
            one.egress.append(at_s)
        self._acts.note(at_s, "rex", output=output)

    def fire(self, at_s: float, *, active: bool) -> None:
        """The fire alarm calls, or has ended."""
        self._fire, self._fire_s = active, at_s
        for one in self._outputs.values():
            one.egress.clear()
            if active and self._alive_since_s is not None:
                one.egress.append(at_s)
        self._acts.note(at_s, "fire" if active else "fire over")

    def commanded(self, at_s: float, output: str, command: str, *, surely: bool = True) -> None:
        """An operator's command reached the agent; not ``surely`` where it died over it."""
        one = self._outputs[output]
        self._acts.note(at_s, "command", output=output, command=command, surely=surely)
        if command == "release":
            one.released_s = at_s
            return
        if surely:
            self._lasting(one, at_s)
            modes = {"lockdown": "locked_down", "free-passage": "free_passage", "resume": None}
            one.commanded, one.commanded_s = modes[command], at_s
        one.unsure = not surely

    def forgets(self, at_s: float) -> None:
        """Modes may not have been written down before the process went."""
        for one in self._outputs.values():
            one.unsure = True
        self.stream.whereabouts_unsure(at_s)

    def breaks(self, at_s: float, output: str, *, until_s: float) -> None:
        """The pin of this output does not obey until then."""
        one = self._outputs[output]
        one.broken_until_s = max(one.broken_until_s, until_s + 1.0)
        self._acts.note(at_s, "pin fails", output=output, until=round(until_s, 3))

    # --- what the gate did ------------------------------------------------------------------

    def pin(self, at_s: float, output: str, *, free: bool) -> None:
        """The output was released or secured, as seen at its pin."""
        one = self._outputs[output]
        if free == one.free:
            return
        one.free = free
        self._acts.note(at_s, "released" if free else "secured", output=output)
        if not free:
            self._maximum(one, output, at_s)
            if self._fire and self._alive_since_s is not None:
                one.egress.append(at_s)
            return
        one.free_since_s, one.past_maximum = at_s, False
        one.egress.clear()
        self.openings += 1
        self._opened(one, output, at_s)

    def published(self, at_s: float, payload: Mapping[str, Any], text: str) -> None:
        """The broker got an event."""
        self.stream.take(at_s, payload, text)

    def look(self, at_s: float) -> None:
        """Time has passed."""
        for name, one in self._outputs.items():
            if one.free:
                self._remember_lasting(one, at_s)
                self._maximum(one, name, at_s)
            if one.egress and (one.free or at_s < one.broken_until_s):
                one.egress.clear()
            if one.egress and at_s > one.egress[0] + _EGRESS_S:
                self._report.violated(one.egress[0], "egress_not_freed", output=name)
                one.egress.clear()

    def finish(self, at_s: float) -> Sequence[Mapping[str, Any]]:
        """Everything was published that ever will be; all violations in the order of time."""
        self.look(at_s)
        causes = self.stream.finish(at_s)
        self.promises.finish(at_s)
        self.signs.finish()
        for name, one in self._outputs.items():
            self._explain(name, one, causes)
        return self._report.sorted()

    def _opened(self, one: _Output, name: str, at_s: float) -> None:
        lasting = self._lasts(one, at_s)
        way_out = at_s - one.rex_s <= _REX_S
        by = "lasting" if lasting else None
        if way_out and not lasting:
            by = "rex"
        elif not lasting and at_s - one.released_s <= _RELEASE_S:
            by = "command"
        inputs = list(self._acts.last)
        locked = self._surely_locked(one, at_s) and not (way_out or self._burns(at_s))
        if (self._alive_since_s is None or self._starting) and not lasting:
            self._report.violated(at_s, "moved_by_restart", inputs, output=name)
            return
        if locked:
            self._report.violated(at_s, "opened_in_lockdown", inputs, output=name)
        excused = one.unsure
        if not excused:
            self.promises.opened(at_s, name, by=by)
        one.openings.append(_Opening(at_s, by, excused, inputs, locked))

    def _lasts(self, one: _Output, at_s: float) -> bool:
        """Whether fire, a command or the hour lets everybody through now."""
        if self._burns(at_s):
            return True
        if one.commanded is not None and not one.unsure:
            return one.commanded == "free_passage"
        if one.unsure:
            return True
        return self._by_hour(one.settings.free, at_s) and not self._surely_locked(one, at_s)

    def _by_hour(self, hours: Hours | None, at_s: float, margin_s: float = -_SCHEDULE_S) -> bool:
        since_s = self._clock.true_since_s(at_s)
        if hours is None or since_s is None or (margin_s > 0 and at_s - since_s < margin_s):
            return False
        return hours.holds(self._clock.utc(at_s).astimezone(self._zone), margin_s)

    def _surely_locked(self, one: _Output, at_s: float) -> bool:
        if one.unsure:
            return False
        if one.commanded is not None:
            return one.commanded == "locked_down" and at_s - one.commanded_s > _TOLERANCE_S
        since_s = self._alive_since_s
        settled = since_s is not None and at_s - since_s > _SCHEDULE_S
        settled = settled and at_s - one.commanded_s > _SCHEDULE_S
        return settled and self._by_hour(one.settings.locked, at_s, _SCHEDULE_S)

    def _remember_lasting(self, one: _Output, at_s: float) -> None:
        if self._lasts(one, at_s):
            if one.lasted and at_s - one.lasted[-1][1] < _EGRESS_S:
                one.lasted[-1][1] = at_s
            else:
                one.lasted.append([at_s, at_s])

    def _was_free(self, point: str, at_s: float) -> bool:
        """Whether everybody was let through then: whether somebody did go, nobody counts."""
        lasted = self._outputs[self._of_point[point]].lasted
        return any(begin - _SCHEDULE_S <= at_s <= end + _SCHEDULE_S for begin, end in lasted)

    def _burns(self, at_s: float) -> bool:
        return self._fire or at_s - self._fire_s <= _TOLERANCE_S

    def _lasting(self, one: _Output, at_s: float) -> None:
        if self._lasts(one, at_s) or at_s < one.broken_until_s:
            one.lasting_until_s = at_s

    def _maximum(self, one: _Output, name: str, at_s: float) -> None:
        self._lasting(one, at_s)
        since_s = max(one.free_since_s, one.lasting_until_s)
        if at_s - since_s > one.settings.max_s + _TOLERANCE_S and not one.past_maximum:
            one.past_maximum = True
            self._report.violated(
                at_s, "energised_past_maximum", output=name, for_s=round(at_s - since_s, 3)
            )

    def _explain(self, name: str, one: _Output, causes: Mapping[str, list[float]]) -> None:
        """Every opening against the events that there are by now."""
        granted = sorted(
            moment for point in one.settings.points for moment in causes.get(f"granted:{point}", [])
        )
        told = sorted(causes.get(f"released:{name}", []))
        modes = sorted(causes.get(f"mode:{name}", []))
        for opening in one.openings:
            if opening.excused or any(
                begin <= opening.at_s <= end for begin, end in self.stream.unwritten
            ):
                continue
            if _near(granted, opening.at_s):
                continue
            if opening.by is None:
                self._report.violated(
                    opening.at_s, "opened_without_cause", opening.inputs, output=name
                )
                continue
            # What lasts was told once, when it began.
            is_told = _near(told, opening.at_s) or (
                opening.by == "lasting" and bisect_right(modes, opening.at_s + _RECORD_S) > 0
            )
            if not is_told:
                self._report.violated(
                    opening.at_s, "opening_without_event", opening.inputs, output=name
                )


def _near(moments: list[float], at_s: float) -> bool:
    i = bisect_left(moments, at_s - _RECORD_S)
    return i < len(moments) and moments[i] <= at_s + _RECORD_S

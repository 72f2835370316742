"""What a simulated kiosk published, held against what really was.

invariant                   the events
event_lost                  a sequence number was never published, or an event never stored
event_twice                 one id at two places, two events at one place, or two decisions
                            about one presentation, but where it was refused, stayed, and the
                            next attempt was due
event_out_of_order          a sequence number came for the first time after a later one, and it is
                            not the next of what waited while the broker was not there
granted_to_wrong_person     somebody was granted who did not stand there, or may not pass
passage_unaccounted         of a grant at a monitored door nobody says whether it was used
passed_back                 a pass let a second one in while its first passage was under way
leak                        a name or an ID number stands in a payload

``checker_chain`` has what the events prove of each other.
"""

import json
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from agent.lab.simulate.checker_chain import Chain
from agent.lab.simulate.checker_probes import Promises, Report
from agent.lab.simulate.truth import ELEVATED, ClockMap, Person, Presences

NAME_MARK = "NAME-"
"""Every name in a simulation begins so, that it is found wherever it should not be."""
_ID_NUMBER = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")
_GRACE_S = 0.6
_SETTLED_S = 12.0
"""A window is over by then, and what became of the grant is written down."""
_TRIED_S = 20.0
"""What somebody began with a pass has ended by then."""
_NEXT_S, _MOST_TRIES = 1.9, 6
"""The next attempt of whoever was refused and stays: no sooner, and no more of them."""
_PASSAGE_S = 4.5
"""Within the window of a passage."""


def load(text: str) -> dict[str, Any]:
    """A payload as JSON values."""
    body: dict[str, Any] = json.loads(text)
    return body


@dataclass(slots=True, eq=False)
class _Grant:
    at_s: float
    point: str
    holder: str | None
    inputs: list[dict[str, Any]]
    settled: bool = False


class Stream:
    """The published events in the order in which they came."""

    def __init__(
        self,
        report: Report,
        presences: Presences,
        clock: ClockMap,
        zone: tzinfo,
        promises: Promises,
        was_free: Callable[[str, float], bool],
    ) -> None:
        """``was_free`` says whether an access point was free for everybody at a moment."""
        self._was_free = was_free
        self._promises = promises
        self._report = report
        self._presences = presences
        self._clock = clock
        self._zone = zone
        self.monitored: frozenset[str] = frozenset()
        """Access points whose passages somebody can tell."""
        self.hard_area: Mapping[str, str] = {}
        """The area that anti-passback guards, by the access points that lead into it."""
        self.leaves: Mapping[str, str] = {}
        self.lies: list[list[float]] = []
        """From and until: the thermometer says what it said before, and nobody can know yet."""
        self.unwritten: list[tuple[float, float]] = []
        """From and until: rows could not be written, and then the agent died with them."""
        self.granted = 0
        self.denied = 0
        self.events = 0
        self.chain = Chain(report)
        self._seen: dict[tuple[str, int], str] = {}
        self._places: dict[str, tuple[str, int]] = {}
        self._last: dict[str, int] = {}
        self._backlog: dict[str, int] = {}
        self._waiting: dict[tuple[str, int], tuple[float, Mapping[str, Any]]] = {}
        self._next: dict[str, int] = {}
        self._away = False
        self._causes: dict[str, list[float]] = {}
        self._grants: dict[tuple[str, str | None], deque[_Grant]] = {}
        self._used: dict[str, list[float]] = {}
        self._uses_since_s = self._whereabouts_since_s = float("-inf")
        self._inside: dict[str, tuple[str, float]] = {}
        self._deaths: list[float] = []
        self._unsure: list[float] = []

    def agent_died(self, at_s: float) -> None:
        """What it had not finished nobody finishes."""
        self._deaths.append(at_s)
        self._away = True

    def broker_away(self) -> None:
        """What gathers meanwhile may come beside what happens later."""
        self._away = True

    def forgotten(self, at_s: float, *, uses: bool = False) -> None:
        """A person accepted that nobody knows where people are, or how often passes were used."""
        if uses:
            self._uses_since_s = at_s
        else:
            self._whereabouts_since_s = at_s

    def whereabouts_unsure(self, at_s: float) -> None:
        """Where people are may have been forgotten."""
        self._unsure.append(at_s)

    def take(self, at_s: float, body: Mapping[str, Any], text: str) -> None:
        """One message as the broker got it; ``text`` is its payload."""
        if NAME_MARK in text or _ID_NUMBER.search(text):
            self._report.violated(at_s, "leak", event=body["type"], id=body["id"])
        place = (str(body["epoch"]), int(body["sequence"]))
        if place in self._seen:
            if self._seen[place] != text:
                self._report.violated(at_s, "event_twice", sequence=place[1])
            return
        self._seen[place] = text
        if self._places.setdefault(body["id"], place) != place:
            self._report.violated(at_s, "event_twice", id=body["id"])
            return
        last = self._last.get(place[0], 0)
        if place[1] < last:
            if not self._away or place[1] < self._backlog.get(place[0], 0):
                self._report.violated(at_s, "event_out_of_order", sequence=place[1], after=last)
            self._backlog[place[0]] = place[1]
        self._last[place[0]] = max(last, place[1])
        self.events += 1
        self.chain.take(at_s, place, body)
        # As a reader has to: what waited may come beside what happened later.
        self._waiting[place] = (at_s, body)
        while (following := (place[0], self._next.get(place[0], 1))) in self._waiting:
            self._weigh(*self._waiting.pop(following))
            self._next[place[0]] = following[1] + 1

    def finish(self, at_s: float) -> Mapping[str, list[float]]:
        """When each output had a cause, by event; what was never published is found."""
        self.chain.finish(at_s)
        for place in sorted(self._waiting):
            self._weigh(*self._waiting[place])
        for epoch, last in self._last.items():
            for sequence in range(1, last + 1):
                if (epoch, sequence) not in self._seen:
                    self._report.violated(at_s, "event_lost", sequence=sequence)
        for grants in self._grants.values():
            for grant in grants:
                if self._must_be_settled(grant, at_s):
                    self._report.violated(
                        grant.at_s,
                        "passage_unaccounted",
                        grant.inputs,
                        access_point=grant.point,
                        holder=grant.holder,
                    )
        return self._causes

    def _weigh(self, at_s: float, body: Mapping[str, Any]) -> None:
        data, kind = body["data"], str(body["type"]).removeprefix("gate.")
        point = str(data.get("access_point") or "")
        utc = datetime.fromisoformat(body["time"])
        synced = bool(data["clock_synced"])
        moments = list(self._clock.moments(utc, trusted=synced, until_s=at_s))
        match kind:
            case "access.granted":
                self.granted += 1
                self._causes.setdefault(f"granted:{point}", []).extend(moments)
                self._granted(at_s, point, data, utc, moments)
            case "access.denied":
                self.denied += 1
                self._judged(at_s, point, moments, granted=False)
            case "access.taken" | "access.not_taken":
                self._passage(point, data, moments, taken=kind == "access.taken")
            case "access.unjudged" | "access.probing":
                self._promises.told(point, kind, data, moments)
            case "passback.forgiven":
                self._forgiven(data.get("holder"))
            case "door.released":
                self._causes.setdefault(f"released:{data['door']}", []).extend(moments)
            case "door.mode_changed":
                self._causes.setdefault(f"mode:{data['door']}", []).extend(moments)

    def _judged(self, at_s: float, point: str, moments: Sequence[float], *, granted: bool) -> None:
        for moment in moments:
            presence = self._presences.find(point, moment, _GRACE_S)
            if presence is None:
                continue
            presence.events += 1
            due = moment - presence.judged_s >= _NEXT_S and moment < presence.let_in_s
            presence.judged_s = moment
            if granted:
                presence.let_in_s = min(presence.let_in_s, moment)
            # Whose pass was refused may still be known by their face.
            most = 1 if presence.person.uses is None else 2
            again = presence.restarted or self._presences.tried(point, moment - _TRIED_S, moment)
            stays = due and presence.events <= _MOST_TRIES
            if presence.events > most and not (again or stays):
                self._report.violated(
                    at_s, "event_twice", access_point=point, holder=presence.person.holder
                )
            return

    def _granted(
        self,
        at_s: float,
        point: str,
        data: Mapping[str, Any],
        utc: datetime,
        moments: Sequence[float],
    ) -> None:
        holder, synced = data.get("holder"), bool(data["clock_synced"])
        why: str | None = "nobody stood there"
        if not moments and (there := self._presences.find(point, at_s, _GRACE_S)) is not None:
            # By a clock that somebody set: it is told by the name of what that opened.
            self._promises.granted(at_s, point, there, holder)
        when_s = at_s
        for moment in moments:
            presence = self._presences.find(point, moment, _GRACE_S)
            if presence is None:
                continue
            when_s, person = moment, presence.person
            self._promises.granted(when_s, point, presence, holder)
            if not self._promises.lucky(person, holder):
                against = person.may_pass(point, utc, self._zone, synced=synced)
                why = self._wrongly(person, holder, moment, against)
            else:
                why = None
            if why is None:
                break
        if why is None and self._is_inside(point, holder, when_s):
            why = "inside already"
        self._judged(at_s, point, moments, granted=True)
        if why is not None:
            self._report.violated(
                when_s, "granted_to_wrong_person", access_point=point, holder=holder, why=why
            )
        if point in self.hard_area and holder is not None:
            self._handed_back(point, holder, when_s)
        if point in self.monitored:
            grant = _Grant(when_s, point, holder, list(self._report.acts.last))
            self._grants.setdefault((point, holder), deque()).append(grant)

    def _wrongly(
        self, person: Person, holder: str | None, at_s: float, against: str | None
    ) -> str | None:
        """Why this grant was wrong, beside what is ``against`` the person; it counts as a use."""
        if against == ELEVATED and any(begin <= at_s <= end for begin, end in self.lies):
            against = None
        if against is None and person.holder != holder:
            return "somebody else stood there"
        if against is None and person.uses is not None and holder is not None:
            used = self._used.setdefault(holder, [])
            used.append(at_s)
            times = sum(one > self._uses_since_s for one in used)
            return "the pass was used up" if times > person.uses else None
        return against

    def _handed_back(self, point: str, holder: str, at_s: float) -> None:
        """Whether the holder was let in a moment ago, and nobody says yet what became of it."""
        under_way = [
            one
            for one in self._grants.get((point, holder), ())
            if at_s - _PASSAGE_S < one.at_s < at_s
        ]
        since_s = min((one.at_s for one in under_way), default=at_s)
        if any(since_s - 0.1 <= death <= at_s for death in self._deaths):
            return
        if under_way and not self._was_free(point, since_s):
            self._report.violated(at_s, "passed_back", access_point=point, holder=holder)

    def _passage(
        self, point: str, data: Mapping[str, Any], moments: Sequence[float], *, taken: bool
    ) -> None:
        holder = data.get("holder")
        at_s = max(moments, default=0.0)
        before = [one for one in self._grants.get((point, holder), ()) if one.at_s <= at_s + 0.01]
        if before:
            # An older one belongs to an agent that died before it could say.
            self._grants[point, holder].remove(before[-1])
        if not taken or holder is None:
            return
        if point in self.hard_area:
            self._inside[holder] = (self.hard_area[point], at_s)
        elif self.leaves.get(point) == self._inside.get(holder, ("", 0.0))[0]:
            self._inside.pop(holder, None)

    def _forgiven(self, holder: str | None) -> None:
        if holder is None:
            self._inside.clear()
        else:
            self._inside.pop(holder, None)

    def _is_inside(self, point: str, holder: str | None, at_s: float) -> bool:
        """Whether they are in the area already, as far as that is sure."""
        area, since_s = self._inside.get(holder or "", ("", 0.0))
        if area != self.hard_area.get(point, "-") or since_s <= self._whereabouts_since_s:
            return False
        if any(
            since_s <= end and self._presences.stood(exit_, holder, begin, end)
            for begin, end in self.unwritten
            for exit_ in self.leaves
        ):
            return False  # they may have left, and the word of it was lost
        # A death right after the passage may have come before it was written down; and one after a
        # grant to leave may have taken the word that it was used, and not the fact.
        left = [one for exit_ in self.leaves for one in self._grants.get((exit_, holder), ())]
        died = any(since_s <= death <= since_s + 1.0 for death in self._deaths) or any(
            one.at_s > since_s and not self._must_be_settled(one, at_s) for one in left
        )
        return not died and not any(
            moment - 60.0 <= since_s <= moment + 1.0 for moment in self._unsure if moment <= at_s
        )

    def _must_be_settled(self, grant: _Grant, until_s: float) -> bool:
        """Whether an agent lived long enough after it to say what became of it."""
        end_s = grant.at_s + _SETTLED_S
        if self._was_free(grant.point, grant.at_s):
            return False
        if any(begin <= end_s and grant.at_s <= end for begin, end in self.unwritten):
            return False
        return end_s < until_s and not any(
            grant.at_s - 0.1 <= death <= end_s for death in self._deaths
        )

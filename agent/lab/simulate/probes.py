"""Who tries a simulated gate: strangers at its face, passes in wrong hands, codes, clocks, files.

    kind           what they do
    slides         a crowd that stands there for 0.2 to 0.6 s each, one behind the other
    stays          a stranger waits for the answer
    flicks         a stranger shows somebody's pass, hides it, shows it again, and elsewhere
    clones         one pass on two phones, at two access points
    hands_back     a pass goes back over the turnstile before anybody has gone through
    removed        somebody shows their pass after they were removed
    row_damaged    somebody whose row cannot be read, and a pass that was revoked meanwhile
    codes          sixteen codes on the wall, or a film of them, and then passes
    ill_timed      passes of yesterday and tomorrow, while somebody sets the clock
    state_taken    a file of the state is gone at a restart, or an older one lies there

A stranger's best score is drawn from the pack's impostor curve: the best of R references reaches a
score of FMR f with a chance of 1 - (1 - f)^R, so now and then one of them fits, as was promised.
"""

import itertools
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from agent.domain.access.tombstone import Removed, tombstone_hash
from agent.domain.credential.gate_pass import GatePass, PassId
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.sight.operating_point import threshold_at
from agent.domain.sight.track import Candidate
from agent.lab.simulate import layout
from agent.lab.simulate.faults import Faults
from agent.lab.simulate.people import People
from agent.lab.simulate.probe_passes import SHEETS, Passes
from agent.lab.simulate.state_probes import ProbedGate, StateProbes
from agent.lab.simulate.truth import Person
from agent.lab.simulate.visits import Guest

_SHARES = {
    "slides": 0.02,
    "stays": 0.24,
    "flicks": 0.2,
    "clones": 0.08,
    "hands_back": 0.14,
    "removed": 0.12,
    "row_damaged": 0.06,
    "codes": 0.1,
    "state_taken": 0.04,
}
"""Of the scenes; a scene of ``slides`` is a crowd."""
_CROWD = (40, 160)
_PEOPLE_A_SCENE = 5.0
_RESIDENT_S, _PASS_S = 3.2, 1.5
_FACE_POINTS, _PASS_POINTS = ("lane-exit", "door"), ("door", "lane-exit")
_TOMBSTONE_KEY = bytes(range(32))
_CLEAR = -0.3


class Probes:
    """Plans and counts them."""

    def __init__(
        self,
        gate: ProbedGate,
        people: People,
        faults: Faults,
        population: layout.Population,
        chance: random.Random,
    ) -> None:
        self._gate, self._people, self._faults, self._chance = gate, people, faults, chance
        self._whole, self._of = population.registry, population.people
        self._passes = Passes(lambda: gate.instant, chance)
        self._numbers = itertools.count(1000)
        self._known = iter(population.people.get("guest", ()))
        self._residents = [str(one.holder) for one in population.people["resident"]]
        self._carers = {
            str(one.holder): self._passes.made(str(one.holder))
            for one in population.people.get("carer", ())
        }
        self._removed: dict[str, datetime | None] = {}
        self._gone: set[HolderId] = set()
        self._damaged: set[HolderId] = set()
        self._revoked: set[PassId] = set()
        self._planned = False
        self._state = StateProbes(gate, faults, chance)
        self.by_kind: Counter[str] = Counter()
        self._scenes: dict[str, Callable[[], int]] = {
            "slides": self._slide,
            "stays": self._stay,
            "flicks": self._flick,
            "clones": self._clone,
            "hands_back": self._hand_back,
            "removed": self._remove,
            "row_damaged": self._damage,
            "codes": self._hang_codes,
            "state_taken": self._take_state,
        }

    def plan(self, count: int, seconds: float) -> None:
        """So many people who probe, half of them in crowds; each kind before any comes twice."""
        self._planned = count > 0
        crowds = max(round(count / 2 / sum(_CROWD) * 2), 1) if count else 0
        scenes = ["slides"] * crowds
        others = [kind for kind in _SHARES if kind != "slides"]
        wanted = max(round(count / 2 / _PEOPLE_A_SCENE), len(others)) if count else 0
        weights = [_SHARES[kind] for kind in others]
        scenes += others[:wanted]
        scenes += self._chance.choices(others, weights, k=max(wanted - len(others), 0))
        for kind in scenes:
            at_s = self._chance.uniform(0.02, 0.8) * seconds
            self._gate.later(at_s, partial(self._begin, kind))

    def clock_attacked(self, offset_s: float) -> None:
        """Somebody sets the clock: back to when a right still held, or on to when one will."""
        if not self._planned:
            return
        now = layout.BEGIN + timedelta(seconds=self._gate.now_s)
        for point in _PASS_POINTS:
            name = self._stranger_with_pass()
            if offset_s < 0:
                ended = now - timedelta(hours=1)
                issued = layout.BEGIN - timedelta(days=200)  # before any time that is said
                one = self._passes.made(name, issued_at=issued, valid_until=ended)
                person = replace(self._guest(one), valid_until=ended)
            else:
                begins = now + timedelta(days=1)
                one = self._passes.made(name, valid_from=begins)
                person = replace(self._guest(one), valid_from=begins)
            guest = Guest(person, 3.0, shows=self._passes.held_up(one))
            self._gate.later(self._chance.uniform(1, 15), partial(self._people.come, point, guest))
            self.by_kind["ill_timed"] += 1

    def _begin(self, kind: str) -> None:
        if not self._faults.over:
            self.by_kind[kind] += self._scenes[kind]()

    # --- faces ------------------------------------------------------------------------------

    def _slide(self) -> int:
        point, count = self._chance.choice(layout.POINTS), self._chance.randint(*_CROWD)
        crowd = [
            Guest(person, self._chance.uniform(0.2, 0.6), face, hurries=True)
            for person, face in (self._stranger() for _ in range(count))
        ]
        self._people.come(point, *crowd, *self._resident(point))
        return count

    def _stay(self) -> int:
        point = self._chance.choice(layout.POINTS)
        person, face = self._stranger()
        self._people.come(point, Guest(person, 5.0, face), *self._resident(point))
        return 1

    def _stranger(self) -> tuple[Person, Candidate | None]:
        """A stranger, and whom a search finds for them: the best of all references."""
        luck = self._chance.random()
        fmr = -math.expm1(math.log1p(-luck) / max(self._whole.references, 1))
        like = self._chance.choice(self._residents)
        score = self._chance.uniform(-1.0, -0.6)
        if fmr <= layout.CURVE.points[0].fmr:
            score = threshold_at(layout.CURVE, fmr)
        return Person(None, resembles=like, luck=luck), Candidate(HolderId(like), score)

    def _resident(self, point: str) -> list[Guest]:
        """Somebody with a clear face and every right, right behind them."""
        if point not in _FACE_POINTS:
            return []
        one = self._chance.choice(self._of["witness"])
        person = replace(one, within_s=_RESIDENT_S, promise="resident_kept_out_by_probing")
        return [Guest(person, 4.0, Candidate(HolderId(str(one.holder)), _CLEAR), waits=True)]

    # --- passes in wrong hands --------------------------------------------------------------

    def _flick(self) -> int:
        """Strangers with a carer's pass at two access points; the carer's own face comes behind."""
        name, one = self._chance.choice([*self._carers.items()])
        here, there = self._chance.sample(_PASS_POINTS, 2)
        wrong = Person(None, credential=one.id, probes=True)

        def stranger() -> Guest:
            shows = self._passes.flicked(one, 0.7, 0.3)
            return Guest(wrong, self._chance.uniform(2.0, 4.0), shows=shows, waits=True)

        person = Person(name, layout.rights("carer"), credential=one.id, probes=True)
        face = Candidate(HolderId(name), _CLEAR)
        shows = self._passes.held_up(one)
        holder = Guest(person, 5.0, face, like=_CLEAR, shows=shows, waits=True)
        self._people.come(here, stranger(), holder)
        self._people.come(there, stranger(), *([holder] if self._chance.random() < 0.3 else []))
        return 2

    def _clone(self) -> int:
        """One pass of one use on two phones at once, and a carer's with two strangers."""
        one = self._passes.made(self._stranger_with_pass(), uses=1)
        name, both = self._chance.choice([*self._carers.items()])
        del name
        for point in _PASS_POINTS:
            guest = Guest(self._guest(one), 4.0, shows=self._passes.held_up(one))
            wrong = Person(None, credential=both.id, probes=True)
            shows = self._passes.held_up(both)
            self._people.come(point, guest, Guest(wrong, 3.0, shows=shows, waits=True))
        return 4

    def _hand_back(self) -> int:
        """The first does not go in, and hands the pass back to the second."""
        one = self._passes.made(self._stranger_with_pass())
        person, shows = self._guest(one), self._passes.held_up(one)
        first = Guest(person, 4.0, shows=shows, way="turns away", hurries=True)
        again = self._passes.held_up(one)
        second = Guest(person, 4.5, shows=again, way="lingers", waits=True)
        self._people.come("lane-entry", first, second)
        return 2

    # --- the registry -----------------------------------------------------------------------

    def _remove(self) -> int:
        """They show the pass of before; some are enrolled again, and only the new one opens."""
        known = next(self._known, None)
        if known is None:
            return 0
        name = HolderId(str(known.holder))
        old = self._passes.made(name)
        now = layout.BEGIN + timedelta(seconds=self._gate.now_s)
        self._removed[tombstone_hash(_TOMBSTONE_KEY, name)] = now
        self._gone.add(name)
        self._enrol()
        self._gate.checker.promises.forbids(self._gate.now_s, old.id, "removed_revived")
        for delay_s in (1.0, 40.0, 200.0):
            self._shown_later(delay_s, old, ())
        if self._chance.random() < 0.5:
            self._gate.later(90.0, partial(self._enrolled_again, name))
        return 3

    def _enrolled_again(self, name: HolderId) -> None:
        self._gone.discard(name)
        self._enrol()
        issued = layout.BEGIN + timedelta(seconds=self._gate.now_s + 1.0)
        self._shown_later(5.0, self._passes.made(name, issued_at=issued), None)

    def _damage(self) -> int:
        """A row cannot be read; a revocation in the same change takes effect all the same."""
        known, other = next(self._known, None), next(self._known, None)
        if known is None or other is None:
            return 0
        name, now_s = HolderId(str(known.holder)), self._gate.now_s
        unreadable, revoked = self._passes.made(name), self._passes.made(str(other.holder))
        self._damaged.add(name)
        self._revoked.add(revoked.id)
        self._enrol()
        for subject in (name, revoked.id):
            self._gate.checker.promises.forbids(now_s, subject, "row_revives")
        for delay_s in (1.0, 30.0):
            self._shown_later(delay_s, unreadable, ())
            self._shown_later(delay_s, revoked, ())
        return 4

    def _enrol(self) -> None:
        """The registry as a snapshot gives it: tombstones, and stand-ins for damaged rows."""
        before = self._gate.world.registry
        holders = {one: it for one, it in self._whole.holders.items() if one not in self._gone}
        holders |= {one: Holder(one, "", "", enabled=False) for one in self._damaged}
        changed = replace(
            self._whole,
            revision=before.revision + 1,
            holders=holders,
            revoked=frozenset(self._revoked),
            removed=Removed(dict(self._removed), _TOMBSTONE_KEY),
            unreadable=len(self._damaged),
        )
        self._gate.enrol(changed)

    def _shown_later(self, delay_s: float, one: GatePass, rights: tuple[()] | None) -> None:
        """At both access points; without ``rights`` it may open nothing."""
        person = self._guest(one) if rights is None else replace(self._guest(one), rights=rights)
        for point in _PASS_POINTS:
            guest = Guest(person, 2.5, shows=self._passes.held_up(one))
            self._gate.later(delay_s, partial(self._people.come, point, guest))

    # --- codes ------------------------------------------------------------------------------

    def _hang_codes(self) -> int:
        """A stranger's sheet; then three with genuine passes, each of whom is let in at once."""
        point, kind = self._chance.choice(_PASS_POINTS), self._chance.choice(SHEETS)
        sheet = self._passes.sheet(kind, film=self._chance.random() < 0.5)
        stranger = Guest(Person(None, probes=True), 3.0, shows=sheet.shows(), waits=True)
        guests = [stranger]
        for _ in range(3):
            one = self._passes.made(self._stranger_with_pass())
            person = replace(self._guest(one), within_s=_PASS_S, promise="codes_delay_a_pass")
            shows = sheet.shows(self._passes.signed(one))
            guests.append(Guest(person, 2.5, shows=shows, waits=True))
        self._people.come(point, *guests)
        return 1

    def _take_state(self) -> int:
        """Between one visit and the next of somebody whose pass opens once, a file goes."""
        used = self._passes.made(self._stranger_with_pass(), uses=1)
        if not self._state.begin():
            self._gate.later(20.0, partial(self._begin, "state_taken"))
            return 0
        for delay_s in (1.0, 45.0):
            self._shown_later(delay_s, used, None)
        return 1

    # --- who they are -----------------------------------------------------------------------

    def _stranger_with_pass(self) -> str:
        """Somebody whom the registry does not know: the pass says who they are."""
        return f"guest.{next(self._numbers)}"

    def _guest(self, one: GatePass) -> Person:
        rights = layout.rights("guest")
        return Person(one.holder, rights, uses=one.uses, credential=one.id, probes=True)

"""The people of a simulated day: they come one after the other, and not all do as they should.

Vision is what it posts: ten frames a second, each with the candidate that a search would find. Who
sees the way free goes through it, some hold it open, take somebody along, or turn away after all.
Some come so that nothing can be compared at first, or ever: too far away, masked, in the dark, with
a code that shakes. Some who are refused stay and wait for the next attempt.
"""

import random
from collections import deque
from dataclasses import replace
from datetime import timedelta
from functools import partial

from agent.adapters.thermometer.simulated_mlx90614 import SimulatedMlx90614
from agent.controller.inputs import CodeUnread, CredentialShown, Observed
from agent.domain.credential.gate_pass import GatePass, PassId
from agent.domain.credential.holder import HolderId
from agent.domain.credential.presented import PassPresented
from agent.domain.sight.hindrance import Hindrance
from agent.domain.sight.track import (
    Box,
    Candidate,
    ClaimScore,
    FaceSample,
    FaceTrack,
    Observation,
)
from agent.lab.simulate import layout
from agent.lab.simulate.truth import Person
from agent.lab.simulate.visits import Guest, Street, Visit

_FRAME_S = 0.1
_SAMPLES = 12
_GAP_S = 0.4
_HURRY_S = 0.1
_BOX = Box(200, 120, 160, 160)
_SHARE = {"door": 0.35, "lane-entry": 0.27, "lane-exit": 0.26, "yard": 0.12}
_WAYS = {"goes": 0.86, "turns away": 0.05, "holds": 0.04, "takes along": 0.05}
_CATEGORIES = ("resident", "staff", "courier", "former")
_BY_HOUR = (1, 1, 1, 1, 1, 2, 6, 16, 18, 8, 5, 5, 6, 6, 5, 5, 8, 16, 17, 10, 6, 4, 3, 2)
"""How busy each hour of the day is."""


class People:
    """Who comes, stands there and goes."""

    def __init__(
        self,
        street: Street,
        population: layout.Population,
        skin: SimulatedMlx90614,
        chance: random.Random,
        hints: random.Random,
    ) -> None:
        """``hints`` draws who comes how, so that it changes nothing of who comes when."""
        self._street, self._population, self._skin = street, population, skin
        self._chance, self._hints = chance, hints
        self._holders = [HolderId(str(p.holder)) for p in population.people["resident"]]
        self._queues: dict[str, deque[Guest | None]] = {point: deque() for point in layout.POINTS}
        self._visits: dict[str, Visit | None] = dict.fromkeys(layout.POINTS)
        self._inside: dict[str, Person] = {}
        self._door_closes_s = 0.0
        self._door_open = False
        self._turns_s = dict.fromkeys(layout.POINTS, 0.0)
        self._pressed_s: dict[str, float] = {}
        self._tracks = self._visitors = 0
        self.dead_cameras: set[str] = set()
        self.arrived = 0
        self.by_hour = [0] * 24

    def plan(self, count: int, seconds: float) -> None:
        """``count`` arrivals over the day, by its rhythm."""
        begin_h = layout.BEGIN.astimezone(layout.ZONE).hour
        minutes = range(max(int(seconds // 60), 1))
        weights = [_BY_HOUR[(begin_h + minute // 60) % 24] for minute in minutes]
        for minute in self._chance.choices(minutes, weights, k=count):
            point = self._chance.choices([*_SHARE], [*_SHARE.values()])[0]
            at_s = min(minute * 60 + self._chance.random() * 60, seconds)
            self._street.later(at_s, partial(self._come, point))
        for _ in range(max(count // 3, 1)):
            at_s = self._chance.random() * seconds
            press = self._leave_by_button if self._chance.random() < 0.8 else self._exit_button
            self._street.later(at_s, press)
        for _ in range(max(count // 150, 1)):
            self._street.later(self._chance.random() * seconds, self._force)

    def settled(self, camera: str, track: int) -> None:
        """The kiosk has answered; who is not let through goes soon."""
        visit = self._visits.get(camera)
        if visit is not None and visit.track == track and not (visit.guest and visit.guest.waits):
            visit.patience_s = min(visit.patience_s, self._street.now_s + visit.stays_s)

    def come(self, point: str, *guests: Guest) -> None:
        """They go to this access point, one behind the other and before all who wait there."""
        self._queues[point].extendleft(reversed(guests))
        if self._visits[point] is None:
            self._next(point)

    # --- at the camera ----------------------------------------------------------------------

    def _come(self, point: str) -> None:
        self._queues[point].append(None)
        if self._visits[point] is None:
            self._next(point)

    def _next(self, point: str) -> None:
        if not self._queues[point] or self._visits[point] is not None:
            return
        guest = self._queues[point].popleft()
        self._tracks += 1
        if guest is not None:
            until_s = self._street.now_s + guest.stays_s
            self._stand(Visit(guest.person, point, self._tracks, until_s, 0.0, guest.way, guest))
            return
        now_s, chance = self._street.now_s, self._chance
        person = self._who(point)
        known = person.holder is not None and chance.random() > 0.03
        visit = Visit(
            person,
            point,
            self._tracks,
            now_s + chance.uniform(4.0, 7.0),
            chance.uniform(-0.4, -0.25) if known else chance.uniform(-0.95, -0.6),
            chance.choices([*_WAYS], [*_WAYS.values()])[0],
        )
        self._hinder(visit)
        self.arrived += 1
        hour = (layout.BEGIN.astimezone(layout.ZONE) + timedelta(seconds=now_s)).hour
        self.by_hour[hour] += 1
        self._stand(visit)

    def _hinder(self, visit: Visit) -> None:
        """One in eight comes so that nothing can be compared at first; one in twelve stays on."""
        dice, hints = self._hints.random(), self._hints
        if dice < 0.12:
            visit.hindrance = hints.choice(tuple(Hindrance))
            for_s = hints.uniform(1.0, 9.0)
            visit.clear_s = self._street.now_s + for_s
            visit.patience_s += for_s if hints.random() < 0.7 else 0.0
        elif dice < 0.2:
            visit.stays_s = hints.uniform(6.0, 30.0)
            visit.patience_s += visit.stays_s

    def _stand(self, visit: Visit) -> None:
        visit.began_s = now_s = self._street.now_s
        point, person = visit.point, visit.person
        self._visits[point] = visit
        self._street.checker.steps_in(now_s, point, person, arrives=visit.guest is None)
        if point == "door":
            self._skin.object_c = person.temperature_c
        self._frame(visit)

    def _who(self, point: str) -> Person:
        chance, people = self._chance, self._population.people
        dice = chance.random()
        if dice < 0.06:
            return Person(None)
        if dice < 0.14 and point in ("door", "yard"):
            if dice < 0.09 and self._visitors:
                return layout.visitor(chance.randint(max(self._visitors - 3, 1), self._visitors), 1)
            self._visitors += 1
            return layout.visitor(self._visitors, 1)
        if point == "lane-exit" and self._inside and dice < 0.9:
            return self._inside[chance.choice([*self._inside])]
        if point == "lane-entry" and self._inside and dice < 0.12:
            return self._inside[chance.choice([*self._inside])]
        category = chance.choices(_CATEGORIES, [0.66, 0.16, 0.1, 0.08])[0]
        person = chance.choice(people[category] or people["resident"])
        if point == "door" and chance.random() < 0.05:
            return replace(person, temperature_c=chance.uniform(38.2, 39.5))
        return person

    def _frame(self, visit: Visit) -> None:
        if visit.over:
            return
        now_s = self._street.now_s
        if visit.point not in self.dead_cameras:
            shows = self._show if now_s >= visit.clear_s else self._show_hindered
            shows(visit, now_s)
        free = self._street.is_free(layout.OUTPUT[visit.point]) and visit.way != "lingers"
        if free and now_s > visit.began_s:
            if visit.way != "turns away":
                delay_s = self._chance.uniform(0.3, 1.0)
                self._street.later(delay_s, lambda: self._go(visit))
            self._street.later(0.2, lambda: self._leave(visit, free=True))
        elif now_s >= visit.patience_s:
            self._leave(visit)
        else:
            self._street.later(_FRAME_S, lambda: self._frame(visit))

    def _show(self, visit: Visit, now_s: float) -> None:
        person, guest = visit.person, visit.guest
        self._street.checker.shows_face(now_s, visit.point)
        best = None
        if guest is not None:
            best = guest.face
        elif person.holder is None or person.uses is not None:
            if visit.track % 2:
                best = Candidate(self._chance.choice(self._holders), self._low())
        else:
            best = Candidate(HolderId(person.holder), visit.score + self._chance.gauss(0, 0.01))
        other = Candidate(self._chance.choice(self._holders), self._low() - 0.1)
        runner_up = None if best is not None and other.holder == best.holder else other
        content = b"%d %d" % (visit.track, round(now_s * 1000))
        claim = self._compared(guest, visit, now_s) if guest is not None else None
        sample = FaceSample(now_s, content, best, runner_up, claim=claim)
        visit.samples = (*visit.samples, sample)[-_SAMPLES:]
        track = FaceTrack(visit.track, _BOX, visit.began_s, now_s, visit.samples)
        revision = self._street.revision
        self._street.post(Observed(Observation(visit.point, now_s, track, {}, revision)))
        if guest is not None:
            for shown in guest.shows(now_s - visit.began_s):
                visit.shown.add(shown.id)
                self._street.post(CredentialShown(visit.point, shown))
        elif person.uses is not None:
            shown = PassPresented(visit.track, visit.began_s, _pass(person))
            self._street.post(CredentialShown(visit.point, shown))
        if visit.point == "door" and any(right.limit_c for right in person.rights):
            self._street.measure()

    def _show_hindered(self, visit: Visit, now_s: float) -> None:
        hindrance, track = visit.hindrance, None
        if hindrance is Hindrance.CODE_UNREAD:
            self._street.post(CodeUnread(visit.point))
            hindrance = None
        elif hindrance is not Hindrance.TOO_FAR:
            track = FaceTrack(visit.track, _BOX, visit.began_s, now_s)
        revision = self._street.revision
        seen = Observation(visit.point, now_s, track, {}, revision, hindrance)
        self._street.post(Observed(seen))

    def _compared(self, guest: Guest, visit: Visit, now_s: float) -> ClaimScore | None:
        """The face 1:1 with the holder of what lies there, where the kiosk asks for that."""
        claim = self._street.claimed(visit.point)
        if claim is None:
            return None
        if claim in visit.shown:
            # Else somebody else's credential waits there still for a face.
            self._street.checker.promises.compared(now_s, visit.point)
        return ClaimScore(claim, guest.like)

    def _leave(self, visit: Visit, *, free: bool = False) -> None:
        if visit.over:
            return
        visit.over = True
        point, now_s = visit.point, self._street.now_s
        self._street.checker.leaves(now_s, point, free=free)
        self._visits[point] = None
        if point not in self.dead_cameras:
            nobody = Observation(point, now_s, None, {}, self._street.revision)
            self._street.post(Observed(nobody))
        if point == "door":
            self._skin.object_c = 24.0
        gap_s = self._chance.uniform(_GAP_S, 1.5)
        if visit.guest is not None and visit.guest.hurries:
            gap_s = _HURRY_S
        self._street.later(gap_s, lambda: self._next(point))

    def _low(self) -> float:
        return self._chance.uniform(-1.0, -0.7)

    # --- through the door -------------------------------------------------------------------

    def _go(self, visit: Visit) -> None:
        if not self._street.is_free(layout.OUTPUT[visit.point]):
            return  # too slow
        if visit.point == "door":
            long = visit.way == "holds"
            self.open_door(self._chance.uniform(18, 40) if long else self._chance.uniform(1, 3))
        elif visit.point != "yard":
            self._turn(visit.point, visit.person)
            if visit.way == "takes along":
                self._street.later(0.9, lambda: self._turn(visit.point, None))

    def open_door(self, for_s: float) -> None:
        """Somebody opens it, or keeps it open for longer."""
        self._door_closes_s = max(self._door_closes_s, self._street.now_s + for_s)
        if not self._door_open:
            self._door_open = True
            self._street.put("door-contact", active=True)
        self._street.later(for_s + 0.001, self._close_door)

    def _close_door(self) -> None:
        if self._door_open and self._street.now_s >= self._door_closes_s:
            self._door_open = False
            self._street.put("door-contact", active=False)

    def _turn(self, point: str, person: Person | None) -> None:
        """One rotation of the turnstile; two never overlap."""
        now_s = self._street.now_s
        if now_s < self._turns_s[point]:
            delay_s = self._turns_s[point] - now_s
            self._street.later(delay_s, lambda: self._turn(point, person))
            return
        lasts_s = self._chance.uniform(0.2, 0.5)
        self._turns_s[point] = now_s + lasts_s + 0.3
        line = "entry-passage" if point == "lane-entry" else "exit-passage"
        self._street.put(line, active=True)
        self._street.later(lasts_s, lambda: self._street.put(line, active=False))
        if person is not None and person.holder is not None:
            if point == "lane-entry":
                self._inside[person.holder] = person
            else:
                self._inside.pop(person.holder, None)

    def _leave_by_button(self) -> None:
        self._press("door-rex", "door")
        self._street.later(0.6, self._walk_out)

    def _walk_out(self) -> None:
        if self._street.is_free("door") and self._chance.random() < 0.9:
            self.open_door(self._chance.uniform(1, 3))

    def _exit_button(self) -> None:
        self._press("exit-rex", "lane.exit")
        if self._chance.random() < 0.7:
            self._street.later(1.0, self._push_out)

    def _push_out(self) -> None:
        if self._street.is_free("lane.exit"):
            self._turn("lane-exit", None)

    def _press(self, line: str, output: str) -> None:
        now_s = self._street.now_s
        if now_s < self._pressed_s.get(line, 0.0):
            return  # somebody else has a finger on it
        lasts_s = self._chance.uniform(0.41, 1.2)
        self._pressed_s[line] = now_s + lasts_s + 0.3
        self._street.checker.presses(now_s, output)
        self._street.put(line, active=True)
        self._street.later(lasts_s, lambda: self._street.put(line, active=False))

    def _force(self) -> None:
        if not self._door_open:
            self._street.checker.note(self._street.now_s, "forces the door")
            self.open_door(self._chance.uniform(2, 25))


def _pass(person: Person) -> GatePass:
    number = int(str(person.holder).rpartition(".")[2])
    return GatePass(
        id=PassId(f"{number:016x}"),
        issuer="lakeside-office",
        holder=HolderId(str(person.holder)),
        category="visitor",
        communities=frozenset({layout.COMMUNITY}),
        valid_until=layout.BEGIN + timedelta(days=400),
        valid_from=layout.BEGIN - timedelta(days=400),
        uses=person.uses,
        kiosk=f"{layout.GRID}/{layout.KIOSK}",
    )

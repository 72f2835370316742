"""The gate of a simulation: its doors, what is wired to them, its people and who may pass.

    access point   output       what is there
    door           door         contact, exit button, relay feedback; skin is measured here
    lane-entry     lane.entry   a turnstile's way in: passage sensor, feedback; a guarded area
    lane-exit      lane.exit    its way out: passage sensor, exit button
    yard           yard         a relay alone; free and locked down by the hour

People's rights are written twice: as the rules that the agent gets, and as the ``Person`` by whom
the checker judges, which nothing of the agent ever sees.
"""

import random
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, timezone

from agent.adapters.pins.indicator import IndicatorPins
from agent.controller.door import DoorSettings
from agent.controller.lane import LaneSettings
from agent.controller.settings import Degrade, KioskSettings
from agent.controller.thermal import ThermalSettings
from agent.domain.access.part import PartKind
from agent.domain.access.registry import Registry
from agent.domain.access.rule import Rule
from agent.domain.credential.factor import Factor
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.door.antipassback import Area, PassbackMode
from agent.domain.door.signal import Signal, Wiring
from agent.domain.hours.schedule import Schedule, Span
from agent.domain.sight.operating_point import CurvePoint, ThresholdCurve, operating_point
from agent.lab.simulate.checker import WatchedOutput
from agent.lab.simulate.checker_events import NAME_MARK
from agent.lab.simulate.truth import Hours, Person, Right
from agent.operations.secure_outputs import OutputLine

ZONE = timezone(timedelta(hours=8))
BEGIN = datetime(2026, 5, 4, 7, 0, tzinfo=ZONE).astimezone(UTC)
"""A Monday, at the beginning of the morning's peak."""
COMMUNITY, GRID, KIOSK = "lakeside", "g3", "north-1"
POINTS = ("door", "lane-entry", "lane-exit", "yard")
OUTPUT = {"door": "door", "lane-entry": "lane.entry", "lane-exit": "lane.exit", "yard": "yard"}
OUTPUT_PINS = {"door": 17, "lane.entry": 22, "lane.exit": 23, "yard": 27}
SKIN_LIMIT_C = 37.5
CURVE = ThresholdCurve((CurvePoint(1e-6, -0.5), CurvePoint(1e-8, -0.46), CurvePoint(1e-10, -0.43)))
"""Of a pack that tells thousands of people apart, as those at this gate are: it is the controller
that is under trial here, no model."""
THRESHOLD = CURVE.points[0].threshold
_MAX_PULSE_S = 6.0


@dataclass(frozen=True, slots=True)
class InputLine:
    """A wired input; at rest its level is ``not active_high``."""

    name: str
    signal: Signal
    output: str | None
    pin: int
    active_high: bool = True


INPUTS = (
    InputLine("door-contact", Signal.CONTACT, "door", 5),
    InputLine("door-rex", Signal.REX, "door", 6, active_high=False),
    InputLine("door-feedback", Signal.FEEDBACK, "door", 12),
    InputLine("entry-passage", Signal.PASSAGE, "lane.entry", 13),
    InputLine("entry-feedback", Signal.FEEDBACK, "lane.entry", 24),
    InputLine("exit-passage", Signal.PASSAGE, "lane.exit", 16),
    InputLine("exit-rex", Signal.REX, "lane.exit", 19, active_high=False),
    InputLine("housing", Signal.TAMPER, None, 20),
    InputLine("fire", Signal.FIRE, None, 21),
)
LIGHTS = {
    "door": IndicatorPins(red=8, green=9, blue=10, buzzer=11),
    "lane-entry": IndicatorPins(red=14, green=15),
    "lane-exit": IndicatorPins(red=25, green=26),
    "yard": IndicatorPins(red=18, green=4),
}
LIGHT_PINS = {
    pin: (point, colour)
    for point, pins in LIGHTS.items()
    for colour, pin in (("red", pins.red), ("green", pins.green), ("blue", pins.blue))
    if pin is not None
}
_STAFF_HOURS, _COURIER_HOURS = Hours(6, 20), Hours(9, 18)
_FREE_HOURS, _LOCKED_HOURS = Hours(7.4, 7.6), Hours(1, 4)
_EVERYWHERE = frozenset(POINTS)
_RIGHTS = {
    "resident": (Right(_EVERYWHERE),),
    "staff": (
        Right(frozenset({"door"}), _STAFF_HOURS, SKIN_LIMIT_C),
        Right(frozenset({"lane-entry", "lane-exit"}), _STAFF_HOURS),
    ),
    "courier": (Right(frozenset({"door", "yard"}), _COURIER_HOURS),),
    "visitor": (Right(frozenset({"door", "yard"})),),
    "former": (),
    "carer": (Right(_EVERYWHERE),),
    "guest": (Right(_EVERYWHERE),),
}
_TRIED = {"witness": 20, "carer": 12, "guest": 80}
_SHARES = {"resident": 0.72, "staff": 0.12, "courier": 0.08, "former": 0.08}


def kiosk_settings() -> KioskSettings:
    """What the controller knows of this gate."""
    daily = frozenset(range(7))

    def hours(one: Hours) -> Schedule:
        return Schedule((Span(daily, _clock(one.begin_h), _clock(one.end_h)),), ZONE)

    wired = {line.output: set[Signal]() for line in INPUTS}
    for line in INPUTS:
        wired[line.output].add(line.signal)
    staff, courier = hours(_STAFF_HOURS), hours(_COURIER_HOURS)
    lanes = frozenset({"lane-entry", "lane-exit"})
    return KioskSettings(
        lanes=(
            LaneSettings("door", "entry", "door", "door"),
            LaneSettings("lane-entry", "entry", "lane-entry", "lane.entry", None, "inside"),
            LaneSettings("lane-exit", "exit", "lane-exit", "lane.exit", "inside", None),
            LaneSettings("yard", "entry", "yard", "yard"),
        ),
        doors=tuple(
            DoorSettings(
                name,
                pulse_s=3.0,
                max_pulse_s=_MAX_PULSE_S,
                window_s=None if name == "yard" else 5.0,
                held_open_s=15.0,
                contact=Signal.CONTACT in wired.get(name, ()),
                passage_sensor=Signal.PASSAGE in wired.get(name, ()),
                feedback=Signal.FEEDBACK in wired.get(name, ()),
                free_passage=hours(_FREE_HOURS) if name == "yard" else None,
                lockdown=hours(_LOCKED_HOURS) if name == "yard" else None,
            )
            for name in OUTPUT_PINS
        ),
        rules=(
            Rule(frozenset({"resident"})),
            Rule(
                frozenset({"staff"}), frozenset({"door"}), staff, temperature_limit_c=SKIN_LIMIT_C
            ),
            Rule(frozenset({"staff"}), lanes, staff),
            Rule(frozenset({"courier"}), frozenset({"door", "yard"}), courier),
            Rule(
                frozenset({"visitor"}),
                frozenset({"door", "yard"}),
                factors=(frozenset({Factor.PASS}),),
            ),
            Rule(frozenset({"carer"}), factors=(frozenset({Factor.PASS, Factor.FACE}),)),
            Rule(
                frozenset({"guest"}),
                factors=(frozenset({Factor.PASS}),),
                accept_unknown_holders=True,
            ),
        ),
        boot_id="simulated",
        accept_no_pad=True,
        community=COMMUNITY,
        kiosk=f"{GRID}/{KIOSK}",
        wirings=tuple(Wiring(line.name, line.signal, line.output) for line in INPUTS),
        areas=(Area("inside", PassbackMode.HARD),),
        degrade=Degrade((PartKind.FEEDBACK,)),
        thermal=ThermalSettings(camera="door"),
    )


def watched_outputs() -> dict[str, WatchedOutput]:
    """What the checker knows of the outputs."""
    points = {output: point for point, output in OUTPUT.items()}
    return {
        name: WatchedOutput(
            _MAX_PULSE_S,
            (points[name],),
            free=_FREE_HOURS if name == "yard" else None,
            locked=_LOCKED_HOURS if name == "yard" else None,
        )
        for name in OUTPUT_PINS
    }


def recorded() -> tuple[OutputLine, ...]:
    """The outputs as an agent writes them down before it opens them."""
    return tuple(OutputLine(name, pin, True, "simulated") for name, pin in OUTPUT_PINS.items())


@dataclass(frozen=True, slots=True)
class Population:
    """Everybody who may come: in the registry, and in truth."""

    registry: Registry
    people: dict[str, list[Person]]


def populate(count: int, chance: random.Random) -> Population:
    """``count`` holders; some are disabled, some have expired, some will during the day."""
    holders: dict[HolderId, Holder] = {}
    people: dict[str, list[Person]] = {category: [] for category in _SHARES}
    for number in range(count):
        category = chance.choices([*_SHARES], [*_SHARES.values()])[0]
        name = HolderId(f"{category}.{number}")
        enabled = chance.random() > 0.03
        until = None
        if chance.random() < 0.06:
            until = BEGIN + timedelta(hours=chance.uniform(-48, 24))
        holders[name] = Holder(
            name, f"{NAME_MARK}{number} 王", category, enabled=enabled, valid_until=until
        )
        people[category].append(Person(name, _RIGHTS[category], enabled, until))
    registry = Registry(
        revision=1,
        holders=holders,
        references=2 * len(holders),
        operating=operating_point(CURVE, 2 * len(holders)),
        too_close=frozenset(),
        pack="simulated",
        pack_version="1",
        claim_threshold=THRESHOLD,
        curve=CURVE,
    )
    return Population(registry, people)


def tried(population: Population) -> Population:
    """With those beside them whose passes, faces and rows are tried: the gallery as large."""
    holders, people = dict(population.registry.holders), dict(population.people)
    for category, count in _TRIED.items():
        rights = _RIGHTS["resident" if category == "witness" else category]
        people[category] = [Person(f"{category}.{number}", rights) for number in range(count)]
        for one in people[category]:
            name = HolderId(str(one.holder))
            known = "resident" if category == "witness" else category
            holders[name] = Holder(name, f"{NAME_MARK}{name} 王", known)
    return Population(replace(population.registry, holders=holders), people)


def rights(category: str) -> tuple[Right, ...]:
    """Where and when somebody of it may enter."""
    return _RIGHTS[category]


def visitor(number: int, uses: int) -> Person:
    """Somebody with a pass, whom no registry knows."""
    return Person(f"visitor.{number}", _RIGHTS["visitor"], uses=uses)


def _clock(hour: float) -> time:
    return time(int(hour), round(hour % 1 * 60))

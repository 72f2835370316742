"""The table of the doctor's checks: each is a pure function from facts to a verdict.

The terminal, ``--json`` and the table in docs/doctor.md are all made of ``ROWS`` and ``PLAIN``.
"""

from agent.operations.examination.facts import (
    AgentFact,
    BoardFact,
    BrokerFact,
    CameraFact,
    ThermometerFact,
    TimeFact,
)
from agent.technician.plain import INPUT, OTHER, PLAIN, PULSE
from agent.technician.storage import ROWS as STORAGE
from agent.technician.verdict import Row, Verdict, failing, passed, warned

_NO_CONTOURS = 0.01
_BLACK, _DARK, _BRIGHT = 16.0, 40.0, 215.0
_BLUR, _BLUE = 0.60, 1.1
_LEAST_TOLD = 8
"""Frames of which one sees that all are alike."""
_ODD_C = 15.0
"""Degrees beside the air's: what nobody stands before is not so warm."""
_SOON_DAYS = 30.0
_LOW_NOW, _LOW_ONCE, _SLOW_NOW = 0x1, 0x10000, 0xE
_WARM_C, _HOT_C = 70.0, 80.0

# --- the agent ------------------------------------------------------------------------------------

_NO_AGENT = passed("no agent runs", "the doctor opens the parts itself")
_AGENT_WELL = passed("it runs without a fault", "the gate is in service")
_AGENT_FAULTS = warned(
    "it runs, with faults",
    "what depends on these parts is refused at the gate",
    "gate-agent status says what each is",
)
_AGENT_SILENT = failing(
    "it runs and does not answer",
    "nobody can ask it or command it from here",
    "journalctl -u gate-agent; systemctl restart gate-agent",
)
_AGENT_HIDDEN = failing(
    "whether one runs cannot be told",
    "nothing that an agent may hold was touched",
    "run as the agent's user: sudo -u gate-agent",
)


def agent(fact: AgentFact) -> Verdict:
    """Whether it runs, and is well."""
    if not fact.runs:
        return Verdict(_NO_AGENT, "none runs")
    if fact.faults is None:
        return Verdict(_AGENT_SILENT, "one runs; it does not answer")
    if fact.faults:
        return Verdict(_AGENT_FAULTS, f"one runs; its faults: {', '.join(fact.faults)}")
    return Verdict(_AGENT_WELL, "one runs; its faults: none")


# --- cameras --------------------------------------------------------------------------------------

_SEES = passed("pictures come", "whoever stands there can be seen")
_NO_FRAME = failing(
    "no picture comes",
    "nobody is seen here",
    "check its cable and supply, and source under [[camera]]",
)
_NOTHING = failing(
    "it shows nothing",
    "nobody is seen here: its lens is covered, or it is dark",
    "take the cap or what covers it away; else switch a lamp on",
)
_FROZEN = failing(
    "it repeats one frame",
    "what it shows is not there: nobody is let in by it",
    "restart it: unplug it and plug it in again",
)
_COVERED = warned(
    "the approach zone shows nothing",
    "a face there would not be seen",
    "clear the view, or set the zone under [[camera]] anew",
)
_DIM = warned("it is dark", "faces are found late or not at all", "switch a lamp on")
_GLARE = warned(
    "it is very bright", "faces are washed out", "turn it away from the lamp or the sun"
)
_BLURRED = warned(
    "it is out of focus",
    "codes are not read, and faces are recognised less",
    "wipe the lens; turn its ring until the picture in gate-agent console is sharp",
)
_SWAPPED = warned(
    "a face is bluer than skin is",
    "red and blue are swapped, or the light is blue: faces are recognised less",
    "look at the picture in gate-agent console; where people are blue, another kind of camera",
)


def camera(fact: CameraFact) -> Verdict:
    """Frames, light, what there is to see, and whether they are alive."""
    if not fact.frames:
        return Verdict(_NO_FRAME, f"{fact.what}: no picture comes")
    said = f"{fact.what}, {fact.width}x{fact.height}, brightness {fact.brightness:.0f} of 255"
    if fact.contours < _NO_CONTOURS or (fact.brightness < _BLACK and not fact.infrared):
        return Verdict(_NOTHING, said)
    if fact.alike and not fact.still and fact.frames >= _LEAST_TOLD:
        return Verdict(_FROZEN, f"{said}: {fact.frames} frames were the same to the byte")
    if fact.zone_contours < _NO_CONTOURS:
        return Verdict(_COVERED, f"{said}; nothing is to be seen in its zone")
    if fact.brightness < _DARK and not fact.infrared:
        return Verdict(_DIM, said)
    if (fact.blue or 0.0) > _BLUE and not fact.infrared:
        return Verdict(_SWAPPED, f"{said}; a face has {fact.blue:.1f} times as much blue as red")
    if (fact.blur or 0.0) > _BLUR:
        return Verdict(_BLURRED, f"{said}, blur {fact.blur:.2f}")
    return Verdict(_GLARE if fact.brightness > _BRIGHT else _SEES, said)


# --- the thermometer ------------------------------------------------------------------------------

_PLAUSIBLE = passed("a plausible reading", "skin can be measured here")
_NO_SKIN = failing(
    "warmer than any skin",
    "whoever stands there may be refused for ElevatedTemperature",
    "look for a lamp, a heater or sun before it; else replace the part",
)
_ODD = warned(
    "far from the air around it",
    "somebody stands there, or the sun, a heater or the night sky is before it",
    "look again while nobody stands there; docs/thermometer.md",
)
_NO_READING = failing(
    "no reading", "where a rule asks for a temperature, nobody passes", "check its wiring"
)


def thermometer(fact: ThermometerFact) -> Verdict:
    """Whether what it says can be."""
    if fact.temperature_c > fact.skin_max_c:
        return Verdict(_NO_SKIN, f"{fact.said}; living skin has {fact.skin_max_c:g} C at most")
    if fact.ambient_c is not None and abs(fact.temperature_c - fact.ambient_c) > _ODD_C:
        return Verdict(_ODD, fact.said)
    return Verdict(_PLAUSIBLE, fact.said)


# --- the broker -----------------------------------------------------------------------------------

_PASSES_ON = passed("it takes events and passes them on", "the community hears of this gate")
_AWAY = failing(
    "it cannot be reached, or refuses this kiosk",
    "the gate goes on, and its events wait in the journal; docs/broker.md",
)
_NO_RIGHT = failing(
    "this kiosk may not write its events there",
    "its events wait in the journal for ever",
    "let this kiosk write and read gate/COMMUNITY/GRID/KIOSK/events/# (scripts/backend/broker/acl)",
)
_NOT_BACK = warned(
    "whether events are passed on cannot be told",
    "by MQTT 3.1.1 they may be dropped without a word",
    "let this kiosk read its own events, gate/COMMUNITY/GRID/KIOSK/events/#",
)
_ENDS_SOON = warned(
    "its certificate ends soon",
    "from that day on the broker is away",
    "renew it: scripts/backend/broker/certificates",
)
_AGENT_AWAY = failing(
    "the running agent is not connected",
    "its events wait in the journal",
    "gate-agent status says why (broker_why)",
)


def broker(fact: BrokerFact) -> Verdict:
    """What one message to itself met."""
    said = f"{fact.place}, {fact.tls or 'without TLS'}"
    if fact.refused is not None or not fact.acknowledged:
        return Verdict(_NO_RIGHT, f"{said}; the event was {fact.refused or 'not acknowledged'}")
    if not fact.came_back and not fact.five and not fact.unread:
        return Verdict(_NO_RIGHT, f"{said}; the event was acknowledged and not passed on")
    if fact.agent_why is not None:
        return Verdict(_AGENT_AWAY, f"{said} answers the doctor; the agent: {fact.agent_why}")
    if not fact.came_back:
        return Verdict(_NOT_BACK, f"{said}; the event was taken and did not come back")
    if fact.expires_days is not None and fact.expires_days < _SOON_DAYS:
        return Verdict(_ENDS_SOON, f"{said}; its certificate ends in {fact.expires_days:.0f} days")
    return Verdict(_PASSES_ON, f"{said}; an event came back")


# --- time and board -------------------------------------------------------------------------------

_KEPT = passed("somebody vouches for the clock", "passes, schedules and certificates are judged")
_PAST = failing(
    "the clock is in the past",
    "no date can be judged, and TLS fails",
    "timedatectl set-ntp true, and a network; docs/clock.md",
)
_UNSURE = failing(
    "nobody vouches for the clock",
    "whatever has a date is refused as ClockUntrusted",
    "timedatectl set-ntp true; or, with a battery clock, trust_system_clock under [clock]",
)
_IN_DOUBT = failing(
    "the agent is not sure of the time",
    "whatever has a date may be refused",
    "gate-agent clock show",
)


def time(fact: TimeFact) -> Verdict:
    """Whether dates can be judged by the clock."""
    if fact.past:
        return Verdict(_PAST, f"{fact.said}, which lies before this release was made")
    if fact.doubt is not None:
        return Verdict(_IN_DOUBT, f"{fact.said}; the agent: {fact.doubt}")
    if not (fact.kept or fact.vouched):
        return Verdict(_UNSURE, f"{fact.said}, not set by a network's time in this boot")
    by = "the network's time" if fact.kept else "the config, trust_system_clock"
    return Verdict(_KEPT, f"{fact.said}, by {by}")


_COOL = passed("neither hot nor short of power", "it runs at its full pace")
_LOW = failing(
    "its supply is too weak now",
    "it slows down, and may die while it writes",
    "take the board's own supply (5.1 V, 3 A; Pi 5: 5 A) and a short cable",
)
_WAS_LOW = warned(
    "its supply was too weak since power-on",
    "it may die while it writes",
    "take the board's own supply and a short cable; feed relays from another",
)
_HOT = failing("too hot", "it is slowed down: faces take longer", "a cooler, shade, air")
_WARM = warned("hot, or slowed down", "in the sun it will be slowed down", "a cooler, shade, air")


def board(fact: BoardFact) -> Verdict:
    """Supply, and heat."""
    bits, celsius = fact.throttled or 0, fact.celsius
    said = "no sensor" if celsius is None else f"{celsius:.0f} C"
    if fact.throttled is not None:
        said += f", throttled {bits:#x}"
    if bits & _LOW_NOW:
        return Verdict(_LOW, said)
    if celsius is not None and celsius >= _HOT_C:
        return Verdict(_HOT, said)
    if bits & _LOW_ONCE:
        return Verdict(_WAS_LOW, said)
    if bits & _SLOW_NOW or (celsius is not None and celsius >= _WARM_C):
        return Verdict(_WARM, said)
    return Verdict(_COOL, said)


ROWS = (
    Row(
        "agent",
        "whether one runs, answers, and has faults",
        agent,
        (_NO_AGENT, _AGENT_WELL, _AGENT_FAULTS, _AGENT_SILENT),
        _AGENT_HIDDEN,
    ),
    Row("time", "who vouches for the clock", time, (_KEPT, _PAST, _UNSURE, _IN_DOUBT), _UNSURE),
    Row(
        "board",
        "heat, supply, throttling",
        board,
        (_COOL, _LOW, _WAS_LOW, _HOT, _WARM),
        _WARM,
    ),
    Row(
        "camera ID",
        "a dozen frames: light, contours, focus, colours, the zone, whether they differ",
        camera,
        (_SEES, _NOTHING, _FROZEN, _COVERED, _DIM, _SWAPPED, _BLURRED, _GLARE),
        _NO_FRAME,
        timeout_s=20.0,
    ),
    Row(
        "broker",
        "name, connection, TLS, login, and an empty message on its own events",
        broker,
        (_PASSES_ON, _NO_RIGHT, _NOT_BACK, _ENDS_SOON, _AGENT_AWAY),
        _AWAY,
        timeout_s=25.0,
    ),
    Row(
        "thermometer",
        "a reading beside the air's, and beside what skin can have",
        thermometer,
        (_PLAUSIBLE, _NO_SKIN, _ODD),
        _NO_READING,
    ),
    *STORAGE,
)
"""The checks that judge facts."""


def row_of(name: str) -> Row:
    """The check of this name."""
    kind = f"{first} ID" if (first := name.partition(" ")[0]) in ("camera", "reader") else name
    return {row.name: row for row in ROWS}.get(kind) or PLAIN.get(kind, OTHER)


def all_rows() -> list[Row]:
    """Every check, in the order in which the table has them."""
    return [*ROWS, *PLAIN.values(), INPUT, PULSE]

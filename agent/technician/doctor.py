"""Looks a kiosk over before it goes into service, and moves nothing unless it is told to.

    check     a name and a probe: what it found, or what is missing and how to get it
    pin map   each pin, what the Pi does with it at power-on, and what its level means now
    pulse     one release of one door, watched by its feedback and its contact
    watch     each button as somebody presses it

Everything that touches hardware is handed in. A probe that hangs is left behind.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from agent.config import InputConfig
from agent.config.pins import PinUse
from agent.domain.door.signal import InputChange, Signal
from agent.errors import GateAgentError, UnavailableError
from agent.ports import Door
from agent.technician.checks import row_of
from agent.technician.plain import INPUT, PULSE
from agent.technician.verdict import Check, Verdict, check_of, of_error

PULSE_S = 1.0
"""The longest pulse that the doctor gives."""
UNREAD = "cannot be read"
"""The verdict on a pin that should say something and does not."""
_SETTLE_S = 0.5

Probe = Callable[[], object]
"""Says what it found, or gives the facts; a ``GateAgentError`` says what is missing."""


class Watched(Protocol):
    """The part of ``ports.Inputs`` that looking needs."""

    def take(self, timeout_s: float) -> Collection[InputChange]:
        """The changes since the last call; the first call tells the levels found."""


@dataclass(frozen=True, slots=True)
class PinRow:
    """A line of the pin map; ``level`` is the pin's now, None where it was not touched."""

    pin: int
    what: str
    direction: str
    active_high: bool
    pull: str | None
    power_on: str
    level: bool | None
    verdict: str

    def as_json(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


def run_checks(probes: Iterable[tuple[str, Probe]], timeout_s: float | None = None) -> list[Check]:
    """Each probe's answer, in order; one that fails or hangs keeps no other from its turn.

    Each has the time of its row, or ``timeout_s``.
    """
    return [_run(name, probe, timeout_s) for name, probe in probes]


def meaning(kind: str, *, active: bool) -> str:
    """What an input's level says, for people."""
    traits = Signal(kind).traits
    return traits.active if active else traits.inactive


def check_input(one: InputConfig, take: Callable[[], bool]) -> tuple[Check, bool | None]:
    """Whether an input can be read and says what it should while nobody does anything.

    ``take`` says whether it is active; the second value is that, None where it cannot be read.
    """
    try:
        active = take()
    except UnavailableError as error:
        return check_of(one.id, of_error(INPUT.missing, error)), None
    said = meaning(one.kind, active=active)
    if not active or not one.kind.traits.rests:
        return check_of(one.id, INPUT.judge(said)), active
    fix = (
        "where nobody does that now: the wire is cut or the contact is of the other kind;"
        f" else active_high = {str(not one.active_high).lower()}"
    )
    return check_of(one.id, Verdict(INPUT.missing, said, fix)), active


def pin_rows(uses: Iterable[PinUse], active: Mapping[str, bool | None]) -> list[PinRow]:
    """The pin map; ``active`` has what each input was found to be by its id, None: unread."""
    rows = []
    for use in uses:
        level, verdict = None, "not touched"
        if isinstance(use.table, InputConfig) and use.table.id in active:
            found = active[use.table.id]
            verdict = UNREAD
            if found is not None:
                level = found is use.active_high
                verdict = meaning(use.table.kind, active=found)
        rows.append(
            PinRow(
                use.pin,
                use.what,
                use.direction,
                use.active_high,
                use.pull,
                use.power_on,
                level,
                verdict,
            )
        )
    return rows


def pulse(
    door: Door,
    inputs: Watched | None,
    *,
    name: str,
    feedback: str | None = None,
    contact: str | None = None,
    pulse_s: float = PULSE_S,
) -> Check:
    """Release once for ``pulse_s``, 1 s at most, and say what feedback and contact did meanwhile.

    Raises:
        UnavailableError: the pin does not obey, or the inputs cannot be read.
    """
    pulse_s = min(pulse_s, PULSE_S)
    heard: list[InputChange] = [*(inputs.take(0.0) if inputs is not None else ())]
    try:
        door.release(pulse_s)
        _listen(inputs, pulse_s, heard)
    finally:
        door.secure()
    _listen(inputs, _SETTLE_S, heard)
    told = [one.active for one in heard if one.input == feedback and not one.initial]
    door_said = [one for one in heard if one.input == contact]
    detail = f"released for {pulse_s:g} s"
    if contact is not None:
        detail += f", {_door_did(door_said)}"
    if feedback is None:
        said = f"{detail}; no feedback is wired: listen for the relay"
        return check_of(name, PULSE.judge(said))
    if told == [True, False]:
        return check_of(name, PULSE.judge(f"{detail}, and {feedback} followed"))
    said = "did not follow" if not told else "followed, and did not come back"
    fix = f"check the relay, its supply, and the wire of {feedback}"
    return check_of(name, Verdict(PULSE.missing, f"{detail}, and {feedback} {said}", fix))


def watch(inputs: Watched, seconds: float, tell: Callable[[InputChange], None]) -> None:
    """Tell each change for so long.

    Raises:
        UnavailableError: the inputs cannot be read any more.
    """
    ends_s = time.monotonic() + seconds
    while (left_s := ends_s - time.monotonic()) > 0.0:
        for change in inputs.take(min(left_s, 0.25)):
            tell(change)


def _door_did(changes: list[InputChange]) -> str:
    if any(one.active and not one.initial for one in changes):
        return "the door was opened"
    return "the door stood open" if any(one.active for one in changes) else "the door stayed closed"


def _listen(inputs: Watched | None, seconds: float, heard: list[InputChange]) -> None:
    if inputs is None:
        time.sleep(seconds)
    else:
        watch(inputs, seconds, heard.append)


def _run(name: str, probe: Probe, timeout_s: float | None) -> Check:
    row = row_of(name)
    limit_s = row.timeout_s if timeout_s is None else timeout_s
    late = f"did not answer within {limit_s:g} s"
    found = [Verdict(row.missing, late, "check its cable and supply")]

    def work() -> None:
        try:
            facts = probe()
            # A running agent's word on its own part is a sentence.
            well = Verdict(row.findings[0], facts) if isinstance(facts, str) else None
            found[:] = [well or row.judge(facts)]
        except GateAgentError as error:
            found[:] = [of_error(row.missing, error)]
        except Exception as error:  # noqa: BLE001 - a driver's defect must not hide the other checks
            found[:] = [Verdict(row.missing, f"failed: {type(error).__name__}")]

    thread = threading.Thread(target=work, name=f"doctor {name}", daemon=True)
    thread.start()
    thread.join(limit_s)
    return check_of(name, found[0])


def failed(name: str, error: GateAgentError) -> Check:
    """What an error says, as the check of an output that was to be released."""
    return check_of(name, of_error(PULSE.missing, error))

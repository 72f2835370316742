"""The short way of ``secure-outputs``: outputs that the dead agent recorded of this very config.

A killed agent's pulse goes on until this has run, and on a Pi imports are what takes long. So here
is nothing but the record, the hash of the config and the pins; whatever is otherwise than it should
be is left to the long way (``secure_all``), which says what.
"""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from agent.adapters.manual_clock import ManualClock
from agent.adapters.pins.door import GpioDoor, open_pins
from agent.operations.secure_outputs import OutputLine, recorded_of, secure_outputs

if TYPE_CHECKING:
    from agent.config.base import PinFactory


def secure_known(config: Path, state: Path) -> bool:
    """Whether every output of ``config`` is at rest now; False says nothing about any of them."""
    try:
        outputs = recorded_of(state, config)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return False
    return bool(outputs) and not secure_outputs(outputs, _open)


def _open(output: OutputLine) -> GpioDoor:
    kind = cast("PinFactory", output.pin_factory)
    pins = open_pins(kind, None if output.pins_file is None else Path(output.pins_file))
    # No pulse is ever given here: maximum and clock only complete the door.
    return GpioDoor(
        pins, output.pin, active_high=output.active_high, max_pulse_s=1.0, clock=ManualClock()
    )

"""What the service runs after the agent's death: every output at rest, whatever became of it."""

from pathlib import Path
from typing import cast

import structlog

from agent import logs
from agent.adapters.clock import SystemClock
from agent.adapters.pins.door import GpioDoor, open_pins
from agent.app.open.outputs import outputs_of
from agent.app.open.paths import state_dir
from agent.config import load_config
from agent.config.base import PinFactory
from agent.errors import ConfigError, UnavailableError
from agent.operations.secure_outputs import (
    OutputLine,
    merge_outputs,
    recorded_outputs,
    secure_outputs,
)
from agent.ports import Door

_FIX = "\nFix: "
_log = structlog.get_logger(__name__)


def secure_all(config: Path, state: Path | None = None) -> int:
    """Open each output at its safe level and let it go; 0 where all were had.

    The outputs are the config's and those that the dead agent recorded in ``state``.

    Raises:
        ConfigError: the config cannot be read; what was recorded is secured all the same.
        UnavailableError: an output could not be had; all others are secured.
    """
    logs.configure("warning")
    broken: ConfigError | None = None
    configured: tuple[OutputLine, ...] = ()
    try:
        configured = outputs_of(load_config(config))
    except ConfigError as error:
        broken = error
    failed = secure_outputs(merge_outputs(configured, _recorded(state_dir(state))), _open)
    if failed:
        # A part's own fix may be the quicker one, but the door is open now.
        problems = "; ".join(
            f"{door}: {problem.replace(_FIX, ' (')}{')' * (_FIX in problem)}"
            for door, problem in failed.items()
        )
        raise UnavailableError(f"not secured: {problems}", "switch the doors' supply off")
    if broken is not None:
        raise broken
    return 0


def _recorded(state: Path) -> tuple[OutputLine, ...]:
    try:
        return recorded_outputs(state)
    except UnavailableError as error:
        _log.warning("outputs_record_unreadable", error=str(error))
        return ()


def _open(output: OutputLine) -> Door:
    kind = cast("PinFactory", output.pin_factory)
    pins = open_pins(kind, None if output.pins_file is None else Path(output.pins_file))
    # No pulse is ever given here: the maximum only completes the door.
    return GpioDoor(
        pins, output.pin, active_high=output.active_high, max_pulse_s=1.0, clock=SystemClock()
    )

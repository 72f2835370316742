"""The board, its clock and its thermometer, as facts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.adapters.clock import SystemClock
from agent.adapters.soc import soc_temperatures_c
from agent.app.open.thermometers import read_once
from agent.config import ThermometerConfig
from agent.operations.examination.facts import BoardFact, ThermometerFact, TimeFact

_MADE = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right says less: this release was made later."""
_THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")


def time_fact(*, vouched: bool, status: Mapping[str, Any] | None) -> TimeFact:
    """What vouches for the clock; ``status`` is a running agent's, None where none answers."""
    now = SystemClock().now()
    doubt = None
    if status is not None and not status.get("clock_synced", True):
        clock = status.get("clock")
        doubt = str(clock.get("state")) if isinstance(clock, Mapping) else "not sure"
    return TimeFact(
        f"{now.utc:%Y-%m-%d %H:%M} UTC",
        kept=now.utc_trusted,
        vouched=vouched or (status is not None and doubt is None),
        past=now.utc < _MADE,
        doubt=doubt,
    )


def board_fact(throttled: Path = _THROTTLED) -> BoardFact:
    """How warm it is, and what the firmware says; ``throttled`` is where it says it."""
    warmest = max(soc_temperatures_c().values(), default=None)
    try:
        bits = int(throttled.read_text(encoding="ascii").strip(), 16)
    except (OSError, ValueError):
        bits = None  # no Pi, or no right to ask
    return BoardFact(warmest, bits)


def thermometer_fact(config: ThermometerConfig) -> ThermometerFact:
    """One reading.

    Raises:
        UnavailableError: there is none.
    """
    reading = read_once(config)
    celsius, ambient = reading["temperature_c"], reading["ambient_c"]
    beside = "" if ambient is None else f", {ambient:.1f} C around it"
    said = f"{reading['kind']}: {celsius:.1f} C{beside}"
    return ThermometerFact(said, celsius, ambient, config.skin_max_c)

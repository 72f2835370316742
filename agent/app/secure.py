"""What the service runs after the agent's death: every output at rest, whatever became of it."""

from pathlib import Path

from agent.adapters.clock import SystemClock
from agent.app.doors import open_doors
from agent.config import load_config


def secure_all(config: Path) -> int:
    """Open each configured output at its safe level and let it go; 0 where all were had.

    Opening is what secures: an output starts de-energised.

    Raises:
        ConfigError: without a config nobody knows the pins.
        UnavailableError: a pin cannot be had.
    """
    for door in open_doors(load_config(config), SystemClock()).values():
        door.close()
    return 0

"""What the organ of the records has threads for, by its config."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from config_parts import GOOD
from gate_parts import REGISTRY

from agent.adapters.manual_clock import ManualClock
from agent.app.gate.organs import Records
from agent.config import load_config

BROKER = '[broker]\nhost = "localhost"\n'


def threads(folder: Path, more: str) -> list[str]:
    path = folder / "gate.toml"
    path.write_text(f"{GOOD.partition('[broker]')[0]}\n{more}")
    parts: Any = SimpleNamespace(
        file=load_config(path),
        site=SimpleNamespace(state=folder),
        pad=None,
        journal=None,
        clock=ManualClock(),
        pack_in_use=SimpleNamespace(why="", not_measured_for=()),
    )
    core: Any = SimpleNamespace(writer=SimpleNamespace(work=0, stop=0), outbox=SimpleNamespace())
    core.outbox.stop = None
    link: Any = SimpleNamespace(configured=bool(more))
    return [task.name for task in Records(parts, core, link, lambda: REGISTRY, "boot").tasks()]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", ["journal", "status"]),
        (BROKER, ["journal", "status", "outbox", "health"]),
        (f"{BROKER}health_every_s = 600", ["journal", "status", "outbox", "health"]),
        (f"{BROKER}health_every_s = 0", ["journal", "status", "outbox"]),
    ],
)
def test_there_is_a_heartbeat_where_there_is_a_broker_unless_it_is_turned_off(
    tmp_path: Path, more: str, expected: list[str]
) -> None:
    assert threads(tmp_path, more) == expected

"""What the organ of the records has threads for, by its config."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from config_parts import GOOD
from gate_parts import REGISTRY

from agent.adapters.manual_clock import ManualClock
from agent.app.gate.organs import Records
from agent.app.open.files.state import ANNOUNCED
from agent.config import load_config

BROKER = '[broker]\nhost = "localhost"\n'


def threads(folder: Path, more: str) -> list[str]:
    """The names of its threads, in their order."""
    path = folder / "gate.toml"
    path.write_text(f"{GOOD.partition('[broker]')[0]}\n{more}")
    parts: Any = SimpleNamespace(
        file=load_config(path),
        site=SimpleNamespace(state=folder),
        pad=None,
        journal=None,
        ledger=SimpleNamespace(latest_trusted=lambda: None),
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


@pytest.mark.parametrize(
    ("more", "told", "expected"),
    [
        (BROKER, None, []),
        (f"{BROKER}home_assistant = true", None, ["discovery"]),
        (
            BROKER,
            '{"homeassistant/device/gate_a_b_c/config": {"problem": "sensor"}}',
            ["discovery"],
        ),
        (BROKER, "{}", []),
    ],
)
def test_home_assistant_has_a_thread_where_it_is_told_or_was(
    tmp_path: Path, more: str, told: str | None, expected: list[str]
) -> None:
    if told is not None:
        ANNOUNCED.at(tmp_path).write_text(told)
    assert [one for one in threads(tmp_path, more) if one == "discovery"] == expected

"""The computer and its service, in numbers and in words that are known beforehand."""

import os
import platform
import re
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from agent.adapters.soc import soc_temperatures_c
from agent.app.desk.examined.machine import board_fact, time_fact
from agent.operations.bundle.forms import MASK, number, words

UNITS = ("gate-agent.service", "gate-agent-first.service")
_LINES = 3000
_PATIENCE_S = 20.0
_BOARD = Path("/proc/device-tree/model")
_MEMORY = ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")
_SYSTEMS = ("debian", "raspbian", "ubuntu")
_BOARDS = tuple(
    f"Raspberry Pi {model}"
    for model in ("3 Model B", "3 Model B Plus", "4 Model B", "5 Model B", "Zero 2 W")
)
_STATES = {
    "ActiveState": words("active", "inactive", "failed", "activating", "deactivating"),
    "SubState": words("running", "dead", "failed", "auto-restart", "start", "stop", "stop-post"),
    "Result": words("success", "exit-code", "signal", "core-dump", "watchdog", "timeout"),
    "UnitFileState": words("enabled", "disabled", "masked", "static"),
    "Type": words("notify", "simple", "oneshot"),
}
_NUMBERS = ("NRestarts", "ExecMainStatus", "MemoryCurrent", "CPUUsageNSec", "TasksCurrent")


def machine(state: Path) -> dict[str, Any]:
    """What it is, how warm, how full, how busy, and who vouches for its clock."""
    board, clock = board_fact(), time_fact(vouched=False, status=None)
    return {
        "board": _board(),
        "machine": platform.machine(),
        "kernel": _numbers_of(platform.release()),
        "system": _system(),
        "cpus": os.cpu_count(),
        "load": [round(one, 2) for one in os.getloadavg()],
        "uptime_s": number(round(time.clock_gettime(time.CLOCK_BOOTTIME))),
        "memory_kb": _memory(),
        "disk": _disk(state),
        "temperatures_c": [round(one, 1) for one in soc_temperatures_c().values()],
        "throttled": board.throttled,
        "clock": {"by_network": clock.kept, "past": clock.past},
    }


def _board() -> str:
    try:
        said = _BOARD.read_text("ascii", "replace").strip("\0 \n").partition(" Rev")[0]
    except OSError:
        return "unknown"
    return said if said in _BOARDS else MASK


def _numbers_of(release: str) -> str:
    """``6.6.31`` of ``6.6.31+rpt-rpi-v8``: the rest is whoever's built it."""
    found = re.match(r"[0-9]{1,3}(\.[0-9]{1,4}){0,2}", release)
    return MASK if found is None else found[0]


def _system() -> dict[str, Any]:
    try:
        said = platform.freedesktop_os_release()
    except OSError:
        return {}
    release = said.get("VERSION_ID", "")
    return {"id": words(*_SYSTEMS)(said.get("ID")), "version": _numbers_of(release)}


def _memory() -> dict[str, Any]:
    found = {}
    for line in Path("/proc/meminfo").read_text("ascii").splitlines():
        name, _, value = line.partition(":")
        if name in _MEMORY:
            found[name] = int(value.split()[0])
    return found


def _disk(state: Path) -> dict[str, int]:
    place = next(one for one in (state, *state.absolute().parents) if one.is_dir())
    usage = shutil.disk_usage(place)
    return {"free_bytes": usage.free, "total_bytes": usage.total}


def service() -> dict[str, Any]:
    """How each unit stands, as systemd says it.

    Raises:
        OSError: there is no systemd.
    """
    return {unit: _unit(unit) for unit in UNITS}


def _unit(unit: str) -> dict[str, Any]:
    asked = ",".join((*_STATES, *_NUMBERS))
    shown: dict[str, Any] = {}
    for line in _said("systemctl", "show", "--no-pager", f"--property={asked}", unit):
        name, _, value = line.partition("=")
        if name in _STATES:
            shown[name] = _STATES[name](value)
        elif name in _NUMBERS:
            shown[name] = number(int(value)) if value.isdecimal() else None
    return shown


def log_of_service() -> Iterable[str]:
    """The newest lines of its log, as journald's JSON.

    Raises:
        OSError: there is no journald.
    """
    units = [word for unit in UNITS for word in ("--unit", unit)]
    return _said(
        "journalctl", "--no-pager", "--quiet", "--output=json", f"--lines={_LINES}", *units
    )


def _said(program: str, *arguments: str) -> list[str]:
    done = subprocess.run(  # noqa: S603 - our own words; by the PATH, as its user has it
        [program, *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_PATIENCE_S,
    )
    return done.stdout.splitlines()

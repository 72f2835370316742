"""``gate-agent run``: from a config to a gate in service, and back to rest."""

import faulthandler
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from agent import logs
from agent.app.gate.agent import Agent
from agent.app.gate.parts import Parts, open_parts
from agent.app.open.files.restoring import end_cut_short
from agent.app.open.thresholds import ignored
from agent.config import load_config
from agent.lifecycle import Notifier, last_resort, on_termination
from agent.operations.packs.choice import PackInUse, installed_pad_packs

TellerOf = Callable[[tzinfo | None], logs.Teller]
"""Makes what tells a person the log, with times in a zone; None: this machine's own."""

_log = structlog.get_logger(__name__)


def run_agent(
    config: Path, state: Path, teller: TellerOf | None = None, began_s: float | None = None
) -> int:
    """Serve until SIGTERM, SIGINT or the end of every finite camera; the exit code.

    ``teller`` is for whoever looks at stderr; without one the log is JSON. ``began_s`` is the
    monotonic second from which the start is counted.

    Raises:
        ConfigError: the config is wrong.
        UnavailableError: something that it names is missing.
    """
    began_s = time.monotonic() if began_s is None else began_s
    logs.configure(tell=teller and teller(None))
    # What hung when systemd's watchdog aborts the process stands in the journal then.
    faulthandler.enable()
    end_cut_short(state)
    file = load_config(config, installed_pad_packs(state))
    if teller is not None:
        logs.configure(tell=teller(ZoneInfo(file.config.kiosk.timezone)))
    with last_resort() as must_end, ExitStack() as stack:
        notifier = Notifier()
        stack.callback(notifier.close)
        parts = open_parts(stack, file, state)
        tell_pack(parts.pack_in_use)
        if (unused := ignored(file.config.face.operating_point, parts.pack.manifest)) is not None:
            _log.warning("operating_point_ignored", why=unused)
        _log.info("watching", **what_is_watched(parts))
        agent = Agent(parts, notifier.beat)
        stack.callback(on_termination(agent.stop))

        def ready() -> None:
            notifier.ready()
            _log.info("ready", took_s=round(time.monotonic() - began_s, 1))

        code = agent.run(ready, must_end)
        notifier.stopping()
        return code


def what_is_watched(parts: Parts) -> dict[str, Any]:
    """What a start says of the gate: ids, kinds, pins and counts; no address of a camera."""
    config, kiosk = parts.file.config, parts.file.config.kiosk
    return {
        "config": str(parts.file.path),
        "kiosk": f"{kiosk.community}/{kiosk.grid}/{kiosk.id}",
        "cameras": {camera.id: camera.kind for camera in config.camera},
        "doors": {
            door.id: [door.pin] if door.exit_pin is None else [door.pin, door.exit_pin]
            for door in config.door
        },
        "access_points": {point.id: point.direction for point in config.access_point},
        "broker": None if config.broker is None else f"{config.broker.host}:{config.broker.port}",
        "holders": len(parts.snapshot.registry.holders),
        "state_faults": dict(parts.state_faults),
    }


def tell_pack(used: PackInUse) -> None:
    """Say with which pack the gate starts, why, and for whom nobody measured it.

    A warning, because it is no promise for whoever stands there; a person who starts the agent in a
    terminal reads it as lines too.
    """
    _log.warning("model_pack", **used.as_json())
    if sys.stderr.isatty():
        for line in used.lines():
            print(line, file=sys.stderr)  # noqa: T201 - for the person at the terminal

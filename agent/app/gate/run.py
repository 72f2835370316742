"""``gate-agent run``: from a config to a gate in service, and back to rest."""

import faulthandler
import sys
from contextlib import ExitStack
from pathlib import Path

import structlog

from agent import logs
from agent.app.gate.agent import Agent
from agent.app.gate.parts import open_parts
from agent.app.open.thresholds import ignored
from agent.config import load_config
from agent.lifecycle import Notifier, on_termination
from agent.operations.packs.choice import PackInUse, installed_pad_packs

_log = structlog.get_logger(__name__)


def run_agent(config: Path, state: Path) -> int:
    """Serve until SIGTERM, SIGINT or the end of every finite camera; the exit code.

    Raises:
        ConfigError: the config is wrong.
        UnavailableError: something that it names is missing.
    """
    logs.configure()
    # What hung when systemd's watchdog aborts the process stands in the journal then.
    faulthandler.enable()
    file = load_config(config, installed_pad_packs(state))
    with ExitStack() as stack:
        notifier = Notifier()
        stack.callback(notifier.close)
        parts = open_parts(stack, file, state)
        tell_pack(parts.pack_in_use)
        if (unused := ignored(file.config.face.operating_point, parts.pack.manifest)) is not None:
            _log.warning("operating_point_ignored", why=unused)
        agent = Agent(parts, notifier.beat)
        stack.callback(on_termination(agent.stop))
        code = agent.run(notifier.ready)
        notifier.stopping()
        return code


def tell_pack(used: PackInUse) -> None:
    """Say with which pack the gate starts, why, and for whom nobody measured it.

    A warning, because it is no promise for whoever stands there; a person who starts the agent in a
    terminal reads it as lines too.
    """
    _log.warning("model_pack", **used.as_json())
    if sys.stderr.isatty():
        for line in used.lines():
            print(line, file=sys.stderr)  # noqa: T201 - for the person at the terminal

"""``gate-agent run``: from a config to a gate in service, and back to rest."""

import faulthandler
from contextlib import ExitStack
from pathlib import Path

from agent import logs
from agent.app.gate.agent import Agent
from agent.app.gate.parts import open_parts
from agent.config import load_config
from agent.lifecycle import Notifier, on_termination


def run_agent(config: Path, state: Path) -> int:
    """Serve until SIGTERM, SIGINT or the end of every finite camera; the exit code.

    Raises:
        ConfigError: the config is wrong.
        UnavailableError: something that it names is missing.
    """
    logs.configure()
    # What hung when systemd's watchdog aborts the process stands in the journal then.
    faulthandler.enable()
    file = load_config(config)
    with ExitStack() as stack:
        notifier = Notifier()
        stack.callback(notifier.close)
        parts = open_parts(stack, file, state)
        agent = Agent(parts, notifier.beat)
        stack.callback(on_termination(agent.stop))
        code = agent.run(notifier.ready)
        notifier.stopping()
        return code

"""Where the config, the state and the control socket lie: asked, then set, then by convention."""

import os
from pathlib import Path

from agent.app.open.files.state import SOCKET

CONFIG_VARIABLE = "GATE_AGENT_CONFIG"
STATE_VARIABLE = "GATE_AGENT_STATE_DIR"
SYSTEM_CONFIG = Path("/etc/gate-agent/gate.toml")
SYSTEM_STATE = Path("/var/lib/gate-agent")
SYSTEM_RUNTIME = Path("/run/gate-agent")


def config_path(asked: Path | None = None) -> Path:
    """The config file: ``asked`` (--config), else GATE_AGENT_CONFIG, else the system's."""
    return asked or _folder(CONFIG_VARIABLE) or SYSTEM_CONFIG


def given_config_path(asked: Path | None = None) -> Path | None:
    """As ``config_path``, for what also works without a config: None where there is none.

    A file that somebody named must exist; only the system's may be absent.
    """
    named = asked or _folder(CONFIG_VARIABLE)
    if named is not None:
        return named
    return SYSTEM_CONFIG if os.path.lexists(SYSTEM_CONFIG) else None


def state_dir(asked: Path | None = None) -> Path:
    """The state directory, which need not exist yet.

    ``asked`` (--state-dir), else GATE_AGENT_STATE_DIR, else systemd's STATE_DIRECTORY, else the
    XDG state folder.
    """
    found = asked or given_state_dir()
    if found is not None:
        return found
    home = _folder("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return home / "gate-agent"


def given_state_dir() -> Path | None:
    """The state directory that the environment names; None where it names none."""
    # systemd names several folders with a colon between them; the agent's unit has one.
    return _folder(STATE_VARIABLE) or _folder("STATE_DIRECTORY")


def control_socket(configured: Path | None, state: Path) -> Path:
    """The socket of the agent whose state lies in ``state``.

    The service listens in its runtime folder, which a shell finds by the service's state folder;
    any other agent listens in its own state folder, so two never mix.
    """
    if configured is not None:
        return configured
    runtime = _folder("RUNTIME_DIRECTORY")
    if runtime is None and state == SYSTEM_STATE:
        runtime = SYSTEM_RUNTIME
    return SOCKET.at(runtime or state)


def _folder(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value) if value else None

"""Asking the running agent, once or again and again: where it listens, and its answer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.app.open.control import ask
from agent.app.open.paths import control_socket
from agent.errors import GateAgentError, RefusedError

Stand = tuple[int, int, int]
"""Of a file: which it is, when it was written, how long it is."""


def answered(socket: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to ``request`` of the agent that listens at ``socket``.

    Raises:
        RefusedError: it refuses.
        UnavailableError: no agent answers, or not to this user.
    """
    answer = ask(socket, request)
    if not answer.get("ok"):
        raise RefusedError("refused", str(answer.get("error", "the agent refused")))
    return answer


class AgentSocket:
    """Where the agent of a config and a state directory listens.

    The config is read again when it has changed. One that is wrong by then changes nothing: the
    agent listens where it did.
    """

    def __init__(self, config: Path | None, state: Path) -> None:
        self._config = config
        self._state = state
        self._read: Stand | None = None
        self._found: Path | None = None

    def path(self) -> Path:
        """The socket, by the config as it stands now.

        Raises:
            ConfigError: it is wrong, and never was right.
        """
        if self._config is None:
            return control_socket(None, self._state)
        stands = stand_of(self._config)
        if self._found is None or stands != self._read:
            try:
                self._found = control_socket(_configured(self._config), self._state)
            except GateAgentError:
                if self._found is None:
                    raise
            self._read = stands
        return self._found


def stand_of(file: Path) -> Stand | None:
    """What changes with a file whenever it is written or replaced; None where it is not there."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def _configured(config: Path) -> Path | None:
    # Whoever has no config need not wait for what reads one.
    from agent.config import load_config  # noqa: PLC0415 - as said above

    file = load_config(config)
    named = file.config.control.socket
    return None if named is None else file.resolve(named)

"""Logs: one JSON object a line on stderr, which journald keeps; nobody's name in any of them.

Whoever starts the agent at a terminal may hand in a ``Teller`` that says the same in their words.

structlog and the libraries' own logging (paho, gpiozero) end in the same handler, so what leaves
out secrets and people is applied to both. Where stderr is the journal, each line begins with its
priority as sd-daemon(3) says, and ``journalctl -p warning`` finds it.
"""

import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np
import structlog

from agent.errors import GateAgentError

LEVEL_VARIABLE = "GATE_AGENT_LOG_LEVEL"
MASK = "***"

Teller = Callable[[Mapping[str, Any]], str | None]
"""An entry, already without secrets and people, as a line for a person; None: not worth one."""

_SECRETS = ("password", "passphrase", "secret", "token", "private_key", "api_key", "authorization")
_PERSONAL = frozenset(
    {
        *("name", "holder_name", "full_name", "id_number"),
        *("template", "templates", "photo", "photograph", "image"),
    }
)
_DEEPEST = 6
_PRIORITIES = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}


@dataclass(slots=True)
class _Said:
    """What this process said so far, and what it was asked to say."""

    bytes: int = 0
    level: int = logging.INFO
    thins: bool = True


_said = _Said()


def written_bytes() -> int:
    """How much was logged since the process began."""
    return _said.bytes


def thin(on: bool) -> None:  # noqa: FBT001 - it is handed on as a callable
    """Say warnings and errors only, but to a person who looks on; or as configured again."""
    on = on and _said.thins
    logging.getLogger().setLevel(max(_said.level, logging.WARNING) if on else _said.level)


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask secrets and drop what would name or show a person, whoever put it into which field."""
    return {key: _clean(key, value) for key, value in event.items() if not _personal(key, value)}


def configure(level: str | None = None, tell: Teller | None = None) -> None:
    """Route structlog and the libraries' own logging to stderr, as JSON or by ``tell``.

    ``level`` is debug, info, warning or error; by default GATE_AGENT_LOG_LEVEL says it, else info.
    A level that is none of these counts as info: a log is no reason not to start.
    """
    wanted = (level or os.environ.get(LEVEL_VARIABLE) or "info").upper()
    number = logging.getLevelNamesMapping().get(wanted, logging.INFO)
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_without_words),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    rendered: _PriorityRenderer | _ForPeople = (
        _PriorityRenderer(journal=_is_journal()) if tell is None else _ForPeople(tell)
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact,
                rendered,
            ],
        )
    )
    # A teller leaves entries out: whoever renders ends the line.
    handler.terminator = ""
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(number)
    _said.level, _said.thins = number, tell is None
    # A log that cannot be written is lost; it must not print a traceback or end a thread.
    logging.raiseExceptions = False


def _without_words(exc_info: structlog.typing.ExcInfo) -> str:
    """Where an exception came from, and its class; its text only where it is one of our own.

    A text of unknown origin may quote a person or a secret.
    """
    lines = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        said = f": {error}" if isinstance(error, GateAgentError) else ""
        lines += [f"{type(error).__name__}{said}", *traceback.format_tb(error.__traceback__)]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n".join(line.rstrip() for line in lines)


class _PriorityRenderer:
    """A line of JSON, behind its priority where the journal reads it."""

    def __init__(self, *, journal: bool) -> None:
        self._journal = journal
        self._json = structlog.processors.JSONRenderer(sort_keys=False, default=_unknown)

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        priority = _PRIORITIES.get(str(event.get("level")), 6)
        line = str(self._json(logger, method, event))
        # Called under the handler's lock; the line is ASCII.
        _said.bytes += len(line) + 1
        return f"<{priority}>{line}\n" if self._journal else f"{line}\n"


class _ForPeople:
    """What a teller makes of an entry, or nothing."""

    def __init__(self, tell: Teller) -> None:
        self._tell = tell

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
        line = self._tell(event)
        return "" if line is None else f"{line}\n"


def _personal(key: str, value: Any) -> bool:
    return key.lower() in _PERSONAL or isinstance(value, np.ndarray | bytes | bytearray)


def _clean(key: str, value: Any, depth: int = 0) -> Any:
    if any(secret in key.lower() for secret in _SECRETS):
        return MASK
    if depth >= _DEEPEST:
        return MASK
    if isinstance(value, dict):
        return {
            str(inner): _clean(str(inner), item, depth + 1)
            for inner, item in value.items()
            if not _personal(str(inner), item)
        }
    if isinstance(value, list | tuple):
        return [_clean("", item, depth + 1) for item in value if not _personal("", item)]
    return value


def _unknown(value: Any) -> str:
    # A class may print what it holds: only its name is known to be harmless.
    return str(value) if isinstance(value, PurePath) else f"<{type(value).__name__}>"


def _is_journal() -> bool:
    """Whether stderr is the stream that JOURNAL_STREAM names (systemd.exec(5))."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        status = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return (device, inode) == (str(status.st_dev), str(status.st_ino))

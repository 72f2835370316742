"""One way for every failure to reach its reader: a message on stderr, and the exit code.

    GateAgentError                        its message and fix         its exit_code
    wrong usage                           the message and the help    2
    Ctrl-C                                "interrupted"               130
    a question without an answer          "interrupted"               1
    the reader of stdout went away        nothing                     1
    a full or broken disk                 that                        69
    a file that is not to be had          its path                    69
    anything else: a defect               one line; --debug for more  70

With ``--json`` stdout gets one object more: ``error``, ``reason``, ``fix``, ``exit_code``; of a
wrong config ``findings`` as well.
"""

import contextlib
import errno
import json
import os
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.exceptions import Abort, TyperException

from agent.cli.terminal.style import plain
from agent.domain.credential.near import nearest
from agent.errors import ConfigError, GateAgentError, RefusedError, UnavailableError

FAILED, USAGE, INTERNAL = 1, 2, 70
INTERRUPTED = 130
"""As a shell has it for SIGINT: 128 and the number of the signal."""
DEBUG_VARIABLE = "GATE_AGENT_DEBUG"
_FIX = "\nFix: "
# What the library that checks values puts before each message.
_NOISE = "Value error, "
_NO_CHOICE = re.compile("'([^']*)' is not one of (.*)")
_NOT_TO_BE_HAD = (PermissionError, FileNotFoundError, IsADirectoryError, NotADirectoryError)
# stdout too may be a file on a full disk.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS}
Fitted = Callable[[str], str]


def report(
    error: BaseException, *, as_json: bool, debug: bool, fitted: Fitted = lambda fix: fix
) -> int:
    """Tell about ``error`` and answer with the exit code that stands for it.

    ``fitted`` makes a fix fit what was asked.
    """
    if isinstance(error, BrokenPipeError):
        silence_stdout()
        return FAILED
    if debug and not isinstance(error, TyperException | Abort):
        traceback.print_exception(error)
    if isinstance(error, KeyboardInterrupt | Abort):
        # A question that met the end of stdin ends alike, and nobody pressed anything.
        code = FAILED if isinstance(error.__context__, EOFError) else INTERRUPTED
        return _tell("interrupted", code, "interrupted", None, as_json=as_json)
    if isinstance(error, TyperException):
        return _usage(error, as_json=as_json)
    if isinstance(error, UnavailableError | PermissionError) and (owned := _owned(error)):
        reason = getattr(error, "reason", "unavailable")
        return _tell(owned[0], UnavailableError.exit_code, reason, owned[1], as_json=as_json)
    if isinstance(error, GateAgentError):
        return _expected(error, fitted, as_json=as_json)
    if isinstance(error, _NOT_TO_BE_HAD) and isinstance(error.filename, str | Path):
        fix = "name another place"
        if isinstance(error, PermissionError):
            fix = "run as the user who owns it, or name another place"
        message = f"{error.filename}: {error.strerror}"
        return _tell(message, UnavailableError.exit_code, "unavailable", fix, as_json=as_json)
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        fix = "free space, or write somewhere else"
        message = f"writing failed: {error.strerror}"
        return _tell(message, UnavailableError.exit_code, "unavailable", fix, as_json=as_json)
    # The type only: a message of unknown origin may hold what no log may hold.
    message = f"a fault inside the agent: {type(error).__name__}"
    fix = f"run it again with --debug or {DEBUG_VARIABLE}=1 and send what it prints"
    return _tell(message, INTERNAL, "internal", fix, as_json=as_json)


def _owned(error: UnavailableError | PermissionError) -> tuple[str, str] | None:
    """What to say and do where a file of the state is another user's."""
    from agent.app.open.files.owners import whose_fault
    from agent.app.open.paths import state_dir

    return whose_fault(error, state_dir())


def silence_stdout() -> None:
    """Nobody reads stdout any more: let what is still buffered go without a complaint at exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _usage(error: TyperException, *, as_json: bool) -> int:
    context = getattr(error, "ctx", None)
    command = getattr(context, "command_path", None) or "gate-agent"
    message = _with_what_was_meant(error).replace(_NOISE, "")
    if "\n" in message:
        # A group without a command: its help is the message.
        print(message, file=sys.stderr)  # noqa: T201 - the one place where errors are printed
        return USAGE
    return _tell(message, USAGE, "usage", f"{command} --help", as_json=as_json)


def _with_what_was_meant(error: TyperException) -> str:
    """The message, with the nearest option or value where one that is not known was given."""
    message = error.format_message()
    possible = getattr(error, "possibilities", None)
    if possible:
        return f"{error.message}. Did you mean {' or '.join(map(repr, sorted(possible)))}?"
    given = _NO_CHOICE.search(message)
    near = None if given is None else nearest(given[1], re.findall("'([^']*)'", given[2]))
    return message if near is None else f"{message} Did you mean {near!r}?"


def _expected(error: GateAgentError, fitted: Fitted, *, as_json: bool) -> int:
    message, _, fix = str(error).partition(_FIX)
    if isinstance(error, ConfigError):
        return _config(error, message, fitted(fix) or None, as_json=as_json)
    reason = error.reason if isinstance(error, RefusedError | UnavailableError) else "failed"
    return _tell(message, error.exit_code, reason, fitted(fix) or None, as_json=as_json)


def _config(error: ConfigError, message: str, fix: str | None, *, as_json: bool) -> int:
    """A wrong config: each fault with its line where there is one."""
    title = "the config is wrong"
    found = [fault.as_json() for fault in error.faults]
    answer = _answer(f"{title}\n{message}", error.exit_code, "config", fix) | {"findings": found}
    if error.source is None or all(fault.line is None for fault in error.faults):
        _say(f"{title}\n{message}", fix, answer if as_json else None)
        return error.exit_code
    from agent.cli.terminal.excerpt import screen_of, shown

    screen = screen_of(sys.stderr)
    blocks = ["\n".join(shown(fault, error.source, screen)) for fault in error.faults]
    _say(title, None, answer if as_json else None, "\n\n".join(blocks))
    return error.exit_code


def _tell(message: str, code: int, reason: str, fix: str | None, *, as_json: bool) -> int:
    _say(message, fix, _answer(message, code, reason, fix) if as_json else None)
    return code


def _answer(message: str, code: int, reason: str, fix: str | None) -> dict[str, Any]:
    return {"error": message, "reason": reason, "fix": fix, "exit_code": code}


def _say(message: str, fix: str | None, answer: dict[str, Any] | None, more: str = "") -> None:
    """A failure on stderr, with ``more`` that is plain already, and ``answer`` on stdout."""
    lines = "\n".join(plain(line) for line in message.splitlines())
    with contextlib.suppress(OSError):
        print(f"error: {lines}", file=sys.stderr)  # noqa: T201 - the one place for errors
        if more:
            print(f"\n{more}", file=sys.stderr)  # noqa: T201 - the one place for errors
        if fix is not None:
            print(f"Fix: {plain(fix)}", file=sys.stderr)  # noqa: T201 - the one place for errors
        if answer is not None:
            print(json.dumps(answer), flush=True)  # noqa: T201 - the one place for errors

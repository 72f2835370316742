"""A command in the test's own process: its imports, which are most of its cost, come once."""

import contextlib
import io
import logging
import os
import subprocess
from collections.abc import Iterator, Mapping
from unittest.mock import patch

import structlog

from agent.cli.main import main


def run_here(
    *arguments: object, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """``gate-agent`` with these words, in this environment and no other; what it said."""
    words = [str(argument) for argument in arguments]
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with (
        patch.dict(os.environ, environment, clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _logs_as_before(),
    ):
        code = main(words)
    return subprocess.CompletedProcess(words, code, _said(out), _said(err))


def _said(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


@contextlib.contextmanager
def _logs_as_before() -> Iterator[None]:
    """A command sets up the process's logs; the tests after it must hear as if it had not."""
    root, configured = logging.getLogger(), structlog.get_config()
    level, handlers = root.level, root.handlers[:]
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
        structlog.configure(**configured)

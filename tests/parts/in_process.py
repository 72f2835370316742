"""A command in the test's own process: its imports, which are most of its cost, come once."""

import contextlib
import io
import os
import subprocess
from collections.abc import Mapping
from unittest.mock import patch

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
    ):
        code = main(words)
    return subprocess.CompletedProcess(words, code, _said(out), _said(err))


def _said(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()

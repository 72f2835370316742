"""A terminal of a given width, in which a command of this process is looked at."""

import fcntl
import io
import os
import pty
import struct
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from golden import held

from agent.cli.main import main

WIDTHS = (60, 80, 160)


@contextmanager
def terminal(columns: int) -> Iterator[tuple[io.TextIOWrapper, list[bytes]]]:
    """A pseudo-terminal to write to, and what was written, whole once the block is left."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    seen: list[bytes] = []

    def read() -> None:
        # Linux answers EIO once the other end is closed: all was read.
        try:
            while data := os.read(ours, 65_536):
                seen.append(data)
        except OSError:
            pass

    reader = threading.Thread(target=read)
    reader.start()
    with io.TextIOWrapper(os.fdopen(theirs, "wb", 0), "utf-8", write_through=True) as stream:
        yield stream, seen
    reader.join(10)
    os.close(ours)


def screen(
    monkeypatch: pytest.MonkeyPatch, columns: int, *words: object, colour: bool = False
) -> str:
    """What a terminal of ``columns`` shows of a command: stdout and stderr as they come."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    if colour:
        monkeypatch.delenv("NO_COLOR", raising=False)
    else:
        monkeypatch.setenv("NO_COLOR", "1")
    return shown_by(lambda: main([str(word) for word in words]), monkeypatch, columns)


def shown_by(deed: Callable[[], object], monkeypatch: pytest.MonkeyPatch, columns: int) -> str:
    """What a terminal of ``columns`` shows of a deed, in the environment that there is."""
    with terminal(columns) as (stream, seen), monkeypatch.context() as swapped:
        swapped.setattr(sys, "stdout", stream)
        swapped.setattr(sys, "stderr", stream)
        deed()
        stream.flush()
    return b"".join(seen).decode().replace("\r\n", "\n")


def golden_screen(
    name: str, monkeypatch: pytest.MonkeyPatch, columns: int, *words: object, colour: bool = False
) -> str:
    """The screen, held against the golden file of this name and width."""
    shown = screen(monkeypatch, columns, *words, colour=colour)
    held(shown, f"{name}-{columns}{'-colour' if colour else ''}.txt")
    return shown

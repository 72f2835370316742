"""What a ``gate-agent`` command said, and where the program and the photographs are."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).parent / "gate-agent"
TIMEOUT_S = 120.0
END = b"--end--"


@dataclass(frozen=True)
class Answer:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The only JSON value on stdout; anything else there fails."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """A JSON value a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Gate = Callable[..., Answer]
Typed = Callable[..., Answer]
"""The same at a terminal on which its first word is typed."""


def read_until(terminal: int, end: bytes) -> str:
    """What was written to a terminal before ``end``; it may come in pieces."""
    said = b""
    while end not in said:
        said += os.read(terminal, 65536)
    return said.partition(end)[0].decode()

"""Reads the symbols of image files and says what each of them is worth."""

import base64
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.credentials.kinds import kind_of
from agent.domain.credential.credential import CredentialKind, Verdict
from agent.domain.sight.symbol import Symbol
from agent.errors import ImageError
from agent.vision.stills.images import read_on_white, readable
from agent.vision.symbols.symbols import read_symbols

Judge = Callable[[str, CredentialKind], Verdict]
"""What a credential's text is worth; never called for what is none of ours."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """One image: its symbols with their verdicts, or the error that kept it from being read."""

    file: str
    symbols: tuple[tuple[Symbol, CredentialKind, Verdict], ...]
    ms: float
    error: str | None = None

    def as_json(self) -> dict[str, Any]:
        """As ``gate-agent scan --json`` prints an image."""
        return {
            "file": self.file,
            "symbols": [
                {
                    "format": symbol.format,
                    "text": symbol.text,
                    "bytes_base64": base64.b64encode(symbol.content).decode(),
                    "decoder": symbol.decoder,
                    "ms": round(symbol.ms, 3),
                    "kind": kind.value,
                    "verdict": {
                        "valid": verdict.valid,
                        "reason": None if verdict.reason is None else verdict.reason.value,
                    },
                }
                for symbol, kind, verdict in self.symbols
            ],
            "ms": round(self.ms, 3),
            "error": self.error,
        }


def scan(files: Iterable[str], judge: Judge) -> Iterator[Scanned]:
    """One result a file, in their order; a file that cannot be read does not stop the others."""
    for file in files:
        start_s = time.perf_counter()
        try:
            with readable():
                found = read_symbols(read_on_white(Path(file)))
        except ImageError as error:
            yield Scanned(file, (), (time.perf_counter() - start_s) * 1000.0, str(error))
            continue
        judged = []
        for symbol in found:
            kind = kind_of(symbol.text)
            judged.append((symbol, kind, judge(symbol.text or "", kind)))
        yield Scanned(file, tuple(judged), (time.perf_counter() - start_s) * 1000.0)

"""Reads the symbols of image files and says what each of them is worth.

A SMART Health Card in several codes is judged once all of them were read, in whichever files and
order: results from its first code on wait for it, and a code whose others never come is waiting, no
failure.
"""

import base64
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.credentials.health.card_parts import Part, PartCollector, Whole, part_of
from agent.credentials.kinds import kind_of
from agent.domain.credential.credential import CredentialKind, Verdict
from agent.domain.sight.symbol import Symbol
from agent.errors import ImageError
from agent.vision.stills.images import read_on_black, read_on_white
from agent.vision.symbols.symbols import read_symbols

Judge = Callable[[str, CredentialKind], Verdict]
"""What a credential's text is worth; never called for what is none of ours."""


WAITING = Verdict(valid=False, reason=None)
"""Of a part whose others were not shown: nothing is wrong, and nothing valid either."""


@dataclass(slots=True)
class Judged:
    """A symbol, what it claims to be and what it is worth; ``part`` where it is one of several."""

    symbol: Symbol
    kind: CredentialKind
    verdict: Verdict
    part: Part | None = None

    @property
    def waiting(self) -> bool:
        """Whether the other parts are missing."""
        return self.part is not None and self.verdict is WAITING

    def as_json(self) -> dict[str, Any]:
        """As ``gate-agent scan --json`` prints a symbol.

        What is no part has no word of parts, and only a pass of an unknown issuer names one.
        """
        reason = self.verdict.reason
        shown: dict[str, Any] = {
            "format": self.symbol.format,
            "text": self.symbol.text,
            "bytes_base64": base64.b64encode(self.symbol.content).decode(),
            "decoder": self.symbol.decoder,
            "ms": round(self.symbol.ms, 3),
            "kind": self.kind.value,
            "verdict": {
                "valid": self.verdict.valid,
                "reason": None if reason is None else reason.value,
            },
        }
        if self.verdict.unknown_issuer is not None:
            shown["unknown_issuer"] = self.verdict.unknown_issuer
        if self.part is not None:
            shown["part"] = {"number": self.part.number, "count": self.part.count}
            shown["waiting"] = self.waiting
        return shown


@dataclass(frozen=True, slots=True)
class Scanned:
    """One image: its symbols with their verdicts, or the error that kept it from being read."""

    file: str
    symbols: tuple[Judged, ...]
    ms: float
    error: str | None = None

    @property
    def waiting(self) -> bool:
        """Whether it holds a part whose others are missing."""
        return any(one.waiting for one in self.symbols)

    def as_json(self) -> dict[str, Any]:
        """As ``gate-agent scan --json`` prints an image."""
        return {
            "file": self.file,
            "symbols": [one.as_json() for one in self.symbols],
            "ms": round(self.ms, 3),
            "error": self.error,
        }


def scan(files: Iterable[str], judge: Judge) -> Iterator[Scanned]:
    """One result a file, in their order; a file that cannot be read does not stop the others."""
    cards = _Cards(judge)
    held: deque[Scanned] = deque()
    for file in files:
        held.append(_scanned(file, judge, cards))
        while held and not held[0].waiting:
            yield held.popleft()
    yield from held


def _scanned(file: str, judge: Judge, cards: "_Cards") -> Scanned:
    start_s = time.perf_counter()
    try:
        found = _symbols(Path(file))
    except ImageError as error:
        return Scanned(file, (), (time.perf_counter() - start_s) * 1000.0, str(error))
    judged = []
    for symbol in found:
        kind, part = kind_of(symbol.text), part_of(symbol.text)
        if part is None:
            judged.append(Judged(symbol, kind, judge(symbol.text or "", kind)))
        else:
            judged.append(Judged(symbol, kind, WAITING, part))
            cards.add(judged[-1], part)
    return Scanned(file, tuple(judged), (time.perf_counter() - start_s) * 1000.0)


def _symbols(file: Path) -> list[Symbol]:
    found = read_symbols(read_on_white(file))
    if found:
        return found
    # Light modules on nothing are white on white.
    dark = read_on_black(file)
    return [] if dark is None else read_symbols(dark)


class _Cards:
    """Parts of cards, and the verdict of each card on all that carry a part of it."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._collector = PartCollector(math.inf)
        self._carriers: dict[str, list[Judged]] = {}

    def add(self, one: Judged, part: Part) -> None:
        carriers = self._carriers.setdefault(part.text, [])
        # The same code in another photograph is what it was found to be.
        if carriers:
            one.verdict = carriers[0].verdict
        carriers.append(one)
        first = None
        for whole in self._collector.add(part, 0.0).wholes:
            verdict = self._judge(whole.text, one.kind)
            if verdict.valid:
                shared = [text for text in whole.parts if len(self._carriers[text]) > 1]
                self._collector.forget(whole, shared)
                self._settle(whole, verdict)
                return
            first = first or (whole, verdict)
        if first is not None:
            self._settle(*first)

    def _settle(self, whole: Whole, verdict: Verdict) -> None:
        for text in whole.parts:
            for carrier in self._carriers[text]:
                # Parts of two cards may have been tried together: what was found valid stays so.
                if not carrier.verdict.valid:
                    carrier.verdict = verdict

"""Codes on a wall beside a gate: a reader that sees them, and everything real behind it."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from gate_parts import PASS, REGISTRY, Gate
from health_parts import certificate_text
from health_verdicts import CARD_TRUST
from pass_parts import COMMUNITY, ISSUERS, NOW, OTHER_KEY, claims, text

from agent.app.threads.senses.codes import Outlook
from agent.app.threads.senses.symbols import SymbolWatcher
from agent.app.threads.senses.verifier import CredentialVerifier, Sources
from agent.app.threads.worker import Slot
from agent.credentials.health.eu_dcc_rules import AcceptanceRules
from agent.domain.access.rule import Rule
from agent.domain.credential.gate_pass import PassId
from agent.domain.sight.image import Frame
from agent.domain.sight.symbol import Symbol
from agent.domain.sight.track import Box

WALL = 16
FRAME_S = 1 / 15
WIDTH, HEIGHT = 1280, 960
BY_PASS = Rule(frozenset({"resident"}), factors=(frozenset({PASS}),))
ON_THE_WALL = [PassId(f"{0xA0 + number:016x}") for number in range(WALL)]
REVOKED = replace(REGISTRY, revoked=frozenset(ON_THE_WALL))
SOURCES = Sources(
    ISSUERS, COMMUNITY, lambda _: CARD_TRUST, AcceptanceRules(), pack="dlib", pack_version="1",
    components=128,
)  # fmt: skip


def _wrongly_signed(number: int) -> str:
    genuine = text(claims(id=ON_THE_WALL[number % WALL]))
    return genuine[:-4] + ("AAAA" if genuine[-4:] != "AAAA" else "BBBB")


def _of(**changes: object) -> Callable[[int], str]:
    return lambda number: text(claims(id=ON_THE_WALL[number % WALL], **changes))


KINDS: dict[str, Callable[[int], str]] = {
    "text": lambda number: f"https://menu.example/{number}",
    "rubbish": lambda number: f"GP1:NONSENSE{number}",
    "unknown issuer": lambda number: text(claims(id=PassId(f"{number:016x}")), key=OTHER_KEY),
    "wrong signature": _wrongly_signed,
    "expired": _of(valid_from=NOW - timedelta(days=9), valid_until=NOW - timedelta(days=1)),
    "elsewhere": _of(communities=frozenset({"hillside"})),
    "revoked": _of(),
    "health": lambda number: certificate_text(iss=f"X{number}"),
    "health rubbish": lambda number: f"HC1:NONSENSE{number}",
    "part of a card": lambda number: f"shc:/{number % 3 + 1}/4/{number:06d}",
}
"""What a stranger can make sixteen of; the number makes another one of it."""


def symbol(shown: str, box: Box, encoding: str = "utf-8") -> Symbol:
    return Symbol("QRCode", shown.encode(encoding), shown, "zxing", 1.0, box)


class Wall:
    """Sixteen codes, a camera that misses some of them now and then, and perhaps a phone."""

    def __init__(self, kind: str | None, *, film: bool = False, missed: float = 0.0) -> None:
        """``film``: other codes in every frame. ``missed``: the share that is not read."""
        self._make = KINDS[kind] if kind else None
        self._film = film
        self._missed = missed
        self._random = random.Random(7)
        self._made = [self._make(number) for number in range(WALL)] if self._make else []
        self._frame = 0
        self.phone: str | None = None
        self.encoding = "utf-8"
        self.picture: Callable[[], list[Symbol]] | None = None
        self.phone_at = Box(500, 500, 200, 200)

    def hang(self, shown: str) -> None:
        """One more code on the wall."""
        self._made.append(shown)

    @property
    def unread(self) -> list[Box]:
        """Every code on the wall can be read."""
        return []

    def look(self, image: object) -> list[Symbol]:
        if self.picture is not None:
            return self.picture()
        self._frame += 1
        if self._film and self._make is not None:
            first = self._frame * WALL
            self._made = [self._make(first + number) for number in range(WALL)]
        boxes = [Box(20 + 70 * n, 20 + n % 3, 60, 60) for n in range(WALL)]
        found = [
            symbol(one, box)
            for one, box in zip(self._made, boxes, strict=False)
            if self._random.random() >= self._missed
        ]
        if self.phone is not None:
            found.insert(len(found) // 2, symbol(self.phone, self.phone_at, self.encoding))
        return found


class WalledGate(Gate):
    """A gate whose camera sees a wall; codes go the whole way to the controller."""

    def __init__(
        self,
        wall: Wall,
        *rules: Rule,
        utc: datetime = NOW,
    ) -> None:
        super().__init__(*(rules or (BY_PASS,)), registry=REVOKED, utc=utc)
        self.verifier = CredentialVerifier(lambda: SOURCES)
        self.wall = wall
        self.watchers = {"north-entry": self.watcher("north-entry", wall)}

    def watcher(self, point: str, wall: Wall) -> SymbolWatcher:
        inside = Box(0, 200, WIDTH, HEIGHT - 200)
        return SymbolWatcher(
            point,
            wall,
            Slot[Frame](),
            self.verifier,
            self.clock,
            self.tell,
            outlook=Outlook(lambda box, *_: box.overlap(inside) > 0),
        )

    def codes(self) -> list[Any]:
        """What is remembered of codes at the entry."""
        known = self.watchers["north-entry"].codes._codes.values()
        return [code for same in known for code in same]

    def see(self, seconds: float, until: Callable[[], bool] = lambda: False) -> float:
        """Frames of every camera for so long, or ``until``; how long it was."""
        image, began_s = np.zeros((HEIGHT, WIDTH, 3), np.uint8), self.clock.now().monotonic_s
        for number in range(round(seconds / FRAME_S)):
            for watcher in self.watchers.values():
                watcher.look(Frame(image, self.clock.now().monotonic_s, number))
            if until():
                break
            self.clock.advance(FRAME_S)
        return self.clock.now().monotonic_s - began_s

    def opens(self, seconds: float) -> float:
        """How long it takes until it opens; no less than ``seconds`` where it does not."""
        before = self.opened()
        return self.see(seconds, lambda: self.opened() > before)

    def visit(self, number: int, seconds: float = 1.5) -> float | None:
        """Somebody holds up a genuine pass of their own: how long until it opened, or None."""
        before = self.opened()
        self.wall.phone = text(claims(id=PassId(f"{0xF000 + number:016x}")))
        took_s = self.opens(seconds)
        self.wall.phone = None
        self.see(0.5)
        self.wait(3.5)
        return took_s if self.opened() > before else None

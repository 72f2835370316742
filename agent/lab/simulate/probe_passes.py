"""Passes as those have them who try a simulated gate: genuine, flicked, amid sheets of codes."""

import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.app.threads.senses.codes import Codes, Outlook
from agent.app.threads.senses.verifier import CredentialVerifier, Sources
from agent.credentials.health.eu_dcc_rules import AcceptanceRules
from agent.credentials.health.trust import TrustList
from agent.credentials.passes.gate_pass import issue
from agent.credentials.passes.issuers import IssuerKey, Issuers
from agent.domain.credential.gate_pass import GatePass, PassId
from agent.domain.credential.holder import HolderId
from agent.domain.credential.presented import PassPresented, Presented
from agent.domain.hours.instant import Instant
from agent.domain.sight.symbol import Symbol
from agent.domain.sight.track import Box
from agent.lab.simulate import layout

Shows = Callable[[float], Sequence[Presented]]
ISSUED = layout.BEGIN - timedelta(days=2)
_ISSUER = "lakeside-office"
_FIRST_ID = 10_000_000
_SHEET, _WIDTH, _HEIGHT = 16, 1280, 960
_IN_HAND = Box(500, 500, 200, 200)
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_IN_ZONE = Outlook(lambda box, *_: box.y >= 200)
SHEETS = ("text", "rubbish", "unknown issuer", "wrong signature", "expired", "elsewhere")


class Passes:
    """Makes them, and what is seen of them; every presentation has an id of its own."""

    def __init__(self, instant: Callable[[], Instant], chance: random.Random) -> None:
        self._instant, self._chance = instant, chance
        self._ids, self._numbers = itertools.count(_FIRST_ID), itertools.count(0xCA0000)
        self._sheets = itertools.count(2)
        self._key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        self._other = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        issuers = Issuers([IssuerKey(_ISSUER, self._key.public_key())])
        self._sources = Sources(issuers, None, lambda _: TrustList(), AcceptanceRules(), "", "", 0)

    def made(
        self,
        holder: str,
        *,
        uses: int | None = None,
        issued_at: datetime = ISSUED,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
    ) -> GatePass:
        """A genuine pass about somebody, of the category that their id begins with."""
        return GatePass(
            id=PassId(f"{next(self._numbers):016x}"),
            issuer=_ISSUER,
            holder=HolderId(holder),
            category=holder.partition(".")[0],
            communities=frozenset({layout.COMMUNITY}),
            valid_until=valid_until or layout.BEGIN + timedelta(days=400),
            valid_from=valid_from or layout.BEGIN - timedelta(days=400),
            uses=uses,
            kiosk=None if uses is None else f"{layout.GRID}/{layout.KIOSK}",
            issued_at=issued_at,
        )

    def held_up(self, one: GatePass) -> Shows:
        """It is shown all the time."""
        return self.flicked(one, 1e9, 0.0)

    def flicked(self, one: GatePass, shown_s: float, hidden_s: float) -> Shows:
        """Shown, hidden and shown again: each time a presentation of its own."""
        seen: dict[int, PassPresented] = {}

        def shows(after_s: float) -> Sequence[Presented]:
            times, since_s = divmod(after_s, shown_s + hidden_s)
            if since_s > shown_s:
                return ()
            now_s = self._instant().monotonic_s
            again = int(times)
            if again not in seen:
                seen[again] = PassPresented(next(self._ids), now_s, one)
            return (seen[again],)

        return shows

    def sheet(self, kind: str, *, film: bool) -> "Sheet":
        """Sixteen codes of a stranger on the wall; with ``film`` others in every frame."""
        codes = Codes(CredentialVerifier(lambda: self._sources), _IN_ZONE)
        made = [self._code(kind, number) for number in range(_SHEET)]
        changed = self._changed if film else None
        return Sheet(codes, made, changed, self._instant, next(self._sheets) * _FIRST_ID)

    def signed(self, one: GatePass) -> str:
        """As its issuer gave it out."""
        return issue(one, self._key, ISSUED)

    def _code(self, kind: str, number: int) -> str:
        one = self.made(f"guest.{900_000 + number}")
        match kind:
            case "text":
                return f"https://menu.example/{number}"
            case "rubbish":
                return f"GP1:NONSENSE{number}"
            case "unknown issuer":
                return issue(one, self._other, ISSUED)
            case "expired":
                ended = layout.BEGIN - timedelta(days=1)
                begun = layout.BEGIN - timedelta(days=9)
                past = replace(one, valid_from=begun, valid_until=ended, issued_at=begun)
                return issue(past, self._key, begun)
            case "elsewhere":
                return self.signed(replace(one, communities=frozenset({"hillside"})))
        return self._changed(self.signed(one))

    def _changed(self, code: str) -> str:
        """Another code, as well formed; of a pass with another signature."""
        return code[:-4] + "".join(self._chance.choices(_ALPHABET, k=4))


class Sheet:
    """The codes on a wall, and the kiosk's own way from what is read to what is said of it."""

    def __init__(
        self,
        codes: Codes,
        texts: list[str],
        changed: Callable[[str], str] | None,
        instant: Callable[[], Instant],
        first_id: int,
    ) -> None:
        """``changed`` makes another code of each, frame by frame."""
        self._first_id = first_id
        self._codes, self._texts, self._changed, self._instant = codes, texts, changed, instant
        self._boxes = [Box(20 + 70 * n, 20 + n % 3, 60, 60) for n in range(len(texts))]

    def shows(self, phone: str | None = None) -> Shows:
        """What the kiosk makes of the frames while ``phone`` is held up before the sheet."""

        def look(_after_s: float) -> Sequence[Presented]:
            if self._changed is not None:
                self._texts = [self._changed(text) for text in self._texts]
            seen = [_symbol(*one) for one in zip(self._texts, self._boxes, strict=True)]
            if phone is not None:
                seen.insert(len(seen) // 2, _symbol(phone, _IN_HAND))
            said = self._codes.look(seen, (_WIDTH, _HEIGHT), self._instant())
            return [replace(one, id=one.id + self._first_id) for one in said]

        return look


def _symbol(text: str, box: Box) -> Symbol:
    return Symbol("QRCode", text.encode(), text, "zxing", 1.0, box)

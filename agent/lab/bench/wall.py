"""What sixteen codes of strangers cost a frame: read, looked at for the first time, and hanging.

They are well-formed passes of a known issuer with a wrong signature, in a frame of 1280 x 960;
beside them stands a frame with one of them. Decoding takes longer the more codes there are, and
happens on the symbols' own thread; what is made of them afterwards has a budget a frame.
"""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np
import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.app.threads.senses.codes import Codes
from agent.app.threads.senses.verifier import CredentialVerifier, Sources
from agent.credentials.health.eu_dcc_rules import AcceptanceRules
from agent.credentials.health.trust import TrustList
from agent.credentials.passes.gate_pass import issue, new_pass_id
from agent.credentials.passes.issuers import IssuerKey, Issuers
from agent.domain.credential.gate_pass import GatePass
from agent.domain.credential.holder import HolderId
from agent.domain.hours.instant import Instant
from agent.domain.sight.symbol import Symbol
from agent.vision.symbols.symbol_passes import Grey
from agent.vision.symbols.symbols import SymbolWatch

CODES = 16
_WIDTH, _HEIGHT, _CELL_PX = 1280, 960, 240
_UTC = datetime(2026, 5, 6, 12, tzinfo=UTC)


def frame_of(texts: list[str]) -> Grey:
    """Up to sixteen codes in rows of four, three pixels a module."""
    image = np.full((_HEIGHT, _WIDTH), 200, np.uint8)
    for number, text in enumerate(texts):
        rows = np.array(list(segno.make(text, error="m", boost_error=False).matrix_iter(border=4)))
        code = np.where(rows > 0, 18, 235).astype(np.uint8).repeat(3, 0).repeat(3, 1)
        y, x = (number // 4) * _CELL_PX, (number % 4) * _CELL_PX + _CELL_PX // 4
        image[y : y + code.shape[0], x : x + code.shape[1]] = code
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 0.6), dtype=np.uint8)


def forged_pass(key: Ed25519PrivateKey) -> str:
    """A pass that names ``key`` and has a wrong signature: the dearest of all refusals."""
    claims = GatePass(
        id=new_pass_id(),
        issuer="office",
        holder=HolderId("h-1"),
        category="resident",
        communities=frozenset({"lakeside"}),
        valid_until=_UTC + timedelta(days=1),
    )
    text = issue(claims, key, _UTC)
    return text[:-6] + ("000000" if text[-6:] != "000000" else "111000")


def bench_wall(frames: int) -> dict[str, Any]:
    """What a wall of codes costs, in medians over ``frames``.

    Keys: ``codes``, ``read`` (of them, in a frame), ``decode_ms``, ``decode_to_one`` (to a frame
    with one code); what is done with what was read: ``first_ms`` in the first frame, ``film_ms``
    where every frame shows others, ``standing_ms`` once they hang there; and the last two to
    decoding, ``film_to_decode`` and ``standing_to_decode``.
    """
    issuer = Ed25519PrivateKey.generate()
    trusted = Issuers([IssuerKey("office", issuer.public_key())])
    texts = [forged_pass(issuer) for _ in range(CODES)]
    wall, one = frame_of(texts), frame_of(texts[5:6])
    symbols, decode_s = _decode(wall, frames)
    _, one_s = _decode(one, frames)
    films = [[_says(one, forged_pass(issuer)) for one in symbols] for _ in range(frames)]
    first_s, standing_s = _say([symbols] * frames, trusted)
    _, film_s = _say(films, trusted)
    return {
        "codes": CODES,
        "read": len(symbols),
        "decode_ms": _ms(decode_s),
        "decode_to_one": round(decode_s / one_s, 3),
        "first_ms": _ms(first_s),
        "film_ms": _ms(film_s),
        "standing_ms": _ms(standing_s),
        "film_to_decode": round(film_s / decode_s, 3),
        "standing_to_decode": round(standing_s / decode_s, 3),
    }


def _says(symbol: Symbol, text: str) -> Symbol:
    return replace(symbol, content=text.encode(), text=text)


def _decode(image: Grey, frames: int) -> tuple[list[Symbol], float]:
    """What is read, and the median time of a frame."""
    watch, found, took = SymbolWatch(), list[Symbol](), []
    for _ in range(frames):
        start_s = time.perf_counter()
        found = max(found, watch.look(image), key=len)
        took.append(time.perf_counter() - start_s)
    return found, float(np.median(took))


def _say(films: list[list[Symbol]], trusted: Issuers) -> tuple[float, float]:
    """What the first frame takes, and the median of all others."""
    sources = Sources(trusted, None, lambda _: TrustList(), AcceptanceRules(), "", "", 0)
    codes = Codes(CredentialVerifier(lambda: sources))
    took = []
    for number, symbols in enumerate(films):
        now = Instant(number / 15, _UTC, utc_trusted=True)
        start_s = time.perf_counter()
        codes.look(symbols, (_WIDTH, _HEIGHT), now)
        took.append(time.perf_counter() - start_s)
    return took[0], float(np.median(took[1:]))


def _ms(seconds: float) -> float:
    return round(seconds * 1000.0, 3)

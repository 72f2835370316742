"""Keys of a pad in a reader, and what somebody has entered by them.

    kind    a frame is                            digits 0 to 9, then * and #
    4bit    one key, 4 bits                       0 to 9, 10, 11
    8bit    one key: its complement, then itself  likewise
    burst   all keys up to #, 4 bits each         likewise; * and # may be left out

    entry      a digit          *        #            10 s without a key
    empty      begun            empty    empty        -
    begun      kept, up to 12   empty    entered      empty
    too long   too long         empty    refused      empty

A key that is held down repeats: it makes an entry too long, which is refused as a whole and never
cut to what would fit. Nothing of what was entered stands in ``repr``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

KeypadKind = Literal["none", "4bit", "8bit", "burst"]
MOST_KEYS = 12
ENTRY_S = 10.0
_KEYS = "0123456789*#"


@dataclass(frozen=True, slots=True)
class Entered:
    """What somebody entered and ended by ``#``; ``digits`` None where it was too long."""

    digits: str | None = field(repr=False)


def keys_of(bits: Sequence[int], kind: KeypadKind) -> str | None:
    """The keys of a frame, None where it is none of a pad of this kind."""
    if len(bits) not in frame_lengths(kind):
        return None
    nibbles = [_value(bits[at : at + 4]) for at in range(0, len(bits), 4)]
    if kind == "8bit":
        complement, *nibbles = nibbles
        if complement ^ nibbles[0] != 0b1111:
            return None
    if any(one >= len(_KEYS) for one in nibbles):
        return None
    keys = "".join(_KEYS[one] for one in nibbles)
    if kind == "burst" and not keys.endswith("#"):
        keys += "#"
    return keys


def frame_lengths(kind: KeypadKind) -> frozenset[int]:
    """Of how many bits the frames of such a pad may be: no card has as many."""
    return {
        "none": frozenset[int](),
        "4bit": frozenset({4}),
        "8bit": frozenset({8}),
        "burst": frozenset(range(4, 4 * (MOST_KEYS + 1) + 1, 4)),
    }[kind]


@dataclass(slots=True)
class Keypad:
    """One pad's entry under way; seconds are on the monotonic clock."""

    _digits: str = field(default="", repr=False)
    _over: bool = False
    _last_s: float = float("-inf")

    def pressed(self, keys: str, now_s: float) -> list[Entered]:
        """What these keys end, one after the other."""
        if now_s - self._last_s > ENTRY_S:
            self._clear()
        self._last_s = now_s
        entered: list[Entered] = []
        for key in keys:
            if key == "*":
                self._clear()
            elif key != "#":
                self._over |= len(self._digits) >= MOST_KEYS
                self._digits += "" if self._over else key
            elif self._digits:
                entered.append(Entered(None if self._over else self._digits))
                self._clear()
        return entered

    def _clear(self) -> None:
        self._digits, self._over = "", False


def _value(bits: Sequence[int]) -> int:
    return int("".join(map(str, bits)), 2)

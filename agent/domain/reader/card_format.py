"""What the bits of a frame are: a card's number, by a table of formats, and nothing by guess.

    id       bits  facility  number  even parity          odd parity
    h10301   26    2-9       10-25   1 over 2-13          26 over 14-25
    w34      34    2-17      18-33   1 over 2-17          34 over 18-33
    h10302   37    -         2-36    1 over 2-19          37 over 19-36
    h10304   37    2-17      18-36   1 over 2-19          37 over 19-36

Bits are counted from 1, in the order in which they came. There is one format for a length: what a
frame of 37 bits is, H10302 or H10304, nobody could tell from it. A parity bit that is wrong, or a
length without a format, is no card, for one bit more or less is another number, and that number
may be somebody's. None of these formats protects against a copy, nor does their parity against one
who chooses the bits.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

ByteOrder = Literal["big", "little"]
Span = tuple[int, int]
"""From one bit to another, both counted, from 1."""


@dataclass(frozen=True, slots=True)
class Parity:
    """``at`` is the bit that makes the ones of itself and ``over`` even, or odd."""

    at: int
    over: frozenset[int]
    odd: bool = False

    def holds(self, bits: Sequence[int]) -> bool:
        """Whether it does, in a frame long enough."""
        ones = sum(bits[one - 1] for one in self.over | {self.at})
        return ones % 2 == int(self.odd)


@dataclass(frozen=True, slots=True)
class CardNumber:
    """A card by its format and what it says; never the number in ``repr``: logs print this."""

    format: str
    facility: int | None = field(repr=False)
    number: int = field(repr=False)

    @property
    def text(self) -> str:
        """In one writing, from which its hash is made: ``h10301:17:4711``, ``h10302:4711``."""
        parts = (self.facility, self.number)
        return ":".join((self.format, *(str(one) for one in parts if one is not None)))


@dataclass(frozen=True, slots=True)
class CardFormat:
    """How a frame of ``bits`` bits is read; ``facility`` None where it has none.

    ``byte_order`` ``little`` reads a field's bytes last to first, as some readers send a chip's
    number; the field is of whole bytes then.
    """

    id: str
    bits: int
    number: Span
    facility: Span | None = None
    parity: tuple[Parity, ...] = ()
    byte_order: ByteOrder = "big"

    def faults(self) -> list[str]:
        """What is wrong with it, in words; empty where it can be read."""
        found = []
        spans = {"number": self.number, "facility": self.facility}
        for name, span in spans.items():
            if span is None:
                continue
            if not 1 <= span[0] <= span[1] <= self.bits:
                found.append(f"{name} is {span[0]}-{span[1]}: from 1 to {self.bits}, upwards")
            elif self.byte_order == "little" and (span[1] - span[0] + 1) % 8:
                found.append(f"{name} has {span[1] - span[0] + 1} bits: whole bytes are turned")
        if self.facility and not found and _overlap(self.facility, self.number):
            found.append("facility and number have bits in common")
        for one in self.parity:
            outside = sorted(bit for bit in one.over | {one.at} if not 1 <= bit <= self.bits)
            if outside:
                found.append(f"parity names bit {outside[0]}: there are {self.bits}")
            if one.at in one.over:
                found.append(f"parity bit {one.at} is among those it is over")
            if not one.over:
                found.append(f"parity bit {one.at} is over no bit")
        return found

    def read(self, bits: Sequence[int]) -> CardNumber | None:
        """The card of a frame of this length; None where a parity bit is wrong."""
        if not all(one.holds(bits) for one in self.parity):
            return None
        facility = None if self.facility is None else self._value(bits, self.facility)
        return CardNumber(self.id, facility, self._value(bits, self.number))

    def written(self, facility: int | None, number: int) -> tuple[int, ...]:
        """The bits of a card, as a reader sends them.

        Raises:
            ValueError: it does not fit.
        """
        bits = [0] * self.bits
        if (facility is None) is not (self.facility is None):
            raise ValueError(f"{self.id} has {'no' if self.facility is None else 'a'} facility")
        for span, value in ((self.facility, facility), (self.number, number)):
            if span is not None and value is not None:
                self._put(bits, span, value)
        # One parity bit may be over another, whichever stands first.
        for one in sorted(self.parity, key=lambda each: len(each.over)):
            bits[one.at - 1] = (sum(bits[bit - 1] for bit in one.over) + int(one.odd)) % 2
        return tuple(bits)

    def _value(self, bits: Sequence[int], span: Span) -> int:
        value = int("".join(str(bit) for bit in bits[span[0] - 1 : span[1]]), 2)
        if self.byte_order == "big":
            return value
        size = (span[1] - span[0] + 1) // 8
        return int.from_bytes(value.to_bytes(size, "big"), "little")

    def _put(self, bits: list[int], span: Span, value: int) -> None:
        size = span[1] - span[0] + 1
        if not 0 <= value < 2**size:
            raise ValueError(f"{self.id} has {size} bits for it: 0 to {2**size - 1}")
        if self.byte_order == "little":
            value = int.from_bytes(value.to_bytes(size // 8, "little"), "big")
        bits[span[0] - 1 : span[1]] = [int(one) for one in f"{value:0{size}b}"]


def _run(first: int, last: int) -> frozenset[int]:
    return frozenset(range(first, last + 1))


def _halves(bits: int, first: int, second: int) -> tuple[Parity, Parity]:
    return Parity(1, _run(2, first)), Parity(bits, _run(second, bits - 1), odd=True)


BUILT_IN: Mapping[str, CardFormat] = {
    one.id: one
    for one in (
        CardFormat("h10301", 26, (10, 25), (2, 9), _halves(26, 13, 14)),
        CardFormat("w34", 34, (18, 33), (2, 17), _halves(34, 17, 18)),
        CardFormat("h10302", 37, (2, 36), None, _halves(37, 19, 19)),
        CardFormat("h10304", 37, (18, 36), (2, 17), _halves(37, 19, 19)),
    )
}
"""What makers have in common, by id."""

FORMAT_ID_PATTERN = r"^[a-z][a-z0-9._-]{0,31}$"
_CARD_TEXT = re.compile(r"([a-z][a-z0-9._-]{0,31})((?::\d{1,40}){1,2})", re.ASCII)


def read_card_text(text: str, formats: Iterable[CardFormat]) -> CardNumber:
    """The card of a writing such as ``h10301:17:4711``; spaces and leading noughts do not count.

    Raises:
        ValueError: it is none of these formats, or does not fit it; the number is not repeated.
    """
    known = {one.id: one for one in formats}
    found = _CARD_TEXT.fullmatch("".join(text.split()).lower())
    if found is None:
        raise ValueError("a card is FORMAT:FACILITY:NUMBER, or FORMAT:NUMBER")
    if found[1] not in known:
        raise ValueError(f"there is no card format {found[1]!r}: {', '.join(sorted(known))}")
    fields = [int(one) for one in found[2].split(":")[1:]]
    facility, number = (None if len(fields) == 1 else fields[0]), fields[-1]
    known[found[1]].written(facility, number)
    return CardNumber(found[1], facility, number)


def _overlap(one: Span, other: Span) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]

"""[[card_format]]: what a frame of so many bits is, where makers have no name for it."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field

from agent.config.base import Table
from agent.config.whole import Finding, Whole, repeated
from agent.domain.reader.card_format import (
    BUILT_IN,
    FORMAT_ID_PATTERN,
    CardFormat,
    Parity,
    Span,
)
from agent.domain.reader.pulses import MOST_BITS

_SPAN = r"[1-9][0-9]{0,2}(-[1-9][0-9]{0,2})?"
_LEAST_BITS = 8
SPAN_PATTERN = rf"^{_SPAN}$"
PARITY_PATTERN = rf"^[1-9][0-9]{{0,2}}:{_SPAN}(,{_SPAN})*$"

BitSpan = Annotated[str, Field(pattern=SPAN_PATTERN, description="bits, counted from 1: 2-9")]
ParityMask = Annotated[
    str, Field(pattern=PARITY_PATTERN, description="its bit, and those it is over: 1:2-13,20")
]


class CardFormatConfig(Table):
    """A card's format of your own, for the ``formats`` of a reader; bits are counted from 1."""

    id: Annotated[str, Field(max_length=32, description="what a reader calls it: a-z 0-9 . _ -")]
    bits: Annotated[int, Field(ge=1, le=MOST_BITS, description="so many has a frame, 8 or more")]
    number: Annotated[str, Field(max_length=16, description="bits, counted from 1: 10-25")]
    facility: BitSpan | None = None
    even: Annotated[
        tuple[ParityMask, ...],
        Field(max_length=8, description="bits of even parity, and over what"),
    ] = ()
    odd: Annotated[
        tuple[ParityMask, ...], Field(max_length=8, description="bits of odd parity, and over what")
    ] = ()
    byte_order: Annotated[
        Literal["big", "little"],
        Field(description="little: the last byte of a field is sent first"),
    ] = "big"

    def made(self) -> CardFormat:
        """The format; its own ``faults`` say whether it can be read."""
        return CardFormat(
            self.id,
            self.bits,
            _span(self.number),
            None if self.facility is None else _span(self.facility),
            (*_masks(self.even, odd=False), *_masks(self.odd, odd=True)),
            self.byte_order,
        )

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Formats that cannot be read, and names that are taken."""
        rows = whole.rows(cls)
        yield from repeated("card_format", [one.id for one in rows])
        for i, one in enumerate(rows):
            path = ("card_format", i)
            if any(whole.unsure(*path, key) for key in cls.model_fields):
                continue
            if one.id in BUILT_IN:
                yield (*path, "id"), f"{one.id!r} is a built-in format", "rename it"
            if not re.fullmatch(FORMAT_ID_PATTERN, one.id):
                message = f"{one.id!r} is none of a-z 0-9 . _ -, a letter first"
                yield (*path, "id"), message
            if one.bits < _LEAST_BITS:
                yield (*path, "bits"), f"a card has {_LEAST_BITS} bits or more"
            elif not re.fullmatch(SPAN_PATTERN, one.number):
                yield (*path, "number"), f"{one.number!r} names no bits", 'write "10-25"'
            else:
                yield from ((path, said) for said in one.made().faults())

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Those that take any frame of their length for a card."""
        for i, one in enumerate(whole.rows(cls)):
            if not one.even and not one.odd:
                message = (
                    f"card format {one.id} has no parity: a bit that noise has turned makes another"
                    f" card's number, and nobody notices"
                )
                yield ("card_format", i), message


def _span(text: str) -> Span:
    """Bits that no format has, where the text names none: then it cannot be read either."""
    if not re.fullmatch(SPAN_PATTERN, text):
        return 0, 0
    first, _, last = text.partition("-")
    return int(first), int(last or first)


def _masks(texts: Sequence[str], *, odd: bool) -> Iterator[Parity]:
    for text in texts:
        at, *spans = re.split("[:,]", text)
        over = (range(first, last + 1) for first, last in map(_span, spans))
        yield Parity(int(at), frozenset(bit for one in over for bit in one), odd=odd)

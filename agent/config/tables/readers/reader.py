"""[[reader]]: a reader of cards, with or without a keypad, its light and its beeper."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from agent.config.base import Name, Pin, PinsTable
from agent.config.tables.access_point import ids_of_points
from agent.config.tables.readers.card_format import CardFormatConfig
from agent.config.tables.rule import RuleConfig
from agent.config.whole import Finding, Whole, known, repeated
from agent.domain.reader.card_format import BUILT_IN, CardFormat
from agent.domain.reader.keypad import frame_lengths


class ReaderConfig(PinsTable):
    """A reader on two wires: a pulse on ``d0_pin`` is a 0, on ``d1_pin`` a 1.

    Its wires are open collectors of 5 V: they need a level shifter and a common ground. There is
    one format for a length. ``led_pin`` and ``beep_pin`` show what the gate tells: most readers
    have one light that turns green, and a beeper, both switched on at low.
    """

    id: Annotated[Name, Field(description="what faults and the status call it")]
    kind: Annotated[Literal["wiegand"], Field(description="two wires, D0 and D1")]
    access_point: Annotated[Name, Field(description="of [[access_point]]: where its cards count")]
    d0_pin: Annotated[Pin, Field(description="pulses are bits 0")]
    d1_pin: Annotated[Pin, Field(description="pulses are bits 1")]
    pull: Annotated[
        Literal["up", "none"], Field(description="none: the level shifter has resistors")
    ] = "up"
    formats: Annotated[
        tuple[Annotated[str, Field(max_length=32)], ...],
        Field(
            min_length=1,
            max_length=8,
            description="h10301 (26 bits), w34, h10302 or h10304 (37), or of [[card_format]]",
        ),
    ] = ("h10301",)
    keypad: Annotated[
        Literal["none", "4bit", "8bit", "burst"],
        Field(description="how its keys come: bits of a key, or all at once"),
    ] = "none"
    silence_ms: Annotated[
        float, Field(ge=20, le=100, description="so long nothing comes at a frame's end")
    ] = 30.0
    led_pin: Annotated[Pin | None, Field(description="its light: green when granted")] = None
    beep_pin: Annotated[Pin | None, Field(description="its beeper")] = None
    active_high: Annotated[
        bool, Field(description="the level at which its light and beeper are on")
    ] = False

    def read_formats(self, own: Mapping[str, CardFormat]) -> tuple[CardFormat, ...]:
        """Its formats, ``own`` those of ``[[card_format]]``; one that is none is left out."""
        there = {**own, **BUILT_IN}
        return tuple(there[name] for name in self.formats if name in there)

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Readers at no access point, formats that are none or cannot be told apart, and rules."""
        rows = whole.rows(cls)
        own = formats_of(whole.rows(CardFormatConfig))
        yield from repeated("reader", [one.id for one in rows])
        for i, one in enumerate(rows):
            path = ("reader", i)
            yield from known((*path, "access_point"), one.access_point, ids_of_points(whole))
            lengths: dict[int, str] = {}
            for j, name in enumerate(one.formats):
                at = (*path, "formats", j)
                yield from known(at, name, [*BUILT_IN, *own], "card format ")
                for read in one.read_formats(own):
                    if read.id != name:
                        continue
                    if read.bits in lengths:
                        said = f"{name!r} has {read.bits} bits, as {lengths[read.bits]!r} has"
                        yield at, f"{said}: nobody could tell which it is", "leave one out"
                    elif read.bits in frame_lengths(one.keypad):
                        said = f"{name!r} has {read.bits} bits, as keys of a {one.keypad} pad may"
                        yield at, f"{said}: nobody could tell which it is"
                    lengths.setdefault(read.bits, name)
        for i, rule in enumerate(whole.rows(RuleConfig)):
            asked = any("card" in factors.split("+") for factors in rule.factors)
            if asked and not rows:
                message = "asks for a card, and there is no [[reader]] to read one"
                yield ("rule", i, "factors"), message

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """A keypad of whose keys nothing follows yet."""
        for i, one in enumerate(whole.rows(cls)):
            if one.keypad != "none":
                message = (
                    f"reader {one.id} has a keypad: what is entered is read and counted, and no"
                    f" rule asks for it yet"
                )
                yield ("reader", i, "keypad"), message

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Each with its kind and what moves its pins."""
        return {"readers": [f"{one.id} ({one.kind}, {one.pin_factory})" for one in whole.rows(cls)]}


def formats_of(rows: tuple[CardFormatConfig, ...]) -> dict[str, CardFormat]:
    """The formats of ``[[card_format]]`` that can be read, by id."""
    made = [one.made() for one in rows]
    return {one.id: one for one in made if not one.faults()}

"""[id_reader]: a reader of ID documents."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from agent.config.base import FUNCTION_PATTERN, FilePath, Name, Table
from agent.config.tables.access_point import ids_of_points
from agent.config.tables.rule import RuleConfig
from agent.config.whole import Finding, Whole, known

_SERIAL_PORTS = frozenset({"/dev/serial0", "/dev/ttyAMA0", "/dev/ttyS0"})


class IdReaderConfig(Table):
    """A reader of ID documents; ``photo_decoder`` is its maker's, as ``module:function``."""

    kind: Annotated[
        Literal["none", "ga467"],
        Field(description="ga467: second-generation ID cards, serial line"),
    ] = "none"
    port: Annotated[FilePath | None, Field(description="of the serial line")] = None
    access_point: Annotated[
        Name | None, Field(description="of [[access_point]]: where its documents count")
    ] = None
    photo_decoder: Annotated[
        Annotated[str, Field(pattern=FUNCTION_PATTERN)] | None,
        Field(description="module:function of the reader's maker"),
    ] = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "ga467" and (self.port is None or self.access_point is None):
            raise ValueError("kind = 'ga467' needs port and access_point")
        return self

    @property
    def reserved_pins(self) -> dict[int, str]:
        """The pins that it needs for itself, and for what."""
        if self.kind == "none" or str(self.port) not in _SERIAL_PORTS:
            return {}
        return dict.fromkeys((14, 15), f"the serial line {self.port}")

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """A reader at no access point, and rules that ask for a document where none is read."""
        reader = whole.one(cls)
        if reader.access_point is not None:
            path = ("id_reader", "access_point")
            yield from known(path, reader.access_point, ids_of_points(whole))
        for i, rule in enumerate(whole.rows(RuleConfig)):
            asked = any("id_document" in factors.split("+") for factors in rule.factors)
            if asked and reader.kind == "none":
                message = "asks for an ID document, and there is no [id_reader] to read one"
                yield ("rule", i, "factors"), message

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Its kind."""
        return {"id_reader": whole.one(cls).kind}

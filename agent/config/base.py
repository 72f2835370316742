"""What every table of the config is made of: names, paths, fractions, pins, and its strictness."""

from collections.abc import Iterator
from datetime import time
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from agent.config.whole import Finding, Whole

NAME_PATTERN = r"^[A-Za-z0-9._-]{1,64}$"
FACTORS_PATTERN = r"^(face|pass|id_document|card)(\+(face|pass|id_document|card)){0,3}$"
FUNCTION_PATTERN = r"^[A-Za-z0-9_.]+:[A-Za-z0-9_]+$"

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
"""A word of topics and references: 1 to 64 of ``A-Z a-z 0-9 . _ -``."""


def _without_nul(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("holds a NUL character")
    return path


def _of_no_zone(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("has an offset: times are those of the kiosk's timezone")
    return value


WallTime = Annotated[time, AfterValidator(_of_no_zone)]
"""A time of day at the kiosk."""
FilePath = Annotated[Path, AfterValidator(_without_nul)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Pin = Annotated[int, Field(ge=0, le=27)]
"""A BCM number."""
PinFactory = Literal["lgpio", "mock", "simulated"]
"""What drives pins: the Pi's own, none, or a file's that outlives the agent."""


class Table(BaseModel):
    """A TOML table: frozen, and strict about keys and types.

    What is to be said of all tables of one class in the whole config is said by the class itself,
    so that it can also say that there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @property
    def reserved_pins(self) -> dict[int, str]:
        """The pins of the header that what it names needs for itself, and for what."""
        return {}

    @classmethod
    def findings(cls, _whole: Whole, /) -> Iterator[Finding]:
        """What keeps the config from being used, each with the key that is wrong."""
        return iter(())

    @classmethod
    def warnings(cls, _whole: Whole, /) -> Iterator[Finding]:
        """What is allowed but should be meant, each with its key, or none, in plain words."""
        return iter(())

    @classmethod
    def summary(cls, _whole: Whole, /) -> dict[str, Any]:
        """The lines that sum it up, counts and kinds only, by their names."""
        return {}


class PinsTable(Table):
    """Something on the header; ``simulated`` pins live in a file and outlive the agent."""

    pin_factory: Annotated[
        PinFactory, Field(description="lgpio: the header; mock: in memory; simulated: in pins_file")
    ] = "lgpio"
    pins_file: FilePath | None = Field(None, description="simulated only: where the pins live")

    @model_validator(mode="after")
    def _file_where_simulated(self) -> Self:
        if (self.pin_factory == "simulated") != (self.pins_file is not None):
            raise ValueError("pins_file goes with pin_factory = 'simulated', and only with it")
        return self

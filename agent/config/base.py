"""What every table of the config is made of: names, paths, fractions, and its strictness."""

from datetime import time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

NAME_PATTERN = r"^[A-Za-z0-9._-]{1,64}$"
FACTORS_PATTERN = r"^(face|pass|id_document)(\+(face|pass|id_document)){0,2}$"
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


class Table(BaseModel):
    """A TOML table: frozen, and strict about keys and types."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

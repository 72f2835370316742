"""[kiosk]: where it stands."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import Field, field_validator

from agent.config.base import Name, Table
from agent.config.whole import Whole
from agent.domain.credential.near import nearest


class KioskConfig(Table):
    """Where the kiosk stands; the three names make its topics."""

    community: Annotated[Name, Field(description="of the topics: gate/COMMUNITY/GRID/ID/...")]
    grid: Annotated[Name, Field(description="of the topics: the part of the community")]
    id: Annotated[Name, Field(description="of the topics: this kiosk")]
    timezone: str = Field("UTC", description="IANA name, for schedules: Asia/Shanghai")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            near = nearest(value, available_timezones())
            fix = "use an IANA name: Asia/Shanghai" if near is None else f"did you mean {near!r}?"
            raise ValueError(f"no time zone {value!r}; {fix}") from error
        return value

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """The names of its topics."""
        kiosk = whole.one(cls)
        return {"kiosk": f"{kiosk.community}/{kiosk.grid}/{kiosk.id}"}

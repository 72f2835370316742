"""What of the config says who may pass where and when."""

from datetime import time
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from agent.config.base import FACTORS_PATTERN, Name, Table, Weekday


class ScheduleSpan(Table):
    """A weekly span in the kiosk's time zone; ``until`` before ``from`` runs past midnight."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True
    )

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    from_: Annotated[time, Field(alias="from")]
    until: time


FactorSet = Annotated[
    str,
    Field(
        pattern=FACTORS_PATTERN,
        description="face, pass, id_document; those joined by + are shown together",
    ),
]


class RuleConfig(Table):
    """Who may pass where, when and by what; a category without a rule is refused.

    One of ``factors`` is enough; the parts of one come in any order within ``factor_window_s``.
    """

    categories: Annotated[tuple[Name, ...], Field(min_length=1)]
    access_points: tuple[Name, ...] = Field((), description="empty: all of them")
    factors: Annotated[tuple[FactorSet, ...], Field(min_length=1, max_length=8)] = (
        "face",
        "pass+face",
    )
    factor_window_s: Annotated[float, Field(ge=1, le=120)] = 15.0
    health_certificate: bool = False
    schedule: tuple[ScheduleSpan, ...] = Field((), description="empty: at any time")
    temperature_limit_c: Annotated[float, Field(ge=34.0, le=42.0)] | None = None


class AreaConfig(Table):
    """An area whose holders are counted in and out.

    ``anti_passback``: ``hard`` refuses whoever is inside already, ``soft`` lets them pass and says
    so, ``timed`` refuses them for ``passback_s`` after they came in.
    """

    id: Name
    anti_passback: Literal["off", "soft", "hard", "timed"] = "off"
    passback_s: Annotated[float, Field(ge=1, le=86_400)] = 300.0

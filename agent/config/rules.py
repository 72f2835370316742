"""What of the config says who may pass where and when."""

from typing import Annotated, Literal

from pydantic import Field

from agent.config.base import FACTORS_PATTERN, Name, Table
from agent.config.schedules import ScheduleChoice
from agent.config.skin import ElevatedWord, PauseS, UnreliableWord

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
    schedule: ScheduleChoice = Field((), description="id of [[schedule]], or spans; empty: always")
    temperature_limit_c: Annotated[float, Field(ge=34.0, le=42.0)] | None = None
    baseline_delta_c: Annotated[float, Field(ge=0.3, le=5.0)] | None = None
    elevated: ElevatedWord | None = Field(None, description="default: as [thermometer] says")
    second_reading_after_s: PauseS | None = None
    unreliable: UnreliableWord | None = None


class AreaConfig(Table):
    """An area whose holders are counted in and out.

    ``anti_passback``: ``hard`` refuses whoever is inside already, ``soft`` lets them pass and says
    so, ``timed`` refuses them for ``passback_s`` after they came in.
    """

    id: Name
    anti_passback: Literal["off", "soft", "hard", "timed"] = "off"
    passback_s: Annotated[float, Field(ge=1, le=86_400)] = 300.0

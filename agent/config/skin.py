"""What of the config says how a skin temperature is made of samples, and what follows from it."""

from typing import Annotated, Literal

from pydantic import Field

from agent.config.base import Name, Table

ElevatedWord = Literal["deny", "second_reading", "warn"]
UnreliableWord = Literal["deny", "warn"]
PauseS = Annotated[float, Field(ge=1, le=60)]


class SkinTable(Table):
    """The part of ``[thermometer]`` that is alike whatever part measures.

    ``access_point`` is the one beside whose camera it is. A rule may say otherwise in ``elevated``,
    ``second_reading_after_s`` and ``unreliable``.
    """

    access_point: Name | None = None
    samples_min: Annotated[int, Field(ge=10, le=100)] = 10
    measure_timeout_s: Annotated[float, Field(ge=0.5, le=10)] = 3.0
    spread_max_c: Annotated[float, Field(ge=0.05, le=3)] = 0.5
    ambient_min_c: Annotated[float, Field(ge=-40, le=40)] = 10.0
    ambient_max_c: Annotated[float, Field(ge=0, le=60)] = 40.0
    ambient_reference_c: Annotated[float, Field(ge=0, le=40)] = 23.0
    ambient_correction: Annotated[float, Field(ge=-0.5, le=0.5)] = 0.0
    baseline_hours: Annotated[float, Field(ge=0.5, le=24)] = 4.0
    elevated: ElevatedWord = "deny"
    second_reading_after_s: PauseS = 5.0
    unreliable: UnreliableWord = "deny"
    attack_cue: Literal["off", "report", "deny"] = "report"
    attack_threshold: Annotated[float, Field(ge=0.05, le=0.95)] = 0.5
    aim_x_deg: Annotated[float, Field(ge=-45, le=45)] = 0.0
    aim_y_deg: Annotated[float, Field(ge=-45, le=45)] = 0.0

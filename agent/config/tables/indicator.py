"""[[indicator]]: lights and a buzzer."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from agent.config.base import Name, Pin, PinsTable
from agent.config.tables.access_point import ids_of_points
from agent.config.whole import Finding, Whole, known


class IndicatorConfig(PinsTable):
    """Lights and a buzzer at an access point; each may be left out.

    ``alarm_buzzer`` says whether the buzzer sounds for as long as a door is held open or forced,
    ``sign_buzzer`` whether it sounds when somebody is told what to do better.
    """

    access_point: Annotated[Name, Field(description="of [[access_point]]: where it is")]
    kind: Annotated[Literal["gpio"], Field(description="lights and a buzzer on pins")]
    red_pin: Annotated[
        Pin | None, Field(description="lit when refused; with green amber: something is missing")
    ] = None
    green_pin: Annotated[Pin | None, Field(description="lit when granted")] = None
    blue_pin: Annotated[Pin | None, Field(description="lit while the gate is ready")] = None
    buzzer_pin: Annotated[Pin | None, Field(description="the buzzer")] = None
    alarm_buzzer: Annotated[
        bool, Field(description="sounds as long as a door is held open or forced")
    ] = True
    sign_buzzer: Annotated[
        bool, Field(description="sounds when somebody is told what to do better")
    ] = True
    active_high: Annotated[bool, Field(description="the level at which a light is lit")] = True

    @model_validator(mode="after")
    def _something_to_show(self) -> Self:
        if self.red_pin is self.green_pin is self.blue_pin is self.buzzer_pin is None:
            raise ValueError("an indicator has red_pin, green_pin, blue_pin or buzzer_pin")
        return self

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Those at no access point, and the second at one."""
        points = ids_of_points(whole)
        before: set[str] = set()
        for i, one in enumerate(whole.rows(cls)):
            path = ("indicator", i, "access_point")
            yield from known(path, one.access_point, points)
            if one.access_point in before:
                yield path, "has an indicator already: its lights and buzzer stand in one table"
            before.add(one.access_point)

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Each by its access point, with what moves its pins."""
        return {
            "indicators": [f"{one.access_point} ({one.pin_factory})" for one in whole.rows(cls)]
        }

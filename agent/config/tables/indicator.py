"""[[indicator]]: lights and a buzzer."""

from collections.abc import Iterator
from typing import Any, Literal, Self

from pydantic import model_validator

from agent.config.base import Name, Pin, PinsTable
from agent.config.tables.access_point import ids_of_points
from agent.config.whole import Finding, Whole, known


class IndicatorConfig(PinsTable):
    """Lights and a buzzer at an access point; each may be left out.

    ``alarm_buzzer`` says whether the buzzer sounds for as long as a door is held open or forced,
    ``sign_buzzer`` whether it sounds when somebody is told what to do better.
    """

    access_point: Name
    kind: Literal["gpio"]
    red_pin: Pin | None = None
    green_pin: Pin | None = None
    blue_pin: Pin | None = None
    buzzer_pin: Pin | None = None
    alarm_buzzer: bool = True
    sign_buzzer: bool = True
    active_high: bool = True

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

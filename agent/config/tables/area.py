"""[[area]]: where holders are counted in and out."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from agent.config.base import Name, Table
from agent.config.tables.access_point import AccessPointConfig
from agent.config.whole import Finding, Whole, known, repeated


class AreaConfig(Table):
    """An area whose holders are counted in and out.

    ``anti_passback``: ``hard`` refuses whoever is inside already, ``soft`` lets them pass and says
    so, ``timed`` refuses them for ``passback_s`` after they came in.
    """

    id: Annotated[Name, Field(description="what access points call it")]
    anti_passback: Annotated[
        Literal["off", "soft", "hard", "timed"],
        Field(description="soft: say so; hard: refuse; timed: refuse for a while"),
    ] = "off"
    passback_s: Annotated[float, Field(ge=1, le=86_400, description="of timed: so long")] = 300.0

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Ids named twice, and access points between areas that are none."""
        areas = [area.id for area in whole.rows(cls)]
        yield from repeated("area", areas)
        for i, point in enumerate(whole.rows(AccessPointConfig)):
            for key in ("from_area", "to_area"):
                if (name := getattr(point, key)) is not None:
                    yield from known(("access_point", i, key), name, areas)

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Areas that nobody enters, or that refuse everybody in the end."""
        points = whole.rows(AccessPointConfig)
        for i, area in enumerate(whole.rows(cls)):
            if area.anti_passback == "off":
                continue
            path = ("area", i, "anti_passback")
            enters = any(point.to_area == area.id for point in points)
            leaves = any(
                area.id == point.from_area or point.to_area not in (None, area.id)
                for point in points
            )
            if not enters:
                message = (
                    f"area {area.id}: no access point has it as to_area, so nobody is ever inside"
                )
                yield path, message
            elif not leaves and area.anti_passback == "hard":
                message = (
                    f"area {area.id}: no access point leads out of it (from_area), so everybody"
                    ' comes in once and is refused then; "timed" forgets by itself'
                )
                yield path, message

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Each with what it does about passing back."""
        return {
            "areas": [f"{area.id} (anti-passback {area.anti_passback})" for area in whole.rows(cls)]
        }

"""[[access_point]]: a door in one direction, with the camera before it."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from agent.config.base import Name, Table
from agent.config.tables.camera import CameraConfig
from agent.config.tables.door import DoorConfig
from agent.config.whole import UNREAD, Finding, Whole, known, repeated


class AccessPointConfig(Table):
    """One door or lane in one direction."""

    id: Annotated[Name, Field(description="what rules and events call it")]
    direction: Annotated[
        Literal["entry", "exit"], Field(description="entry and exit are two access points")
    ]
    camera: Annotated[Name, Field(description="of [[camera]]: the one before it")]
    door: Annotated[Name, Field(description="of [[door]]: the one that it frees")]
    from_area: Name | None = Field(None, description="of [[area]]: where one comes from")
    to_area: Name | None = Field(None, description="of [[area]]: where one goes")

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Ids named twice, cameras and doors that are none, and cameras of two access points."""
        yield from repeated("access_point", ids_of_points(whole))
        cameras = [camera.id for camera in whole.rows(CameraConfig)]
        infrared = [one.id for one in whole.rows(CameraConfig) if one.spectrum == "ir"]
        doors = [door.id for door in whole.rows(DoorConfig)]
        for i, point in enumerate(whole.rows(cls)):
            yield from known(("access_point", i, "camera"), point.camera, cameras)
            yield from known(("access_point", i, "door"), point.door, doors)
            if point.camera in infrared:
                yield (
                    ("access_point", i, "camera"),
                    f"camera {point.camera!r} is an infrared one: it recognises nobody",
                )
        yield from _shared_cameras(whole)

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Their ids."""
        return {"access_points": ids_of_points(whole)}


def ids_of_points(whole: Whole) -> list[str]:
    """The ids of the access points, for what stands at one of them."""
    return [point.id for point in whole.rows(AccessPointConfig)]


def _shared_cameras(whole: Whole) -> Iterator[Finding]:
    # One face before one camera must not open two doors.
    seen: dict[str, str] = {}
    for i, point in enumerate(whole.rows(AccessPointConfig)):
        if point.camera in seen and point.camera != UNREAD:
            yield (
                ("access_point", i, "camera"),
                f"camera {point.camera!r} already serves access point {seen[point.camera]!r}",
            )
        seen.setdefault(point.camera, point.id)

"""[[camera]] and its approach zone."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from agent.config.base import Fraction, Name, Table
from agent.config.whole import Finding, Whole, known, repeated

_OPEN_SCHEMES = {"http", "rtsp", "rtmp", "rtp", "udp", "tcp", "ftp", "mms", "mmsh"}
_HERE = {"localhost", "127.0.0.1", "::1"}


class ZoneConfig(Table):
    """The approach zone: where in the frame, and how near, a face is a presentation.

    Position and size are fractions of the frame; ``min_face_px`` is a face's width in pixels and
    stands for the distance.
    """

    x: Annotated[Fraction, Field(description="left border, a fraction of the frame")] = 0.0
    y: Annotated[Fraction, Field(description="upper border, a fraction of the frame")] = 0.0
    width: Annotated[float, Field(gt=0.0, le=1.0, description="a fraction of the frame")] = 1.0
    height: Annotated[float, Field(gt=0.0, le=1.0, description="a fraction of the frame")] = 1.0
    min_face_px: Annotated[
        int, Field(ge=40, le=1000, description="a face's least width: how near one must stand")
    ] = 80

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.x + self.width > 1.0 + 1e-9 or self.y + self.height > 1.0 + 1e-9:
            raise ValueError(
                "the zone reaches past the frame: x + width and y + height are 1 at most"
            )
        return self


class AimConfig(Table):
    """Where an infrared camera looks, beside the one it stands beside.

    A place at ``x``, a fraction of that one's frame, lies at ``offset_x`` + ``scale`` x of its own;
    likewise downwards.
    """

    offset_x: Annotated[
        float, Field(ge=-1.0, le=1.0, description="where the left border of the other's frame lies")
    ] = 0.0
    offset_y: Annotated[
        float,
        Field(ge=-1.0, le=1.0, description="where the upper border of the other's frame lies"),
    ] = 0.0
    scale: Annotated[
        float, Field(ge=0.2, le=5.0, description="how much of its own frame the other's fills")
    ] = 1.0


class CameraConfig(Table):
    """One camera; ``source`` is a device (0, /dev/video0), a file, a stream, or photographs.

    An infrared one recognises nobody: it is the second eye of the camera it stands ``beside``.
    """

    id: Annotated[Name, Field(description="what access points call it")]
    kind: Annotated[
        Literal["picamera2", "opencv", "simulated"],
        Field(description="opencv: USB, file or stream; simulated: photographs"),
    ]
    source: Annotated[
        int | str | list[str],
        Field(description='number, /dev/video0, a file, rtsp://..., or ["portrait.jpg"]'),
    ] = 0
    width: Annotated[int, Field(ge=160, le=4096, description="pixels")] = 640
    height: Annotated[int, Field(ge=120, le=4096, description="pixels")] = 480
    fps: Annotated[float, Field(gt=0, le=120, description="frames a second")] = 15.0
    field_of_view_deg: Annotated[float, Field(ge=20, le=170)] = Field(
        66.0, description="horizontal, of the lens: a face's width stands for its distance"
    )
    loop: Annotated[
        bool, Field(description="a file from the beginning again; else the agent ends with it")
    ] = False
    frozen: bool = Field(False, description="simulated only: no noise, as a hung camera")
    timeout_s: Annotated[
        float, Field(ge=0.2, le=30, description="without a frame for so long the camera is a fault")
    ] = 3.0
    zone: Annotated[
        ZoneConfig, Field(description="the approach zone: a face outside it is no presentation")
    ] = ZoneConfig()
    spectrum: Annotated[
        Literal["visible", "ir"],
        Field(description="ir: an infrared camera is a second eye, and recognises nobody"),
    ] = "visible"
    beside: Name | None = Field(None, description="of an infrared camera: the one it stands beside")
    aim: Annotated[AimConfig, Field(description="of an infrared camera: where it looks")] = (
        AimConfig()
    )

    @model_validator(mode="after")
    def _source_fits(self) -> Self:
        if self.kind == "simulated" and (isinstance(self.source, int) or not self.source):
            raise ValueError('a simulated camera shows photographs: source = ["portrait.jpg"]')
        if self.kind != "simulated" and isinstance(self.source, list):
            raise ValueError("a list of photographs needs kind = 'simulated'")
        return self

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Ids named twice; an infrared camera that stands beside none, or not alone."""
        cameras = whole.rows(cls)
        yield from repeated("camera", [camera.id for camera in cameras])
        yield from _infrared(cameras)

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Photographs in place of people; pictures that others may see, or change, on their way."""
        for i, camera in enumerate(whole.rows(cls)):
            if camera.kind == "simulated":
                message = f"camera {camera.id} is simulated: it shows photographs"
                yield ("camera", i, "kind"), message
            for source in _sources(camera):
                if (scheme := _in_the_clear(source)) is not None:
                    message = (
                        f"camera {camera.id} is read over {scheme}:// in the clear: whoever is on"
                        " the network sees who passes, and may put another picture there"
                    )
                    yield ("camera", i, "source"), message

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Each with its kind."""
        return {"cameras": [f"{camera.id} ({camera.kind})" for camera in whole.rows(cls)]}


def infrared_beside(cameras: Iterable[CameraConfig]) -> dict[str, CameraConfig]:
    """The infrared cameras by the one that each stands beside."""
    return {one.beside: one for one in cameras if one.spectrum == "ir" and one.beside is not None}


def _infrared(cameras: Sequence[CameraConfig]) -> Iterator[Finding]:
    visible = [one.id for one in cameras if one.spectrum == "visible"]
    taken: set[str] = set()
    for i, camera in enumerate(cameras):
        path = ("camera", i, "beside")
        if camera.spectrum == "visible":
            if camera.beside is not None:
                yield path, 'is for an infrared camera: spectrum = "ir"'
            continue
        if camera.beside is None:
            yield path, "is missing: an infrared camera is the second eye of a visible one"
            continue
        if camera.beside in taken:
            yield path, f"camera {camera.beside!r} has an infrared one beside it already"
        taken.add(camera.beside)
        yield from known(path, camera.beside, visible, "visible camera ")


def _sources(camera: CameraConfig) -> list[str]:
    sources = camera.source if isinstance(camera.source, list) else [camera.source]
    return [source for source in sources if isinstance(source, str)]


def _in_the_clear(source: str) -> str | None:
    """The scheme of a stream from elsewhere that nothing protects; None of any other source."""
    try:
        parts = urlsplit(source.strip())
        here = parts.hostname in _HERE
    except ValueError:  # no address that anybody could open
        return None
    return parts.scheme if parts.scheme in _OPEN_SCHEMES and not here else None

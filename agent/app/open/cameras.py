"""Cameras from config."""

from pathlib import Path

from agent.adapters.camera.picamera2 import Picamera2Camera
from agent.adapters.camera.simulated import SimulatedCamera, fit_scene
from agent.adapters.camera.video import FileCamera, LiveCamera
from agent.config import CameraConfig, ConfigFile
from agent.errors import UnavailableError
from agent.ports import Camera
from agent.vision.stills.images import read_image


def open_camera(file: ConfigFile, camera: CameraConfig) -> Camera:
    """The configured camera, and no other in its place.

    Raises:
        UnavailableError: it is not there.
        ImageError: a simulated camera's photograph cannot be read.
    """
    size = (camera.width, camera.height)
    source = camera.source
    if camera.kind == "picamera2":
        if not isinstance(source, int):
            raise UnavailableError(f"camera {camera.id}: picamera2 takes a number as source")
        return Picamera2Camera(source, width=size[0], height=size[1], fps=camera.fps)
    if camera.kind == "simulated":
        names = [source] if isinstance(source, str) else source
        assert not isinstance(names, int)
        scenes = [fit_scene(read_image(file.resolve(name)), *size) for name in names]
        return SimulatedCamera(scenes, fps=camera.fps, loop=camera.loop, frozen=camera.frozen)
    if isinstance(source, str) and "://" not in source and not source.startswith("/dev/"):
        return FileCamera(file.resolve(source), loop=camera.loop)
    assert not isinstance(source, list)
    return LiveCamera(source, width=size[0], height=size[1], fps=camera.fps)


def open_source(source: str) -> Camera:
    """A camera that no config names: the number of a device, its path, a stream, or a film.

    Raises:
        UnavailableError: it is not there.
    """
    if source.isascii() and source.isdigit():
        return LiveCamera(int(source))
    if "://" in source or source.startswith("/dev/"):
        return LiveCamera(source)
    return FileCamera(Path(source))

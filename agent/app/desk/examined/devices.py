"""Devices and programs: whether they are there, and for this user."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from agent.adapters.voice.loudspeaker import PROGRAM
from agent.app.open.voice import open_voice
from agent.config import CameraConfig, ConfigFile
from agent.errors import UnavailableError
from agent.ports import Clock


def device_found(path: Path, what: str) -> str:
    """A device by its path; ``what`` is plugged in there.

    Raises:
        UnavailableError: it is not there, or not for this user.
    """
    if not path.exists():
        raise UnavailableError(f"{path} is not there", f"plug {what} in, or name another one")
    if not os.access(path, os.R_OK | os.W_OK):
        raise UnavailableError(f"{path} is not for this user", f"see its group: ls -l {path}")
    return str(path)


def i2c_found(bus: int) -> str:
    """The bus of the thermometer.

    Raises:
        UnavailableError: it is not there, or not for this user.
    """
    path = Path(f"/dev/i2c-{bus}")
    if not path.exists():
        fix = "switch the bus on: sudo raspi-config nonint do_i2c 0, then restart"
        raise UnavailableError(f"{path} is not there", fix)
    return device_found(path, "the thermometer")


def camera_there(file: ConfigFile, camera: CameraConfig) -> None:
    """See that its device or file is there, and for this user.

    Raises:
        UnavailableError: it is not.
    """
    source = camera.source
    if camera.kind == "picamera2":
        if find_spec("picamera2") is None:
            raise UnavailableError("picamera2 is missing", "sudo apt install python3-picamera2")
        if not list(Path("/dev").glob("media*")):
            raise UnavailableError("no camera is there", "check its cable: rpicam-hello --list")
    elif isinstance(source, int):
        device_found(Path(f"/dev/video{source}"), "the camera")
    elif not (isinstance(source, str) and "://" in source):
        for name in source if isinstance(source, list) else [source]:
            if not file.resolve(name).exists():
                raise UnavailableError(f"{name} is not there", "plug it in, or name a file")


def voice_found(file: ConfigFile, state: Path, clock: Clock) -> str:
    """The voice with its languages.

    Raises:
        UnavailableError: its program or a message is missing.
    """
    settings = file.config.voice
    if settings.kind == "aplay" and shutil.which(PROGRAM) is None:
        raise UnavailableError(f"{PROGRAM} is missing", "sudo apt install alsa-utils")
    voice = open_voice(file, state, clock)
    if voice is not None and voice.missing:
        missing = f"{len(voice.missing)} messages were not prepared"
        raise UnavailableError(missing, "gate-agent voice prepare")
    return f"{settings.kind}, {', '.join(settings.languages)}"

"""What is installed, and what of it is known not to go together.

    clash                                       where it is told
    simplejpeg for another numpy (picamera2)    github.com/raspberrypi/picamera2, issues 1088, 1211
    two packages that both are cv2              the README of opencv-python: install only one
    an OpenCV without the cascade classifier    OpenCV 5 moved it out of its main modules

What clashes is tried rather than concluded from versions, where that takes nothing but an import.
"""

import platform
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distributions, version

import cv2

from agent.errors import UnavailableError

_CV2 = ("opencv-python", "opencv-contrib-python", "opencv-python-headless")
_TOLD = ("numpy", "opencv-python-headless", "onnxruntime", "picamera2", "libcamera")
_JPEG = "simplejpeg"


def software_found(*, picamera: bool) -> str:
    """Versions; ``picamera``: whether a camera needs that.

    Raises:
        UnavailableError: two things clash.
    """
    for said, fix in _clashes(picamera=picamera):
        raise UnavailableError(said, fix)
    release = _os_name()
    told = ((name, _version(name)) for name in _TOLD)
    shown = [f"{name} {found}" for name, found in told if found is not None]
    return ", ".join((release, f"Python {platform.python_version()}", *shown))


def _clashes(*, picamera: bool) -> Iterator[tuple[str, str]]:
    if picamera and (wrong := _unfit(_JPEG)) is not None:
        fix = f"pip install '{_JPEG}>=1.9' in the agent's own environment"
        yield f"{_JPEG} was built for another numpy than {_version('numpy')}: {wrong}", fix
    names = {one.metadata["Name"] for one in distributions()}
    found = [name for name in _CV2 if name in names]
    if len(found) > 1:
        yield f"{' and '.join(found)} lie over each other", f"pip uninstall {found[0]}"
    if not hasattr(cv2, "CascadeClassifier"):
        yield f"OpenCV {cv2.__version__} has no cascade classifier", "pip install 'opencv<5'"


def _unfit(module: str) -> str | None:
    """What a compiled module says of the numpy it meets; None where it is well, or not there."""
    try:
        import_module(module)
    except ImportError:
        return None
    except ValueError as error:
        return str(error)
    return None


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

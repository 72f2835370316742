"""What is installed here: the agent, its interpreter, model packs and the libraries that count."""

import json
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from agent.vision.packs.place import RECORD_NAME, packs_dir

LIBRARIES = (
    "numpy",
    "opencv-python-headless",
    "onnxruntime",
    "cryptography",
    "paho-mqtt",
    "gpiozero",
    "pydantic",
    "insightface",
)
RELEASE = Path("share", "gate-agent", "release.json")
"""Where the environment of a Debian package says which one it is of."""


def about(state_dir: Path) -> dict[str, Any]:
    """Versions by name; None for a library that is not installed.

    Packs are read from the notes of their installs and not verified: that is ``models verify``.
    """
    return {
        "agent": agent_version(),
        "package": package_version(Path(sys.prefix)),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "packs": _packs(packs_dir(state_dir)),
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def agent_version() -> str | None:
    """Of the package that is installed."""
    return _version("gate-agent")


def package_version(prefix: Path) -> str | None:
    """Of the Debian package whose environment lies at ``prefix``; None where it is of none."""
    try:
        said = json.loads((prefix / RELEASE).read_bytes())["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return said if isinstance(said, str) else None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _packs(folder: Path) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    try:
        notes = sorted(folder.glob(f"[a-z0-9]*/{RECORD_NAME}"))
    except OSError:
        return found
    for note in notes:
        try:
            found[note.parent.name] = str(json.loads(note.read_text("utf-8"))["version"])
        except (OSError, ValueError, KeyError, TypeError):
            found[note.parent.name] = None
    return found

"""Figures written as PNG or SVG: what a picture needs, before the long work and after it.

matplotlib is an extra and slow to import, so nothing here imports it: whoever draws brings the
figure.
"""

import importlib.util
import io
from pathlib import Path
from typing import TYPE_CHECKING

import segno

from agent.errors import RefusedError, UnavailableError
from agent.operations.files import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg")
_NAMED = " or ".join(SUFFIXES)
_DOTS_PER_INCH = 120
_CODE_SCALE = 8


def is_picture(file: Path) -> bool:
    """Whether a picture can be written under this name."""
    return file.suffix.lower() in SUFFIXES


def need_matplotlib() -> None:
    """Say before the long work that nothing can be drawn.

    Raises:
        UnavailableError: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise UnavailableError("a picture needs matplotlib", "scripts/setup --demo brings it")


def save(figure: "Figure", file: Path) -> None:
    """Write the figure, by the file's suffix, whole or not at all.

    Raises:
        UnavailableError: the file cannot be written.
    """
    picture = io.BytesIO()
    figure.savefig(picture, format=file.suffix.lower()[1:], dpi=_DOTS_PER_INCH)
    write_whole(picture.getvalue(), file)


def save_code(text: str, file: Path) -> None:
    """Write ``text`` as a QR code, by the file's suffix, whole or not at all.

    Raises:
        RefusedError: ``file_type``: no picture is written under this name.
        UnavailableError: the file cannot be written.
    """
    if not is_picture(file):
        raise RefusedError("file_type", f"{file.name}: a label is a file named {_NAMED}")
    picture = io.BytesIO()
    segno.make_qr(text, error="m").save(picture, kind=file.suffix.lower()[1:], scale=_CODE_SCALE)
    write_whole(picture.getvalue(), file)

"""Figures written as PNG or SVG: what a picture needs, before the long work and after it.

matplotlib is an extra and slow to import, so nothing here imports it: whoever draws brings the
figure.
"""

import importlib.util
import io
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import UnavailableError
from agent.operations.files import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg")
_DOTS_PER_INCH = 120


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

"""Opens the attack detection packs that are installed: all of them run, and a broken one stops."""

from collections.abc import Sequence
from pathlib import Path

from agent.vision.packs.manifest import pad_pack_names
from agent.vision.packs.packs import is_installed, load_pad_pack
from agent.vision.pad.face_box import LocatedBy
from agent.vision.pad.score import FusedPad, PackPad


def installed_pad(state: Path) -> tuple[str, ...]:
    """The attack detection packs of which a folder lies there, by name."""
    return tuple(name for name in pad_pack_names() if is_installed(name, state))


def open_pad(
    state: Path, landmarks: LocatedBy, threads: int = 1, names: Sequence[str] | None = None
) -> FusedPad | None:
    """All installed packs, or those of ``names``, fused; None where there are none.

    ``landmarks`` says how the faces are located that they look at.

    Raises:
        ModelPackError: one of ``names`` is not installed, or a file of a pack is wrong.
    """
    chosen = installed_pad(state) if names is None else names
    if not chosen:
        return None
    return FusedPad([PackPad(load_pad_pack(name, state), threads) for name in chosen], landmarks)

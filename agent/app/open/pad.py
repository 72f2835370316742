"""Opens the attack detection packs that are installed: all of them run, and a broken one stops."""

from collections.abc import Sequence
from pathlib import Path

from agent.operations.packs.choice import installed_pad_packs
from agent.vision.packs.packs import load_pad_pack
from agent.vision.pad.face_box import LocatedBy
from agent.vision.pad.score import FusedPad, PackPad


def open_pad(
    state: Path, landmarks: LocatedBy, threads: int = 1, names: Sequence[str] | None = None
) -> FusedPad | None:
    """All installed packs, or those of ``names``, fused; None where there are none.

    ``landmarks`` says how the faces are located that they look at.

    Raises:
        ModelPackError: one of ``names`` is not installed, or a file of a pack is wrong.
    """
    chosen = installed_pad_packs(state) if names is None else names
    if not chosen:
        return None
    return FusedPad([PackPad(load_pad_pack(name, state), threads) for name in chosen], landmarks)

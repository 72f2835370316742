"""Where model packs lie; apart from what reads them, to be had lightly."""

from pathlib import Path

FOLDER = "models"
"""Its name in the state folder."""
RECORD_NAME = "installed.json"
"""The note of an install, in the folder of its pack."""


def packs_dir(state_dir: Path) -> Path:
    """Where packs lie under a state directory."""
    return state_dir / FOLDER

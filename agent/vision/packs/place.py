"""Where model packs lie; apart from what reads them, to be had lightly."""

import os
from pathlib import Path

FOLDER = "models"
"""Its name in the state folder."""
RECORD_NAME = "installed.json"
"""The note of an install, in the folder of its pack."""
CHOICE_NAME = "pack.json"
"""The note in the state folder which pack was chosen here, and why."""
CHOSEN = "chosen"
"""Stands for the pack that was chosen here, where a config or a command names none."""

_MANIFESTS_VARIABLE = "GATE_AGENT_MODELS"


def manifest_dir() -> Path:
    """The folder of manifests: GATE_AGENT_MODELS, else ``models`` beside the ``agent`` package."""
    override = os.environ.get(_MANIFESTS_VARIABLE)
    return Path(override) if override else Path(__file__).resolve().parents[3] / FOLDER


def packs_dir(state_dir: Path) -> Path:
    """Where packs lie under a state directory."""
    return state_dir / FOLDER

"""The config as the page shows it: its faults and warnings by line, and itself without secrets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.config import load_config
from agent.config.load import config_in
from agent.errors import ConfigError
from agent.operations.config.describe import faults_of, masked, risks
from agent.operations.packs.choice import installed_pad_packs


def judged(path: Path, state: Path, text: str | None = None) -> dict[str, Any]:
    """What is wrong with the config at ``path``, or with ``text`` that is to stand there.

    The file's own is shown as well where it is right, masked; a text that somebody has already is
    only judged, and written nowhere.
    """
    pad = installed_pad_packs(state)
    try:
        file = load_config(path, pad) if text is None else config_in(text, path, pad)
    except ConfigError as error:
        faults = [one.as_json() for one in error.faults] or [_plain(str(error))]
        return _told(path, faults=faults)
    warnings = [one.as_json() for one in faults_of(file, risks(file, pad))]
    return _told(path, warnings=warnings, shown=None if text is not None else masked(file.config))


def _told(
    path: Path,
    faults: list[dict[str, Any]] | None = None,
    warnings: list[dict[str, Any]] | None = None,
    shown: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "file": str(path),
        "ok": not faults,
        "faults": faults or [],
        "warnings": warnings or [],
        "shown": shown,
    }


def _plain(said: str) -> dict[str, Any]:
    message, _, fix = said.partition("\nFix: ")
    return {"line": None, "key": None, "message": message, "fix": fix or None}

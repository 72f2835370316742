"""Node and its package ``mqtt``, for a client in another language; what is absent skips by name."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from places import TESTS

FOLDER = TESTS / "other_language"
_MODULES = "GATE_NODE_MODULES"


def packages() -> Path:
    """The folder that holds the package ``mqtt``."""
    folder = Path(os.environ.get(_MODULES) or FOLDER / "node_modules").resolve()
    if not (folder / "mqtt" / "package.json").is_file():
        pytest.skip(f"node's package mqtt is not in {folder}: CONTRIBUTING.md says how it comes")
    return folder


def in_node(script: str, *arguments: object) -> Any:
    """What a script of the folder prints: one line of JSON."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed")
    done = subprocess.run(
        [program, str(FOLDER / script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

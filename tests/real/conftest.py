"""What the tests on real faces need and where it is looked for; what is absent skips by name."""

import os
from pathlib import Path

import pytest
from places import SHARED

from agent.errors import ModelPackError
from agent.operations.packs.install import install
from agent.vision.packs.packs import InstalledPack, load_pack


def shared(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"../shared/{name} is absent")
    return folder


@pytest.fixture(scope="session")
def shared_faces() -> Path:
    """Public photographs, beside the repository."""
    return shared("faces")


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """Real ONNX models for tests only, beside the repository."""
    return shared("models")


@pytest.fixture(scope="session")
def state_dir() -> Path:
    """The state directory setup installs into."""
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(os.environ.get("GATE_AGENT_STATE_DIR") or Path(home) / "gate-agent")


@pytest.fixture(scope="session")
def dlib_pack(state_dir: Path) -> InstalledPack:
    """The default pack as it is installed; a broken one fails, an absent one skips."""
    if not (state_dir / "models" / "dlib").is_dir():
        pytest.skip(f"the model pack dlib is not installed in {state_dir}")
    try:
        return load_pack("dlib", state_dir)
    except ModelPackError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="session")
def retail_pack(shared_models: Path, tmp_path_factory: pytest.TempPathFactory) -> InstalledPack:
    """The recommended pack, made from its originals as an install makes it."""
    state = tmp_path_factory.mktemp("retail")
    install("retail", state, shared_models / "retail")
    return load_pack("retail", state)

"""Installing packs by pip, and manifests that are wrong."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from pack_parts import (
    EMBEDDER,
    MANIFEST,
    PACKED,
    everything_in,
    git_blob,
    sha256,
)

from agent.errors import ConfigError, ModelPackError, RefusedError, UnavailableError
from agent.operations.packs import fetch
from agent.operations.packs import install as models
from agent.operations.packs.choice import check_accepted
from agent.operations.packs.pack_files import unpack
from agent.vision.packs.manifest import (
    manifest_names,
    pad_pack_names,
    read_manifest,
    read_pad_manifest,
)
from agent.vision.packs.manifest_base import PackOriginal

PACKAGE = """
[[download]]
file = "release.tar.gz"
sha256 = "{sha256}"
largest_bytes = 4096
package = "little_models"
release = "1.0"
"""


def pip_manifest(archive: bytes) -> str:
    head, _, tail = MANIFEST.partition("[[download]]")
    _, _, tail = tail.partition("[[download]]")
    package = PACKAGE.format(sha256=sha256(archive)).replace(
        "release.tar.gz", "little_models-1.0.tar.gz"
    )
    text = f"{head}{package}\n[[download]]{tail}"
    return text.replace('"release.tar.gz"', '"little_models-1.0.tar.gz"').replace(
        "inside/embedder", "little_models-1.0/embedder"
    )


@pytest.fixture
def local_index(brought: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip as a machine without a network may be set up: one folder of packages, no index."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(brought))
    monkeypatch.setattr(fetch, "LEAST_SETUPTOOLS_RELEASE", 0)  # no network to fetch a newer one
    return brought


def sdist() -> bytes:
    stream = io.BytesIO()
    files = {
        "pyproject.toml": b'[build-system]\nrequires = []\nbuild-backend = "backend"\n'
        b'backend-path = ["."]\n',
        "backend.py": b"import os, pathlib\n"
        b"def prepare_metadata_for_build_wheel(folder, config_settings=None):\n"
        b"    made = pathlib.Path(folder, 'little_models-1.0.dist-info')\n"
        b"    made.mkdir()\n"
        b"    made.joinpath('METADATA').write_text("
        b"'Metadata-Version: 2.1\\nName: little_models\\nVersion: 1.0\\n')\n"
        b"    return made.name\n",
        "PKG-INFO": b"Metadata-Version: 2.1\nName: little_models\nVersion: 1.0\n",
        "embedder": EMBEDDER,
    }
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            header = tarfile.TarInfo(f"little_models-1.0/{name}")
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return stream.getvalue()


def test_package_comes_by_pip_as_the_machine_has_it_set_up(
    manifests: Path, local_index: Path, tmp_path: Path
) -> None:
    archive = sdist()
    (local_index / "little_models-1.0.tar.gz").write_bytes(archive)
    (manifests / "little.toml").write_text(pip_manifest(archive))
    (local_index / "packed.onnx").write_bytes(b"")
    manifest = read_manifest("little")
    folder = tmp_path / "folder"
    folder.mkdir()
    path = fetch.fetch(manifest.download[0], folder, None, lambda progress: None, "fix")
    assert path.read_bytes() == archive


def test_package_that_is_another_never_runs(
    manifests: Path, local_index: Path, tmp_path: Path
) -> None:
    archive = sdist()
    (local_index / "little_models-1.0.tar.gz").write_bytes(archive)
    (manifests / "little.toml").write_text(pip_manifest(b"another"))
    with pytest.raises(ModelPackError) as caught:
        models.install("little", tmp_path / "state")
    for part in ("little_models-1.0.tar.gz", sha256(b"another"), sha256(archive)):
        assert part in str(caught.value)
    assert everything_in(tmp_path / "state") == ["models", "models/.lock"]


def test_package_nobody_has_is_unavailable(
    manifests: Path, local_index: Path, tmp_path: Path
) -> None:
    (manifests / "little.toml").write_text(pip_manifest(b"another"))
    with pytest.raises(UnavailableError, match="--from DIR"):
        models.install("little", tmp_path / "state")


@pytest.mark.parametrize("name", ["antispoof", "minifasnet"])
def test_manifests_of_attack_detection_are_right(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GATE_AGENT_MODELS", raising=False)
    assert name in pad_pack_names()
    threshold = read_pad_manifest(name).pad.threshold
    assert 0 < threshold.score < 1
    if threshold.basis == "measured":
        assert threshold.bpcer is not None
        assert threshold.apcer is not None
    with pytest.raises(ModelPackError, match=rf"recognises no face\nFix: .*dlib.*{name}"):
        read_manifest(name)
    with pytest.raises(ModelPackError, match="tells no attack\nFix: name one of these: antispoof"):
        read_pad_manifest("dlib")


@pytest.mark.parametrize(
    "name",
    [
        *("buffalo_s", "buffalo_sc", "dlib", "opencv-zoo", "retail", "taguchi"),
        "yunet-mobilefacenet",
    ],
)
def test_manifests_of_this_project_are_right(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATE_AGENT_MODELS", raising=False)
    assert name in manifest_names()
    manifest = read_manifest(name)
    assert manifest.comparison.not_measured_for
    assert all(point.fmr >= 1e-4 for point in manifest.comparison.curve)
    if manifest.comparison.metric == "euclidean":
        assert all(point.threshold < 0 for point in manifest.comparison.curve)


def test_wrong_manifest_is_told_every_fault_at_once(manifests: Path) -> None:
    text = MANIFEST.replace("width_px = 150", "width_px = 1").replace("padding =", "paddin =")
    (manifests / "little.toml").write_text(text.replace('metric = "euclidean"', 'metric = "l2"'))
    with pytest.raises(ConfigError) as caught:
        read_manifest("little")
    found = "\n".join(caught.value.findings)
    for part in ("width_px", "paddin", "metric", "little.toml"):
        assert part in found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("-0.5 }", "-0.7 }"),
        ('download = "packed.bz2"', 'download = "absent.bz2"'),
        (f'git_blob = "{git_blob(PACKED)}"', ""),
        ('name = "packed.onnx"', 'name = "../packed.onnx"'),
        ('name = "packed.onnx"', 'name = "embedder.onnx"'),
        ('urls = ["https://localhost.invalid/packed.bz2"]', 'urls = ["file:///etc/passwd"]'),
        ('name = "little"', 'name = "large"'),
        ('unpack = "tar"', 'unpack = "none"'),
        ("[licence]", "[licence"),
    ],
)
def test_manifest_that_contradicts_itself_is_refused(manifests: Path, old: str, new: str) -> None:
    assert old in MANIFEST
    (manifests / "little.toml").write_text(MANIFEST.replace(old, new, 1))
    with pytest.raises(ConfigError):
        read_manifest("little")


def test_unwritable_state_directory_is_unavailable(
    manifests: Path, brought: Path, tmp_path: Path
) -> None:
    (tmp_path / "state").write_bytes(b"a file where the folder should be")
    with pytest.raises(UnavailableError, match="state"):
        models.install("little", tmp_path / "state", brought)


@pytest.mark.parametrize("name", ["buffalo_s", "buffalo_sc"])
def test_weights_for_research_are_refused_until_their_licence_is_accepted_by_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GATE_AGENT_MODELS", raising=False)
    licence = "LicenseRef-InsightFace-non-commercial"
    for accepted in (None, "MIT"):
        with pytest.raises(RefusedError, match=f"--accept-licence {licence}"):
            models.install(name, tmp_path, tmp_path, accept_licence=accepted)
    with pytest.raises(UnavailableError, match=f"holds no {name}.zip"):
        models.install(name, tmp_path, tmp_path, accept_licence=licence)
    with pytest.raises(UnavailableError, match=f'accept_licences = ."{licence}"'):
        check_accepted(read_manifest(name), ["MIT"])
    check_accepted(read_manifest(name), [licence])
    check_accepted(read_manifest("retail"), [])


@pytest.mark.parametrize("broken", ["none", "cut", "other", "absent"])
def test_a_file_of_a_zip_is_taken_alone_and_checked(tmp_path: Path, broken: str) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../escapes", b"never written")
        if broken != "absent":
            archive.writestr("model.onnx", b"another" if broken == "other" else EMBEDDER)
    content = stream.getvalue()
    (tmp_path / "a.zip").write_bytes(content[:-9] if broken == "cut" else content)
    wanted = PackOriginal(
        download="a.zip",
        unpack="zip",
        member="model.onnx",
        original="model.onnx",
        original_sha256=sha256(EMBEDDER),
        original_largest_bytes=len(EMBEDDER),
    )
    if broken == "none":
        assert unpack(wanted, tmp_path / "a.zip", "") == EMBEDDER
        return
    with pytest.raises(ModelPackError):
        unpack(wanted, tmp_path / "a.zip", "")

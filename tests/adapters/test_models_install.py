"""Installing packs: from a folder, from a server, twice, half way, and what must be refused."""

import bz2
import functools
import hashlib
import http.server
import io
import signal
import subprocess
import sys
import tarfile
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import ConfigError, ModelPackError, RefusedError, UnavailableError
from agent.operations import fetch, models
from agent.operations.fetch import Progress
from agent.vision.manifest import manifest_names, read_manifest

EMBEDDER = b"an embedder" * 1000
PACKED = bz2.compress(b"packed" * 500)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def git_blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def archive_of(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in members.items():
            header = tarfile.TarInfo(f"inside/{name}")
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return stream.getvalue()


ARCHIVE = archive_of(embedder=EMBEDDER, other=b"not wanted")

MANIFEST = f"""
name = "little"
version = "1"
description = "three files of three kinds"

[licence]
spdx = "CC0-1.0"
free_for_commercial_use = true
text = "free"

[[download]]
file = "release.tar.gz"
sha256 = "{sha256(ARCHIVE)}"
largest_bytes = {len(ARCHIVE)}
url = "https://localhost.invalid/release.tar.gz"

[[download]]
file = "packed.bz2"
git_blob = "{git_blob(PACKED)}"
largest_bytes = 4096
url = "https://localhost.invalid/packed.bz2"

[[file]]
name = "embedder.onnx"
sha256 = "{sha256(EMBEDDER)}"
size_bytes = {len(EMBEDDER)}
download = "release.tar.gz"
unpack = "tar"
member = "inside/embedder"
original = "embedder.dat"
original_sha256 = "{sha256(EMBEDDER)}"
original_largest_bytes = {len(EMBEDDER)}

[[file]]
name = "packed.onnx"
download = "packed.bz2"
unpack = "bz2"
original = "packed"
original_largest_bytes = 8192

[detector]
kind = "haar"
cascade = "cascade.xml"
scale_factor = 1.1
min_neighbours = 3
smallest_face_px = 40

[landmarks]
kind = "detector"

[embedder]
file = "embedder.onnx"
width_px = 150
height_px = 150
channels = "rgb"
mean = [0.0, 0.0, 0.0]
scale = [1.0, 1.0, 1.0]
components = 128
mirror_averaged = true
unit_length = false

[embedder.alignment]
kind = "dlib-chip"
padding = 0.25

[comparison]
metric = "euclidean"
basis = "provisional"
measured_on = "nothing"
impostor_pairs = 0
measured_for = []
not_measured_for = []
curve = [{{ fmr = 1e-2, threshold = -0.6 }}, {{ fmr = 1e-3, threshold = -0.5 }}]
"""


@pytest.fixture
def manifests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "little.toml").write_text(MANIFEST)
    monkeypatch.setenv("GATE_AGENT_MODELS", str(folder))
    monkeypatch.delenv(models.MIRROR_VARIABLE, raising=False)
    return folder


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    folder = tmp_path / "brought"
    folder.mkdir()
    (folder / "release.tar.gz").write_bytes(ARCHIVE)
    (folder / "packed.bz2").write_bytes(PACKED)
    return folder


@pytest.fixture
def server(brought: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder a web server on the loopback address offers."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its own name
            pass

    handler = functools.partial(Quiet, directory=str(brought))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{running.server_address[1]}/"
        monkeypatch.setenv(models.MIRROR_VARIABLE, address)
        yield brought
        running.shutdown()
        thread.join()


def everything_in(state_dir: Path) -> list[str]:
    return sorted(str(path.relative_to(state_dir)) for path in state_dir.rglob("*"))


PLACES = [
    "models",
    "models/.lock",
    "models/little",
    "models/little/embedder.onnx",
    "models/little/installed.json",
    "models/little/packed.onnx",
]


def test_install_from_a_folder_leaves_the_pack_and_nothing_else(
    manifests: Path, brought: Path, tmp_path: Path
) -> None:
    result = models.install("little", tmp_path / "state", brought)
    assert result.changed
    assert result.pack.path("embedder.onnx").read_bytes() == EMBEDDER
    assert result.pack.path("packed.onnx").read_bytes() == bz2.decompress(PACKED)
    assert everything_in(tmp_path / "state") == PLACES


def test_install_from_a_server_reports_its_progress(
    manifests: Path, server: Path, tmp_path: Path
) -> None:
    seen: list[Progress] = []
    models.install("little", tmp_path / "state", progress=seen.append)
    assert Progress("download", "release.tar.gz", len(ARCHIVE), len(ARCHIVE)) in seen
    assert {report.phase for report in seen} == {"download", "unpack", "convert", "verify"}
    assert everything_in(tmp_path / "state") == PLACES


def test_second_install_changes_nothing_and_takes_no_time(
    manifests: Path, brought: Path, tmp_path: Path
) -> None:
    state_dir = tmp_path / "state"
    models.install("little", state_dir, brought)
    before = {path: path.stat().st_mtime_ns for path in state_dir.rglob("*")}
    started_s = time.monotonic()
    assert not models.install("little", state_dir).changed
    assert time.monotonic() - started_s < 0.5
    assert before == {path: path.stat().st_mtime_ns for path in state_dir.rglob("*")}


@pytest.mark.parametrize("name", ["embedder.onnx", "embedder.dat"])
def test_converted_files_and_originals_do_for_a_download(
    manifests: Path, brought: Path, tmp_path: Path, name: str
) -> None:
    (brought / "release.tar.gz").unlink()
    (brought / name).write_bytes(EMBEDDER)
    assert models.install("little", tmp_path / "state", brought).changed


@pytest.mark.parametrize("change", ["truncated", "wrong"])
@pytest.mark.parametrize("name", ["release.tar.gz", "packed.bz2", "embedder.onnx", "embedder.dat"])
def test_file_that_is_another_is_refused_with_both_hashes(
    manifests: Path, brought: Path, tmp_path: Path, name: str, change: str
) -> None:
    right = {"release.tar.gz": ARCHIVE, "packed.bz2": PACKED}.get(name, EMBEDDER)
    content = right[:-1] if change == "truncated" else b"\1" + right[1:]
    (brought / name).write_bytes(content)
    digest = git_blob if name == "packed.bz2" else sha256
    with pytest.raises(ModelPackError) as caught:
        models.install("little", tmp_path / "state", brought)
    for part in (name, digest(right), digest(content)):
        assert part in str(caught.value)
    assert everything_in(tmp_path / "state") == ["models", "models/.lock"]


def test_download_that_is_another_is_refused(manifests: Path, server: Path, tmp_path: Path) -> None:
    (server / "release.tar.gz").write_bytes(b"something else")
    with pytest.raises(ModelPackError, match=sha256(b"something else")):
        models.install("little", tmp_path / "state")
    assert everything_in(tmp_path / "state") == ["models", "models/.lock"]


def test_download_that_does_not_end_is_cut_off(
    manifests: Path, server: Path, tmp_path: Path
) -> None:
    (server / "release.tar.gz").write_bytes(bytes(10 * len(ARCHIVE)))
    with pytest.raises(ModelPackError, match="more than"):
        models.install("little", tmp_path / "state")


def test_missing_network_names_the_way_without_it(manifests: Path, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="--from DIR"):
        models.install("little", tmp_path / "state")


def test_file_the_server_lacks_is_unavailable(
    manifests: Path, server: Path, tmp_path: Path
) -> None:
    (server / "release.tar.gz").unlink()
    with pytest.raises(UnavailableError, match=r"404|[Nn]ot found"):
        models.install("little", tmp_path / "state")


def test_folder_without_the_file_is_unavailable(manifests: Path, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"holds no release\.tar\.gz"):
        models.install("little", tmp_path / "state", tmp_path)


def test_absent_pack_names_the_command_that_installs_it(manifests: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelPackError, match="gate-agent models install little"):
        models.verify("little", tmp_path)


def test_unknown_pack_names_those_there_are(manifests: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelPackError, match="little"):
        models.install("../little", tmp_path)


@pytest.mark.parametrize("name", ["embedder.onnx", "packed.onnx"])
@pytest.mark.parametrize("content", [b"changed", b""])
def test_changed_file_is_found_at_load_and_mended_by_install(
    manifests: Path, brought: Path, tmp_path: Path, name: str, content: bytes
) -> None:
    state_dir = tmp_path / "state"
    place = models.install("little", state_dir, brought).pack.path(name)
    right = place.read_bytes()
    place.write_bytes(content)
    with pytest.raises(ModelPackError) as caught:
        models.verify("little", state_dir)
    for part in (name, sha256(right), sha256(content)):
        assert part in str(caught.value)
    assert [status.state for status in models.list_packs(state_dir)] == ["broken"]
    assert models.install("little", state_dir, brought).changed
    assert everything_in(state_dir) == PLACES


@pytest.mark.parametrize("record", [None, "", "[]", '{"sha256": 1}', '{"sha256": {}}'])
def test_file_nobody_pins_needs_the_record_of_its_install(
    manifests: Path, brought: Path, tmp_path: Path, record: str | None
) -> None:
    directory = models.install("little", tmp_path / "state", brought).pack.directory
    if record is None:
        (directory / "installed.json").unlink()
    else:
        (directory / "installed.json").write_text(record)
    with pytest.raises(ModelPackError, match=r"packed\.onnx"):
        models.verify("little", tmp_path / "state")


def test_licence_that_is_not_free_must_be_accepted_by_name(
    manifests: Path, brought: Path, tmp_path: Path
) -> None:
    text = MANIFEST.replace("use = true", "use = false").replace("CC0-1.0", "LicenseRef-research")
    (manifests / "little.toml").write_text(text)
    state_dir = tmp_path / "state"
    for accepted in (None, "CC0-1.0", "yes"):
        with pytest.raises(RefusedError, match="LicenseRef-research"):
            models.install("little", state_dir, brought, accept_licence=accepted)
    assert not state_dir.exists()
    assert models.install(
        "little", state_dir, brought, accept_licence="LicenseRef-research"
    ).changed


def test_list_and_remove(manifests: Path, brought: Path, tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    assert [status.state for status in models.list_packs(state_dir)] == ["absent"]
    assert not models.remove("little", state_dir)
    models.install("little", state_dir, brought)
    assert [status.state for status in models.list_packs(state_dir)] == ["installed"]
    assert models.remove("little", state_dir)
    assert everything_in(state_dir) == ["models", "models/.lock"]


def test_killed_install_leaves_no_pack_and_the_next_one_tidies_up(
    manifests: Path, brought: Path, tmp_path: Path
) -> None:
    state_dir = tmp_path / "state"
    program = f"""
        import time
        from pathlib import Path
        from agent.operations import models
        def stop(progress):
            print(flush=True)
            time.sleep(60)
        models.install("little", Path({str(state_dir)!r}), Path({str(brought)!r}), stop)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(UnavailableError, match="Another install"):
            models.install("little", state_dir, brought)
        process.send_signal(signal.SIGKILL)
    assert len(list((state_dir / "models").glob(".staging-*"))) == 1
    with pytest.raises(ModelPackError, match="not installed"):
        models.verify("little", state_dir)
    assert models.install("little", state_dir, brought).changed
    assert everything_in(state_dir) == PLACES


def test_interrupted_install_leaves_nothing(manifests: Path, brought: Path, tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        models.install("little", tmp_path / "state", brought, interrupt)
    assert everything_in(tmp_path / "state") == ["models", "models/.lock"]


def test_member_that_is_no_file_is_refused(manifests: Path, brought: Path, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        link = tarfile.TarInfo("inside/embedder")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    (brought / "release.tar.gz").write_bytes(stream.getvalue())
    text = MANIFEST.replace(sha256(ARCHIVE), sha256(stream.getvalue()))
    (manifests / "little.toml").write_text(text)
    with pytest.raises(ModelPackError, match="no file inside/embedder"):
        models.install("little", tmp_path / "state", brought)


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


@pytest.mark.parametrize("name", ["dlib", "opencv-zoo", "taguchi", "yunet-mobilefacenet"])
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
        ('url = "https://localhost.invalid/packed.bz2"', 'url = "file:///etc/passwd"'),
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

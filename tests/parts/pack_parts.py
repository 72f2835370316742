"""A little model pack of three files, a folder and a server to install it from."""

import bz2
import functools
import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.operations.packs import install as models

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
urls = ["https://localhost.invalid/release.tar.gz"]

[[download]]
file = "packed.bz2"
git_blob = "{git_blob(PACKED)}"
largest_bytes = 4096
urls = ["https://localhost.invalid/packed.bz2"]

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
mirror = "both"
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

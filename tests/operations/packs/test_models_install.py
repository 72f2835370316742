"""Installing packs: from a folder, from a server, twice, half way, and what must be refused."""

import bz2
import io
import re
import signal
import subprocess
import sys
import tarfile
import textwrap
from pathlib import Path

import pytest
from pack_parts import (
    ARCHIVE,
    EMBEDDER,
    MANIFEST,
    PACKED,
    PLACES,
    everything_in,
    git_blob,
    sha256,
)

from agent.errors import ModelPackError, RefusedError, UnavailableError
from agent.operations.packs import install as models
from agent.operations.packs.fetch import Progress


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


def test_second_install_changes_nothing_and_does_no_work(
    manifests: Path, brought: Path, tmp_path: Path
) -> None:
    state_dir = tmp_path / "state"
    models.install("little", state_dir, brought)
    before = {path: path.stat().st_mtime_ns for path in state_dir.rglob("*")}
    seen: list[Progress] = []
    assert not models.install("little", state_dir, progress=seen.append).changed
    assert seen == []
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


def test_a_folder_may_hold_a_folder_a_pack(manifests: Path, brought: Path, tmp_path: Path) -> None:
    own = tmp_path / "usb" / "little"
    own.parent.mkdir()
    brought.rename(own)
    assert models.install("little", tmp_path / "state", own.parent).changed


def test_what_no_source_has_is_to_be_brought_and_no_network_is_blamed(
    manifests: Path, tmp_path: Path
) -> None:
    text = re.sub(r"(?m)^urls = .*$", "urls = []", MANIFEST)
    (manifests / "little.toml").write_text(text)
    with pytest.raises(UnavailableError, match="--from DIR") as caught:
        models.install("little", tmp_path / "state")
    assert "check the network" not in str(caught.value)
    with pytest.raises(UnavailableError, match="holds no") as caught:
        models.install("little", tmp_path / "state", tmp_path)
    assert "models install" not in str(caught.value)


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
        from agent.operations.packs import install as models
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

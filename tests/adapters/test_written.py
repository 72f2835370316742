"""What Linux tells of written bytes: of this process, of its threads, of the disk beneath."""

import os
import threading
from pathlib import Path

import pytest

from agent.adapters.written import meter

_BYTES = 300_000


def write(file: Path) -> None:
    with file.open("wb") as stream:
        stream.write(os.urandom(_BYTES))
        stream.flush()
        os.fsync(stream.fileno())


def test_what_a_thread_writes_counts_for_it_and_for_the_process(tmp_path: Path) -> None:
    before = meter(tmp_path, 0)
    if before.written is None:
        pytest.skip("this kernel does not count what a process writes")
    found = []

    def work() -> None:
        write(tmp_path / "a")
        found.append(meter(tmp_path, 0))

    thread = threading.Thread(target=work, name="journal")
    thread.start()
    thread.join()
    (now,) = found
    if now.written == before.written:
        pytest.skip("the temporary folder lies on no disk")
    assert now.written is not None
    assert now.written - before.written >= _BYTES
    assert now.by_thread["journal"] >= _BYTES
    assert "journal" not in before.by_thread


def test_a_system_that_tells_nothing_is_no_error(tmp_path: Path) -> None:
    found = meter(tmp_path / "missing", 0, tmp_path, tmp_path)
    assert (found.written, found.device, found.by_thread) == (None, None, {})
    (tmp_path / "io").write_text("write_bytes: many\n")
    assert meter(tmp_path, 0, tmp_path, tmp_path).written is None


def test_the_disk_is_that_of_the_folder(tmp_path: Path) -> None:
    number = tmp_path.stat().st_dev
    place = tmp_path / f"{os.major(number)}:{os.minor(number)}"
    place.mkdir()
    (place / "stat").write_text("  1 2 3 4 5 6 7 8 9 10 11\n")
    (tmp_path / "io").write_text("read_bytes: 1\nwrite_bytes: 4096\ncancelled_write_bytes: 0\n")
    found = meter(tmp_path, 0, tmp_path, tmp_path)
    assert found.device == 7 * 512
    assert found.written == 4096

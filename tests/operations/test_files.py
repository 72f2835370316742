"""Files are written whole or not at all, and nothing but files."""

import os
import re
import stat
from pathlib import Path

import pytest

from agent.errors import UnavailableError
from agent.operations.files import read_lines, write_lines, write_whole


def test_a_file_is_written_whole_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    assert write_lines(["one", "two"], file) == 2
    assert file.read_text() == "one\ntwo\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_keeps_what_it_had_until_all_is_there(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("before\n")

    def lines():
        yield "one"
        raise OSError(5, "Input/output error")

    with pytest.raises(UnavailableError, match="Input/output error"):
        write_lines(lines(), file)
    assert file.read_text() == "before\n"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_stays_and_its_file_is_written(tmp_path: Path) -> None:
    file, link = tmp_path / "a.jsonl", tmp_path / "link"
    link.symlink_to(file)
    write_lines(["one"], link)
    assert link.is_symlink()
    assert file.read_text() == "one\n"


def test_a_pipe_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UnavailableError, match="no ordinary file"):
        write_lines(["one"], pipe)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    with pytest.raises(UnavailableError, match="no ordinary file"):
        read_lines(pipe)


def test_a_folder_is_neither_written_nor_read(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no ordinary file"):
        write_lines(["one"], tmp_path)
    with pytest.raises(UnavailableError, match="no ordinary file"):
        read_lines(tmp_path)


def test_a_stream_is_not_replaced_where_it_leads_to_a_file(tmp_path: Path) -> None:
    # As /dev/stdout does where the shell sends it into a file.
    file = tmp_path / "output"
    with file.open("w") as stream:
        stream.write("said before\n")
        stream.flush()
        with pytest.raises(UnavailableError, match="no ordinary file"):
            write_lines(["one"], Path(f"/dev/fd/{stream.fileno()}"))
    assert file.read_text() == "said before\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_where_lines_end(end: str, tmp_path: Path) -> None:
    # JSON allows U+2028 and U+0085 in a text as they are.
    file = tmp_path / "a.jsonl"
    file.write_bytes(f"a\u2028b\u0085c{end}{end}d".encode())
    assert read_lines(file) == ["a\u2028b\u0085c", "", "d"]


def test_what_is_no_text_is_told_by_its_place(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes(b"abc\xff")
    with pytest.raises(UnavailableError, match=r"no text .* at byte 3"):
        read_lines(file)


def test_what_is_no_text_is_written_whole_too(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(b"before")
    write_whole(b"\x89PNG", file)
    assert file.read_bytes() == b"\x89PNG"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for place in (tmp_path, tmp_path / "gone" / "a.png"):
        with pytest.raises(UnavailableError, match=re.escape(str(place))):
            write_whole(b"x", place)

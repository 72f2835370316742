"""What lies in a backup: the parser refuses what no agent makes, and never leads elsewhere."""

import io
import json
import struct
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import RefusedError
from agent.operations.care.archive import About, ArchiveReader, ArchiveWriter, Entry
from agent.operations.care.vault import Cost, VaultReader, VaultWriter

WORDS = "correct horse battery"
ABOUT = About("1.2.3", "lakeside/g3/north-1", datetime(2026, 5, 6, 12, tzinfo=UTC), True)
SAID: dict[str, Any] = {
    "format": 1,
    "agent": "1",
    "kiosk": None,
    "made": "2026-05-06T12:00:00.000Z",
    "clock_trusted": False,
    "keys": None,
}


def record(said: object) -> bytes:
    text = json.dumps(said).encode()
    return struct.pack(">I", len(text)) + text


def sealed(content: bytes) -> bytes:
    stream = io.BytesIO()
    vault = VaultWriter(stream, WORDS, Cost(10))
    vault.write(content)
    vault.close()
    return stream.getvalue()


def read(data: bytes) -> dict[str, bytes]:
    archive = ArchiveReader(VaultReader(io.BytesIO(data), WORDS))
    return {str(entry.name): b"".join(content) for entry, content in archive.files()}


def reason(content: bytes) -> str:
    with pytest.raises(RefusedError) as refused:
        read(sealed(content))
    return refused.value.reason


FILES = {"gallery.key": b"k" * 65, "models/little/pack.json": b"{}", "empty": b""}


def test_what_was_put_in_comes_out_with_whose_it_is() -> None:
    stream = io.BytesIO()
    told: list[int] = []
    archive = ArchiveWriter(VaultWriter(stream, WORDS, Cost(10)), ABOUT)
    for name, content in FILES.items():
        entry = Entry(PurePosixPath(name), len(content))
        archive.add(entry, io.BytesIO(content + b"grown since"), told.append)
    archive.close()
    assert read(stream.getvalue()) == FILES
    assert told == [65, 2]
    about = ArchiveReader(VaultReader(io.BytesIO(stream.getvalue()), WORDS)).about
    assert about == ABOUT


def test_a_file_that_became_shorter_is_refused() -> None:
    archive = ArchiveWriter(VaultWriter(io.BytesIO(), WORDS, Cost(10)), ABOUT)
    with pytest.raises(RefusedError, match="became shorter"):
        archive.add(Entry(PurePosixPath("a"), 5), io.BytesIO(b"four"), lambda _count: None)


NAMES = (
    *("../gallery.key", "models/../../etc/passwd", "/etc/passwd", "models//a", "models/./a", ""),
    *(".", "..", ".restore/ready.json", "models/.lock", "a\0b", "a\nb", "a\\..\\b", "models/"),
    *("a/b/c/d/e/f/g", "x" * 256, "\ud800"),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    content = record(SAID) + record({"name": name, "size": 1}) + b"x" + record({"end": 1})
    assert reason(content) == "odd_backup"


ONE = record({"name": "a", "size": 1}) + b"x"
ODD = {
    "nothing": (b"", "damaged_backup"),
    "no end": (record(SAID) + ONE, "damaged_backup"),
    "a wrong end": (record(SAID) + ONE + record({"end": 2}), "damaged_backup"),
    "more behind it": (record(SAID) + ONE + record({"end": 1}) + b"x", "damaged_backup"),
    "twice": (record(SAID) + ONE + ONE + record({"end": 2}), "odd_backup"),
    "a bomb": (record(SAID) + record({"name": "a", "size": 1 << 60}) + b"x", "damaged_backup"),
    "less than nothing": (record(SAID) + record({"name": "a", "size": -1}), "damaged_backup"),
    "no number": (record(SAID) + record({"name": "a", "size": True}), "damaged_backup"),
    "a long record": (struct.pack(">I", 1 << 31) + b"x", "damaged_backup"),
    "deep": (record(SAID) + struct.pack(">I", 9000) + b"[" * 9000, "damaged_backup"),
    "a list": (record([1]), "damaged_backup"),
    "another format": (record({**SAID, "format": 3}), "newer_backup"),
    "no moment": (record({**SAID, "made": "noon"}), "damaged_backup"),
    "no kiosk": (record({**SAID, "kiosk": 7}), "damaged_backup"),
}


@pytest.mark.parametrize(("content", "expected"), ODD.values(), ids=ODD)
def test_what_no_agent_writes_is_refused(content: bytes, expected: str) -> None:
    assert reason(content) == expected


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
names = st.text(max_size=12) | st.sampled_from(NAMES)
records = st.fixed_dictionaries(
    {}, optional={"name": names | values, "size": st.integers(-1, 9) | values, "end": values}
)


@given(
    st.lists(records.map(record) | st.binary(max_size=9), max_size=6),
    st.sampled_from([record(SAID), b""]),
)
def test_whatever_is_in_it_is_refused_or_stays_below_the_folder(
    parts: list[bytes], begun: bytes
) -> None:
    data = sealed(begun + b"".join(parts))
    try:
        found = read(data)
    except RefusedError:
        return
    for name in found:
        parts_of = PurePosixPath(name).parts
        assert ".." not in parts_of
        assert not name.startswith(("/", "."))

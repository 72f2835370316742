"""The sealed file: what was altered, moved, left out or cut off never opens."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import RefusedError
from agent.operations.care.vault import (
    CHUNK_BYTES,
    Cost,
    VaultReader,
    VaultWriter,
    sealed_bytes,
)

WORDS = "correct horse battery"
CHEAP = Cost(10)
SEALED = CHUNK_BYTES + 16
HEAD = 18 + 4 + 16 + 32


def sealed(content: bytes, pieces: int = 1 << 20) -> bytes:
    stream = io.BytesIO()
    vault = VaultWriter(stream, WORDS, CHEAP)
    for start in range(0, len(content), pieces):
        vault.write(content[start : start + pieces])
    vault.close()
    return stream.getvalue()


def opened(data: bytes, words: str = WORDS, pieces: int = 1 << 20) -> bytes:
    vault = VaultReader(io.BytesIO(data), words)
    found = b""
    while piece := vault.read(pieces):
        found += piece
    vault.end()
    return found


CONTENT = bytes(range(256)) * (3 * CHUNK_BYTES // 256) + b"the rest"
WHOLE = sealed(CONTENT)
CHUNKS = [WHOLE[start : start + SEALED] for start in range(HEAD, len(WHOLE), SEALED)]
OTHERS = sealed(CONTENT)
AROUND = (0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES)


@pytest.mark.parametrize("size", AROUND)
@pytest.mark.parametrize("pieces", [4093, 1 << 20])
def test_what_is_sealed_opens_again_and_is_as_long_as_foretold(size: int, pieces: int) -> None:
    content = CONTENT[:size]
    data = sealed(content, pieces)
    assert opened(data, pieces=pieces) == content
    assert len(data) == sealed_bytes(size)


def test_a_letter_that_is_spelled_in_two_ways_is_one() -> None:
    stream = io.BytesIO()
    VaultWriter(stream, "Zürich im Winter", CHEAP).close()
    assert opened(stream.getvalue(), "Zu\u0308rich im Winter") == b""


def reason(data: bytes, words: str = WORDS) -> str:
    with pytest.raises(RefusedError) as refused:
        opened(data, words)
    return refused.value.reason


def test_another_passphrase_is_told_from_damage() -> None:
    assert reason(WHOLE, "correct horse batterz") == "passphrase"
    assert reason(b"") == reason(b"PK\x03\x04" * 20) == reason(WHOLE[: HEAD - 40]) == "no_backup"
    assert reason(WHOLE[:-1]) == "damaged_backup"


def test_a_short_passphrase_seals_nothing() -> None:
    stream = io.BytesIO()
    with pytest.raises(RefusedError, match="12 letters"):
        VaultWriter(stream, "eleven lett", CHEAP)
    assert stream.getvalue() == b""


@pytest.mark.parametrize("chunks", range(len(CHUNKS)))
def test_cut_off_behind_a_whole_chunk_it_is_damaged(chunks: int) -> None:
    assert reason(WHOLE[:HEAD] + b"".join(CHUNKS[:chunks])) == "damaged_backup"


MOVED = {
    "swapped": [CHUNKS[1], CHUNKS[0], *CHUNKS[2:]],
    "twice": [CHUNKS[0], *CHUNKS],
    "left out": [CHUNKS[0], *CHUNKS[2:]],
    "the last one first": [CHUNKS[-1], *CHUNKS[:-1]],
    "something behind it": [*CHUNKS, b"more"],
    "the end twice": [*CHUNKS, CHUNKS[-1]],
    "one of another backup": [CHUNKS[0], OTHERS[HEAD + SEALED : HEAD + 2 * SEALED], *CHUNKS[2:]],
}


@pytest.mark.parametrize("chunks", MOVED.values(), ids=MOVED)
def test_chunks_that_were_moved_do_not_open(chunks: list[bytes]) -> None:
    assert reason(WHOLE[:HEAD] + b"".join(chunks)) == "damaged_backup"


def test_the_head_of_another_backup_opens_nothing() -> None:
    assert reason(OTHERS[:HEAD] + WHOLE[HEAD:]) == "damaged_backup"


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_no_byte_of_it_can_be_altered(place: int, change: int) -> None:
    altered = bytearray(WHOLE)
    altered[place] ^= change
    if place == 19:
        # What scrypt costs: tried below, since some of it is a second.
        return
    expected = {"damaged_backup"} if place >= HEAD else {"no_backup", "newer_backup", "passphrase"}
    assert reason(bytes(altered)) in expected


@pytest.mark.parametrize("cost", [(0, 8, 1), (30, 8, 1), (63, 8, 1), (10, 255, 1), (10, 8, 255)])
def test_what_a_head_asks_for_has_a_bound(cost: tuple[int, int, int]) -> None:
    altered = bytearray(WHOLE)
    altered[19:22] = struct.pack(">BBB", *cost)
    assert reason(bytes(altered)) == "no_backup"


def test_no_two_backups_have_a_byte_of_content_alike() -> None:
    assert WHOLE[22:38] != OTHERS[22:38]
    assert WHOLE[HEAD : HEAD + 64] != OTHERS[HEAD : HEAD + 64]

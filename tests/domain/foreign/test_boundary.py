"""Whatever a decoder raises is unreadable, and counted; what ends a process on purpose passes."""

import logging
import struct
from collections.abc import Iterator

import cv2
import pytest

from agent.domain.foreign.boundary import UNREADABLE, boundary, read_or


class RustPanic(BaseException):
    """As pyo3's PanicException: no ``Exception``."""


RAISED = [
    ValueError("4294967295 is not a valid ZBarOrientation"),
    cv2.error("OpenCV(4) error"),
    MemoryError(),
    RecursionError(),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    struct.error("unpack requires a buffer"),
    AssertionError(),
    RustPanic("index out of bounds"),
]


class RefusedHereError(Exception):
    """What the caller knows."""


class KnownError(Exception):
    """What the guarded code says by itself."""


def count(part: str) -> int:
    return UNREADABLE.read().get(part, 0)


@pytest.mark.parametrize("error", RAISED, ids=lambda error: type(error).__name__)
def test_whatever_is_raised_is_refused_and_counted(error: BaseException) -> None:
    before = count("part")

    @boundary("part", RefusedHereError, KnownError)
    def read() -> int:
        raise error

    with pytest.raises(RefusedHereError) as refused:
        read()
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    assert read_or("part", 7, read) == 7
    assert count("part") == before + 3


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_what_ends_a_process_passes(error: BaseException) -> None:
    def read() -> Iterator[int]:
        raise error

    with pytest.raises(type(error)):
        read_or("part", None, read)
    with pytest.raises(type(error)), boundary("part", RefusedHereError):
        read()


def test_what_is_known_passes_uncounted() -> None:
    before = count("part")
    with pytest.raises(KnownError), boundary("part", RefusedHereError, KnownError):
        raise KnownError
    assert count("part") == before


def test_what_is_read_is_given_back() -> None:
    assert read_or("part", 0, lambda: 5) == 5


def test_a_code_on_the_wall_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(1000):
            UNREADABLE.note("wall", ValueError("what was shown"))
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 10
    assert told[0] == "unreadable: wall raised ValueError, time 1"
    assert not any("what was shown" in line for line in told)

"""A table from outside as rows of text, one at a time: CSV of any encoding, or a workbook (XLSX).

What is wrong with the file as a whole is refused before a row is read: no text, a password, macros,
more in it than a table of people has. What is wrong with one row is told with that row.
"""

import codecs
import contextlib
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TextIO

from agent.domain.foreign.text import NoTextError, text_of
from agent.errors import RefusedError, UnavailableError
from agent.operations.people.holders_csv import delimiter_of
from agent.operations.registers.workbook import workbook_rows

MOST_BLANK = 100_000
_FIRST_LINES = 20
_LONGEST_CELL, _MOST_CELLS = 2_000, 200
_ZIP, _COMPOUND = b"PK\x03\x04", bytes.fromhex("d0cf11e0a1b11ae1")
_SAMPLE_BYTES, _CHUNK_BYTES = 262_144, 1 << 20
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row: its number in the file, its cells as text, and what is wrong with it as a row.

    ``wrong`` are the places of cells that say nothing by themselves, each with why.
    """

    number: int
    cells: Sequence[str]
    problem: str | None = None
    wrong: tuple[tuple[int, str], ...] = ()


@contextlib.contextmanager
def rows_of(file: Path, sheet: str | None, notes: list[str]) -> Iterator[Iterator[SourceRow]]:
    """The rows of the table in ``file`` that are not blank; ``notes`` gets what was not read.

    Raises:
        RefusedError: ``table``: it is none that may be read; why.
        UnavailableError: it cannot be opened, or a workbook cannot be read here.
    """
    try:
        stream = file.open("rb")
    except OSError as error:
        said = f"{file} cannot be read: {error.strerror}"
        raise UnavailableError(said, "name a file") from error
    with stream:
        head = stream.read(len(_COMPOUND))
        stream.seek(0)
        if head == _COMPOUND:
            raise _refused(_of_compound(stream))
        if head.startswith(_ZIP):
            with workbook_rows(stream, sheet, notes) as rows:
                yield _bounded(SourceRow(*row) for row in rows)
            return
        if sheet is not None:
            raise _refused("is no workbook, and has no sheets")
        with io.TextIOWrapper(stream, encoding=_encoding(stream), newline="") as text:
            yield _bounded(_csv_rows(text))


def _csv_rows(text: TextIO) -> Iterator[SourceRow]:
    # A title may stand above the head, without any of what divides cells.
    first = "".join(islice((line for line in text if line.strip()), _FIRST_LINES))
    text.seek(0)
    reader = csv.reader(text, delimiter=delimiter_of(first), strict=True)
    try:
        for cells in reader:
            yield SourceRow(reader.line_num, cells)
    except csv.Error as error:
        raise _refused(f"is broken at row {reader.line_num}: {error}") from error


def _bounded(rows: Iterator[SourceRow]) -> Iterator[SourceRow]:
    """Without blank rows, of which there may be many, but not without end."""
    last = 0
    for row in rows:
        if row.problem is None and not any(cell.strip() for cell in row.cells):
            if row.number - last > MOST_BLANK:
                said = f"has more than {MOST_BLANK} blank rows behind row {last}: delete them"
                raise _refused(said)
            continue
        last = row.number
        cells = row.cells
        if len(cells) > _MOST_CELLS and any(cell.strip() for cell in cells[_MOST_CELLS:]):
            yield SourceRow(row.number, cells[:_MOST_CELLS], f"has more than {_MOST_CELLS} cells")
        elif any(len(cell) > _LONGEST_CELL for cell in cells):
            short = [cell[:_LONGEST_CELL] for cell in cells]
            yield SourceRow(row.number, short, f"has a cell of over {_LONGEST_CELL} characters")
        else:
            yield row


def _encoding(stream: BinaryIO) -> str:
    """By which the whole stream decodes.

    Raises:
        RefusedError: it is no text, or in an encoding that cannot be told.
    """
    sample = stream.read(_SAMPLE_BYTES)
    cut = sample if len(sample) < _SAMPLE_BYTES else sample[: sample.rfind(b"\n") + 1]
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if sample.startswith(mark):
            return _whole(stream, encoding)
    if b"\0" in sample:
        raise _refused("is no text: save the sheet as CSV UTF-8")
    try:
        return _whole(stream, "utf-8")
    except RefusedError:
        pass
    try:
        text = text_of(cut)
    except NoTextError as error:
        raise _refused(f"is no text {error}: save the sheet as CSV UTF-8") from error
    for encoding in ("gb18030", "shift_jis"):
        with contextlib.suppress(UnicodeDecodeError):
            if cut.decode(encoding) == text:
                return _whole(stream, encoding)
    # What is not UTF-8 stands behind the sample.
    return _whole(stream, "gb18030")


def _whole(stream: BinaryIO, encoding: str) -> str:
    stream.seek(0)
    decoder, at = codecs.getincrementaldecoder(encoding)(), 0
    try:
        while chunk := stream.read(_CHUNK_BYTES):
            decoder.decode(chunk)
            at += len(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        said = f"is no text ({encoding}) near byte {at + error.start}: save the sheet as CSV UTF-8"
        raise _refused(said) from error
    stream.seek(0)
    return encoding


def _of_compound(stream: BinaryIO) -> str:
    while chunk := stream.read(_CHUNK_BYTES):
        if _ENCRYPTED in chunk:
            return "is protected by a password: save it without one"
    return "is a workbook of before 2007 (.xls): save it as .xlsx"


def _refused(what: str) -> RefusedError:
    return RefusedError("table", f"the file {what}\nnothing was imported")

"""The rows of a workbook (XLSX), streamed: what is there once is never in memory as a whole.

    macros, a password, a bomb     the file is refused
    a hidden sheet                 is not read, and named
    several sheets with rows       one has to be named
    a formula, an error, a merge   the row is faulty, at that cell

A formula's value is what somebody's program last made of it, or never did: nothing is taken of it.
"""

import contextlib
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

from agent.domain.foreign.boundary import boundary
from agent.errors import GateAgentError, RefusedError

Row = tuple[int, Sequence[str], str | None, tuple[tuple[int, str], ...]]

_MOST_MEMBERS, _MOST_BYTES, _MOST_OF_ONE = 2_000, 1 << 31, 1 << 30
_MOST_STRINGS = 1 << 28
"""Texts that cells share are in memory as a whole: there are some 100 bytes for each person."""
_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+)(\d+):([A-Z]+)(\d+)"')
_MOST_MERGES, _CHUNK, _OVERLAP = 10_000, 1 << 18, 200
_MOST_ROWS = 1_048_576


@contextlib.contextmanager
def workbook_rows(stream: BinaryIO, sheet: str | None, notes: list[str]) -> Iterator[Iterator[Row]]:
    """The rows of the one sheet with people: number, cells, what is wrong with it and its cells.

    Raises:
        RefusedError: ``table``: the workbook may not be read; why.
    """
    import openpyxl  # noqa: PLC0415 - only who reads a workbook pays for it

    with _unreadable("cannot be read as a workbook"):
        _check(stream)
        book = openpyxl.load_workbook(stream, read_only=True, data_only=False, keep_links=False)
    try:
        with _unreadable("cannot be read as a workbook"):
            chosen = _sheet(book, sheet, notes)
            merged = _merged(stream, chosen)
        yield _rows(chosen, merged)
    finally:
        book.close()


def _unreadable(what: str) -> AbstractContextManager[None]:
    return boundary("workbook", lambda: _refused(what), GateAgentError)


def _rows(sheet: Any, merged: dict[int, str]) -> Iterator[Row]:
    sheet.reset_dimensions()
    rows = sheet.iter_rows()
    number = 0
    while True:
        with _unreadable("is damaged in one of its rows"):
            cells = next(rows, None)
        if cells is None:
            return
        number += 1
        texts, wrong = [], []
        for at, cell in enumerate(cells):
            text, why = _text(cell)
            texts.append(text)
            if why is not None:
                wrong.append((at, why))
        yield number, texts, merged.get(number), tuple(wrong)


def _text(cell: Any) -> tuple[str, str | None]:
    """The cell as somebody would type it, and why it says nothing by itself."""
    value, kind = cell.value, getattr(cell, "data_type", "n")
    if value is None:
        return "", None
    if kind == "f":
        return str(value), "is a formula: paste its value"
    if kind == "e":
        return str(value), "is an error of the sheet"
    if isinstance(value, bool):
        return str(value).upper(), None
    if isinstance(value, datetime):
        whole = value.time() == time()
        return (value.date().isoformat() if whole else value.isoformat(" ", "minutes")), None
    if isinstance(value, date):
        return value.isoformat(), None
    if isinstance(value, time | timedelta):
        return str(value), None
    if isinstance(value, float) and value.is_integer():
        return str(int(value)), None
    return str(value), None


def _check(stream: BinaryIO) -> None:
    with zipfile.ZipFile(stream) as packed:
        members = packed.infolist()
        names = {one.filename.lower() for one in members}
        if "xl/workbook.xml" not in names:
            raise _refused("is no workbook")
        if any(name.endswith(("vbaproject.bin", ".xlm")) or "macrosheet" in name for name in names):
            raise _refused("has macros: save it as .xlsx without them")
        sizes = [one.file_size for one in members]
        strings = [one.file_size for one in members if "sharedstrings" in one.filename.lower()]
        if (
            len(members) > _MOST_MEMBERS
            or sum(sizes) > _MOST_BYTES
            or max(sizes) > _MOST_OF_ONE
            or sum(strings) > _MOST_STRINGS
        ):
            raise _refused("unpacks to more than a table of people has")
        if any(one.flag_bits & 1 for one in members):
            raise _refused("is protected by a password: save it without one")
        for one in members:
            if one.filename.endswith((".xml", ".rels")):
                with packed.open(one) as part:
                    # Nothing in a workbook declares entities, but for whoever wants to fill memory.
                    if b"<!DOCTYPE" in part.read(4096):
                        raise _refused("declares entities, as no sheet does")


def _sheet(book: Any, wanted: str | None, notes: list[str]) -> Any:
    visible = []
    for one in book.worksheets:
        if wanted is not None and one.title == wanted:
            return one
        if one.sheet_state == "visible":
            visible.append(one)
        elif wanted is None:
            notes.append(f"the sheet {one.title!r} is hidden, and was not read")
    if wanted is not None:
        titles = ", ".join(repr(one.title) for one in book.worksheets)
        raise _refused(f"has no sheet {wanted!r}; it has {titles}")
    filled = [one for one in visible if _has_rows(one)]
    if len(filled) > 1:
        titles = ", ".join(repr(one.title) for one in filled)
        raise _refused(f"has several sheets: name one by --sheet ({titles})")
    if not filled:
        raise _refused("has no sheet with rows that is to be seen")
    return filled[0]


def _has_rows(sheet: Any) -> bool:
    sheet.reset_dimensions()
    rows = sheet.iter_rows(max_row=1000)
    return any(cell.value is not None for row in rows for cell in row)


def _merged(stream: BinaryIO, sheet: Any) -> dict[int, str]:
    """The rows that a merge joins with another one, each with what to say of it.

    What is merged within one row is a title, or is told as an empty cell.
    """
    found: dict[int, str] = {}
    with zipfile.ZipFile(stream) as packed, packed.open(sheet._worksheet_path) as part:  # noqa: SLF001 - openpyxl tells it nowhere else
        tail = b""
        while chunk := part.read(_CHUNK):
            for left, first, right, last in _MERGE.findall(tail + chunk):
                top, bottom = int(first), min(int(last), _MOST_ROWS)
                if top == bottom or len(found) > _MOST_MERGES:
                    continue
                where = f"{left.decode()}{top}:{right.decode()}{bottom}"
                for number in range(top, min(bottom, top + _MOST_MERGES) + 1):
                    found[number] = f"is merged with other rows ({where}): split the cells"
            tail = chunk[-_OVERLAP:]
    return found


def _refused(what: str) -> RefusedError:
    return RefusedError("table", f"the file {what}\nnothing was imported")

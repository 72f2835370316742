"""The references' rows: listed without their content, and opened one by one."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.adapters.store.people.card_tables import CardTables
from agent.adapters.store.people.gathered import Gathered
from agent.adapters.store.people.rows.marks import intact
from agent.domain.credential.holder import HolderId
from agent.ports import OpenedReference, ReferenceList

_OF_PACK = "FROM reference WHERE pack = ? AND pack_version = ?"
_AT_ONCE = 500
"""Row numbers in one question to SQLite, which takes no more than some 30,000 words."""
_NONCE = "substr(sealed, 10, 4)"
"""Of the seal's random nonce, which follows its version and its key's id (``seal``)."""


class ReferenceRows(CardTables):
    """Implements ``ports.GalleryArrays``."""

    def load_arrays(
        self, pack: str, pack_version: str
    ) -> tuple[list[HolderId], npt.NDArray[np.float32]]:
        """The owners and templates (references x components) of a pack, by holder.

        A row that was altered, or copied from elsewhere, is left out: its holder has one less.

        Raises:
            KeyUnavailableError: there is no key, or another one sealed them.
            StoreError: the registry cannot be read.
        """
        rows_of = f"SELECT holder, sealed {_OF_PACK} ORDER BY holder, number"

        def work() -> tuple[list[HolderId], npt.NDArray[np.float32]]:
            words = (pack, pack_version)
            (count,) = self._connection.execute(f"SELECT count(*) {_OF_PACK}", words).fetchone()
            gallery = Gathered(count, words)
            # One row at a time: the whole gallery is in memory once, not thrice.
            for owner, sealed in self._connection.execute(rows_of, words):
                gallery.add(owner, sealed, self._need_sealer())
            return gallery.arrays()

        return self._read(work)

    def list_references(
        self, pack: str, pack_version: str, among: Collection[int] | None = None
    ) -> ReferenceList:
        """Whose references there are and in which rows, by holder; nothing is opened.

        Those ``among`` these numbers come in parts, each by holder.

        Raises:
            StoreError: the registry cannot be read.
        """
        words = (pack, pack_version)
        query = f"SELECT holder, number, {_NONCE} {_OF_PACK}"
        order = "ORDER BY holder, number"

        def rows() -> Iterator[tuple[Any, ...]]:
            if among is None:
                return self._connection.execute(f"{query} {order}", words)
            return (row for part in _parts([*among]) for row in rows_among(part))

        def rows_among(part: Sequence[int]) -> Iterator[tuple[Any, ...]]:
            return self._connection.execute(f"{query} AND {_among(part)} {order}", (*words, *part))

        def work() -> ReferenceList:
            owners, numbers, marks = [], [], []
            held: dict[str, HolderId] = {}
            for owner, number, mark in rows():
                if intact(owner) and isinstance(mark, bytes):
                    owners.append(held.setdefault(owner, HolderId(owner)))
                    numbers.append(number)
                    marks.append(int.from_bytes(mark, "big"))
            return ReferenceList(
                owners, np.array(numbers, dtype=np.int64), np.array(marks, dtype=np.uint32)
            )

        return self._read(work)

    def open_references(
        self, pack: str, pack_version: str, numbers: Sequence[int]
    ) -> Iterator[OpenedReference | None]:
        """The references in these rows, each opened as it is asked for.

        None for a row that is gone, was altered or copied from elsewhere. No writer is waited for.

        Raises:
            KeyUnavailableError: there is no key, or another one sealed every row asked for.
            StoreError: the registry cannot be read.
        """
        words = (pack, pack_version)
        one = Gathered(1, words)
        opened = False
        for part in _parts(numbers):
            sealed = self._reading.read(partial(_sealed_rows, words, part))
            for number in part:
                owner, row = sealed.pop(number, (None, None))
                template = None if row is None else one.opened(owner, row, self._need_sealer())
                opened |= template is not None
                yield None if template is None else (HolderId(str(owner)), template)
        if not opened:
            one.refuse_foreign()

    def reference_total(self, pack: str, pack_version: str) -> int:
        """How many references of the pack there are, those among them that cannot be opened."""
        count: int = self._rows(f"SELECT count(*) {_OF_PACK}", pack, pack_version)[0][0]
        return count


def _sealed_rows(
    words: tuple[str, str], numbers: Sequence[int], connection: sqlite3.Connection
) -> dict[int, tuple[object, object]]:
    query = f"SELECT number, holder, sealed {_OF_PACK} AND {_among(numbers)}"
    return {
        number: (owner, sealed)
        for number, owner, sealed in connection.execute(query, (*words, *numbers))
    }


def _parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[start : start + _AT_ONCE] for start in range(0, len(numbers), _AT_ONCE))


def _among(numbers: Sequence[int]) -> str:
    return f"number IN ({', '.join('?' * len(numbers))})"

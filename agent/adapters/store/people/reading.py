"""A second connection to the registry's file, which reads and waits for nobody who writes.

Whoever stands before the gate is compared by rows that are opened for each frame. Behind the lock
of the first connection a frame would wait for as long as some thread of this process waits for
another process's transaction: an import, a change of keys.
"""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from agent.adapters.store.sqlite import BUSY_TIMEOUT_S, file_identity, guarded
from agent.errors import StoreError

T = TypeVar("T")


class Reading:
    """Opened when it is first asked; safe from any thread."""

    def __init__(self, path: Path, text: Callable[[bytes], str]) -> None:
        """``text`` reads a column of text, as the first connection does."""
        self._path = path
        self._text = text
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._identity: object = None
        self._closed = False

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """``work`` on one state of the file that lies there now.

        Raises:
            StoreError: it is gone, or cannot be read.
        """

        def state() -> T:
            connection = self._followed()
            connection.execute("BEGIN")
            try:
                return work(connection)
            finally:
                connection.rollback()

        with self._lock:
            return guarded(self._path, state)

    def close(self) -> None:
        """Let the file go; safe to call twice."""
        with self._lock:
            self._closed = True
            self._let_go()

    def _followed(self) -> sqlite3.Connection:
        if self._closed:
            raise StoreError(f"{self._path.name} is closed")
        identity = file_identity(self._path)
        if identity is None:
            raise StoreError(f"{self._path.name} is gone", f"put {self._path} back from a backup")
        if self._connection is None or identity != self._identity:
            self._let_go()
            made = sqlite3.connect(
                self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            made.text_factory = self._text
            made.execute("PRAGMA query_only = ON")
            self._connection, self._identity = made, identity
        return self._connection

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

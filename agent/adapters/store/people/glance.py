"""A glance at the registry for the shell's completion: light, at once, and without a trace.

The registry proper checks every row by its mark, may wait for a writer and makes SQLite's files
beside it. Here nothing is decided: a row that was tampered with is offered and then refused.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from agent.adapters.store.names import HOLDER_NAME, INDEX, LOG
from agent.errors import KeyUnavailableError, StoreError

_MOST = 200
_WAIT_S = 0.1
# Anything in a damaged file may be of any type, and is passed over.
_TEXT = "typeof({0}) = 'text' AND substr({0}, 1, length(?1)) = ?1"


def holders(registry: Path, start: str, key_file: Path | None) -> list[tuple[str, str]]:
    """Ids that begin with ``start``, each with the name where ``key_file`` opens it.

    Raises:
        sqlite3.Error: nothing can be read just now.
    """
    query = f"SELECT id, name, sealed_name FROM holder WHERE {_TEXT.format('id')}"  # noqa: S608 - no word of a stranger
    rows = _rows(registry, query, start)
    opened = _Names(key_file)
    return [(str(one), opened.name(str(one), name, sealed)) for one, name, sealed in rows]


def categories(registry: Path, start: str) -> list[str]:
    """Categories that somebody has and that begin with ``start``.

    Raises:
        sqlite3.Error: nothing can be read just now.
    """
    query = f"SELECT DISTINCT category FROM holder WHERE {_TEXT.format('category')}"  # noqa: S608 - no word of a stranger
    return [str(one) for (one,) in _rows(registry, query, start)]


def issuer_keys(registry: Path) -> list[tuple[str, str]]:
    """The ids of trusted keys, each with its issuer.

    Raises:
        sqlite3.Error: nothing can be read just now.
    """
    query = f"SELECT key_id, issuer FROM issuer_key WHERE {_TEXT.format('key_id')}"  # noqa: S608 - no word of a stranger
    return [(str(key), str(issuer)) for key, issuer in _rows(registry, query, "")]


def _rows(path: Path, query: str, start: str) -> list[tuple[object, ...]]:
    with _opened(path) as connection:
        return list(connection.execute(f"{query} ORDER BY 1 LIMIT {_MOST}", (start,)))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    # Where somebody has it open, its log is read as well; else SQLite would make one, and a reader
    # that may not write would leave it there.
    in_use = all(path.with_name(path.name + end).exists() for end in (LOG, INDEX))
    mode = "mode=ro" if in_use else "mode=ro&immutable=1"
    name = f"file:{quote(str(path.absolute()))}?{mode}"
    with contextlib.closing(sqlite3.connect(name, uri=True, timeout=_WAIT_S)) as connection:
        yield connection


class _Names:
    """Opens names; each is empty where they are sealed and the key is not to be had."""

    def __init__(self, key_file: Path | None) -> None:
        self._sealer = None
        if key_file is not None:
            from agent.adapters.store.key_ring import (  # noqa: PLC0415 - ciphers take long to import
                KeyRing,
                keys_at,
            )

            with contextlib.suppress(KeyUnavailableError):
                self._sealer = KeyRing(lambda: keys_at(key_file))

    def name(self, holder: str, name: object, sealed: object) -> str:
        if sealed is None:
            return str(name)
        if self._sealer is None or not isinstance(sealed, bytes):
            return ""
        try:
            return self._sealer.open(sealed, HOLDER_NAME, holder).decode()
        except (KeyUnavailableError, StoreError, UnicodeError):
            return ""

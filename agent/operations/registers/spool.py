"""What was read waits sealed on disk, so that it is read once and is never in memory as a whole.

The file has no name and its key is in no file: whatever happens to the process, nobody opens it.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agent.ports import Seals

_SIZE_BYTES = 4
_PURPOSE = "spool"


class Spool:
    """Values in their order, to be read again any number of times."""

    def __init__(self, folder: Path | None, seals: Seals) -> None:
        """Make a file without a name in ``folder``, else where such files are made.

        ``seals`` must have a key of its own.
        """
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._seals = seals
        self.count = 0

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The file is gone."""
        self._file.close()

    def add(self, value: Mapping[str, Any]) -> None:
        """One more, as JSON."""
        sealed = self._seals.seal(json.dumps(value).encode(), _PURPOSE, str(self.count))
        self._file.write(len(sealed).to_bytes(_SIZE_BYTES, "big") + sealed)
        self.count += 1

    def __iter__(self) -> Iterator[Any]:
        """All of them, from the first."""
        self._file.flush()
        self._file.seek(0)
        for number in range(self.count):
            size = int.from_bytes(self._file.read(_SIZE_BYTES), "big")
            plain = self._seals.open(self._file.read(size), _PURPOSE, str(number))
            yield json.loads(plain)

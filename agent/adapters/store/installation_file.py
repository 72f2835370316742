"""The installation's own file: read whatever stands in its place, and replaced whole.

A file that is damaged, or is none, is as good as gone: what the others remember holds then. It is
moved aside where nothing can be written over it, and never deleted.
"""

import contextlib
import json
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from agent.adapters.store.aside import put_aside
from agent.adapters.store.names import INSTALLATION
from agent.adapters.store.owners import told
from agent.adapters.store.sqlite import stored_moment, sync_folder
from agent.adapters.store.verdicts import Known
from agent.domain.foreign.json_text import read_json
from agent.domain.record.events import Event, EventType
from agent.errors import StoreError

_LARGEST_BYTES = 1_000_000
_DAMAGED = "damaged"


class InstallationFile:
    """Read and written by ``Installation`` only, which holds the folder's lock for writing."""

    def __init__(self, folder: Path, files: Sequence[str]) -> None:
        """``files`` are those that are remembered. Nothing is read or made yet."""
        self._folder = folder
        self._path = folder / INSTALLATION
        self._files = tuple(files)

    def read(self) -> Known | str | None:
        """What is remembered; None where there is no such file, a word where it is no good.

        Raises:
            StoreError: this user may not know.
        """
        try:
            # Without waiting, as one would at a pipe.
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    return _DAMAGED
                return _parsed(file.read(_LARGEST_BYTES), self._files)
        except FileNotFoundError:
            return _DAMAGED if self._path.is_symlink() else None
        except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
            return _DAMAGED
        except OSError as error:
            if self._is_ones_own():
                return _DAMAGED
            fix = "run as the user who owns the state directory, or name another --state-dir"
            said, fix = told(self._path, "read", error, fix)
            raise StoreError(said, fix) from error

    def write(self, known: Known, *, durable: bool = False) -> None:
        """Replace it; to be ``durable`` its name is flushed as well.

        Raises:
            StoreError: the folder cannot be written.
        """
        # Under the folder's lock there is one draft at most, and a killed one is written over.
        draft = self._path.with_name(f".{INSTALLATION}.new")
        try:
            for place in (draft, self._path):
                if place.is_dir() and not place.is_symlink():
                    put_aside(place)
            with contextlib.suppress(FileNotFoundError):
                draft.unlink()
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                if os.geteuid() == 0:
                    # A command of root's must not take it away from the agent.
                    owner = self._folder.stat()
                    os.fchown(descriptor, owner.st_uid, owner.st_gid)
                file.write(_text(known))
                file.flush()
                os.fsync(descriptor)
            draft.replace(self._path)
            if durable:
                sync_folder(self._folder)
        except OSError as error:
            raise self.unwritten(error) from error

    def unwritten(self, error: OSError) -> StoreError:
        """What to say where the folder takes nothing."""
        fix = f"make {self._folder} writable for this user, or name another --state-dir"
        return StoreError(f"{self._path} cannot be written: {error.strerror or error}", fix)

    def _is_ones_own(self) -> bool:
        """Whether the folder is this user's, who then may replace what stands there."""
        try:
            return self._folder.stat().st_uid == os.geteuid()
        except OSError:
            return False


def _text(known: Known) -> bytes:
    untold = [
        [one.id, one.type.value, one.time.isoformat(), one.clock_synced, dict(one.data)]
        for one in known.untold
    ]
    whole = {
        "identity": known.identity,
        "files": dict(known.files),
        "faults": dict(known.faults),
        "untold": untold,
    }
    return json.dumps(whole, indent=1).encode() + b"\n"


def _parsed(content: bytes, names: Sequence[str]) -> Known:
    whole = read_json(content)
    identity, files, faults = str(whole["identity"]), whole["files"], whole["faults"]
    if len(identity) != 32 or not all(one is None or type(one) is int for one in files.values()):
        raise ValueError("no installation's file")
    untold = tuple(
        Event(str(one), EventType(kind), stored_moment(at), bool(synced), None, dict(data))
        for one, kind, at, synced, data in whole["untold"]
    )
    return Known(
        identity,
        {name: files.get(name) for name in names},
        {str(name): str(what) for name, what in faults.items()},
        untold,
    )

"""Writes a first gate: its config, its key, the broker's password; all of it or nothing.

Nothing that is there is replaced. Where somebody interrupts, or a file cannot be written, what was
made before goes again. Killed half-way, a key may stay, which the next try keeps.
"""

import contextlib
import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from agent.app.open.files.keys import key_id_of, make_key
from agent.app.open.files.stores import Key, read_registry
from agent.app.open.site import site_of
from agent.errors import KeyUnavailableError, RefusedError, StoreError, UnavailableError
from agent.operations.files import sync_folder, write_whole

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Made:
    """What was written; ``key_is_new`` is False where a key was there and is kept."""

    file: Path
    key_file: Path
    key_id: str
    key_is_new: bool
    password_file: Path | None = None


def must_be_free(file: Path) -> None:
    """Passes if nothing stands at ``file``.

    Raises:
        RefusedError: ``file_exists``.
    """
    if os.path.lexists(file):
        message = f"{file} is there already\nFix: name another place (--out FILE), or remove it"
        raise RefusedError("file_exists", message)


def must_open(state: Path, key_file: Path) -> None:
    """Passes if nobody is enrolled in ``state``, or the key at ``key_file`` is the one they have.

    A new key beside a gallery of another would make a gate that does not start.

    Raises:
        RefusedError: ``other_key``.
    """
    site = replace(site_of(state, None), key_file=key_file)
    try:
        with read_registry(site, Key.IF_ANY) as registry:
            sealed = any(holder.name is None for holder in registry.readable_holders())
    except KeyUnavailableError:
        sealed = True
    except StoreError:
        return  # a damaged registry is the agent's to tell, at each start
    if sealed:
        message = (
            f"people are enrolled in {state}, and {key_file} is not the key that sealed them"
            "\nFix: --state-dir FOLDER, for a gate of its own; or put their key there first"
        )
        raise RefusedError("other_key", message)


def write_first_gate(
    text: str,
    file: Path,
    state: Path,
    *,
    key_file: Path,
    private: bool = False,
    password: tuple[Path, str] | None = None,
) -> Made:
    """Write it; ``private`` is a config that only its owner may read, ``password`` file and word.

    Raises:
        RefusedError: ``file_exists``, also where it came meanwhile; ``other_key``.
        KeyUnavailableError: the key's place cannot be written, or holds no key.
        UnavailableError: the config's place cannot be.
    """
    must_be_free(file)
    must_open(state, key_file)
    site = replace(site_of(state, None), key_file=key_file)
    with _undisturbed() as stopped, contextlib.ExitStack() as undo:
        there = os.path.lexists(key_file)
        if not there:
            make_key(site)
            undo.callback(key_file.unlink, missing_ok=True)
        key_id = key_id_of(site)
        if password is not None:
            _write_new(f"{password[1]}\n", password[0], 0o600, undo.callback)
        _write_new(text, file, 0o600 if private else 0o644, undo.callback)
        if not stopped():
            undo.pop_all()
    return Made(file, key_file, key_id, not there, None if password is None else password[0])


def write_card(
    text: str, file: Path, beside: Mapping[str, Path], password: tuple[Path, str] | None = None
) -> None:
    """Write a config for another kiosk, ``beside`` it copies of what it names.

    FAT knows no links and no modes, so each file is looked for first; the config comes last.

    Raises:
        RefusedError: ``file_exists``.
        UnavailableError: one cannot be read or written.
    """
    places = [file, *(file.parent / name for name in beside)]
    for place in [*places, *([] if password is None else [password[0]])]:
        must_be_free(place)
    with contextlib.ExitStack() as undo:
        for name, source in beside.items():
            try:
                content = source.read_bytes()
            except OSError as error:
                raise UnavailableError(f"{source} cannot be read: {error.strerror}") from error
            undo.callback((file.parent / name).unlink, missing_ok=True)
            write_whole(content, file.parent / name)
        if password is not None:
            undo.callback(password[0].unlink, missing_ok=True)
            write_whole(f"{password[1]}\n".encode(), password[0])
        undo.callback(file.unlink, missing_ok=True)
        write_whole(text.encode(), file)
        sync_folder(file.parent)
        undo.pop_all()


def _write_new(text: str, file: Path, mode: int, on_undo: Callable[..., object]) -> None:
    """A file that appears whole; a link, not a rename, because it fails where one stands."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fchmod(descriptor, mode & ~_umask() if mode != 0o600 else mode)
                os.fsync(descriptor)
            os.link(name, file)
            on_undo(file.unlink, missing_ok=True)
        finally:
            Path(name).unlink(missing_ok=True)
        sync_folder(file.parent)
    except FileExistsError:
        must_be_free(file)
        raise
    except OSError as error:
        message = f"{file} cannot be written: {error.strerror or error}"
        raise UnavailableError(message, "name another place: --out FILE") from error


def _umask() -> int:
    before = os.umask(0)
    os.umask(before)
    return before


@contextlib.contextmanager
def _undisturbed() -> Iterator[Callable[[], bool]]:
    """Signals that end a command wait until the block is over, a moment; whether one has come."""
    came: list[int] = []
    before = {
        one: signal.signal(one, lambda number, _frame: came.append(number)) for one in _ENDING
    }
    try:
        yield lambda: bool(came)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        for number in came[:1]:
            signal.raise_signal(number)

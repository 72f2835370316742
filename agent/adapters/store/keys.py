"""The key of the gallery: a file of 64 hexadecimal digits that only its owner may read."""

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from agent.adapters.secrets import exposed_mode
from agent.adapters.store.names import KEY_NAME, NEXT
from agent.adapters.store.owners import told
from agent.adapters.store.seal import KEY_BYTES
from agent.adapters.store.sqlite import sync_folder
from agent.errors import KeyUnavailableError, RefusedError

_NO_UNNAMED = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.EXDEV}


def key_path(configured: Path | None, state_dir: Path) -> Path:
    """Where the key is looked for: the config's file, systemd's credential, the state folder."""
    if configured is not None:
        return configured
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and (Path(credentials) / KEY_NAME).exists():
        return Path(credentials) / KEY_NAME
    return state_dir / KEY_NAME


def next_path(path: Path) -> Path:
    """Where the key lies that takes the place of the one at ``path``, while a rotation is on.

    It is beside the file itself: where ``path`` is a link, that one must be replaced.
    """
    real = Path(os.path.realpath(path))
    return real.with_name(real.name + NEXT)


def init_next_key(path: Path) -> bool:
    """Make the key that shall take the place of the one at ``path``; False where there is one.

    It belongs to whom the present one belongs: root may rotate what the agent must read.

    Raises:
        KeyUnavailableError: there is no present one, or the place cannot be written.
    """
    load_key(path)
    following = next_path(path)
    made = True
    try:
        init_key(following)
    except RefusedError:
        made = False
    try:
        owner, present = path.stat(), following.stat()
        if (owner.st_uid, owner.st_gid) != (present.st_uid, present.st_gid):
            os.chown(following, owner.st_uid, owner.st_gid)
    except OSError as error:
        message = f"{following} cannot be given to the owner of {path}: {error.strerror}"
        raise KeyUnavailableError(message, "run as the user who owns the key") from error
    return made


def replace_key(path: Path) -> None:
    """Put the next key in the place of the one at ``path``, which is gone from then on.

    Killed at any point, one of the two stands there whole. What the file system still held of the
    old one is overwritten, unless it has another name elsewhere; a memory card may keep a copy of
    its own all the same.

    Raises:
        KeyUnavailableError: the place cannot be written.
    """
    real = Path(os.path.realpath(path))
    try:
        descriptor = os.open(real, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            next_path(real).replace(real)
            sync_folder(real.parent)
            left = os.fstat(descriptor)
            if not left.st_nlink:
                os.pwrite(descriptor, bytes(left.st_size), 0)
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        fix = f"make {real.parent} writable for this user; then gate-agent key rotate"
        raise KeyUnavailableError(f"{real} cannot be replaced: {error.strerror}", fix) from error


def init_key(path: Path) -> None:
    """Make a new key at ``path``, mode 0600; what is there is never overwritten.

    Raises:
        RefusedError: there is a key already.
        KeyUnavailableError: the place cannot be written.
    """
    content = secrets.token_hex(KEY_BYTES).encode() + b"\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _link_unnamed(content, path):
            _link_named(content, path)
        # What is sealed from now on may reach the disk at once: the key's name must not lag behind.
        sync_folder(path.parent)
    except FileExistsError as error:
        if not path.exists():
            fix = f"make {path.parent} a folder"
            raise KeyUnavailableError(f"{path.parent} is no folder", fix) from error
        fix = "keep it; to change it: gate-agent key rotate"
        message = f"{path} holds a key already, which opens what it sealed\nFix: {fix}"
        raise RefusedError("key_exists", message) from error
    except OSError as error:
        fix = f"make {path.parent} writable for this user"
        said, fix = told(path, "written", error, fix)
        raise KeyUnavailableError(said, fix) from error


def _link_unnamed(content: bytes, path: Path) -> bool:
    """Write a file without a name, then give it one: killed at any point, no second copy stays.

    False where the file system knows no such files. A link, not a rename: it fails where a key
    stands, and the key appears whole.
    """
    with contextlib.ExitStack() as opened:
        try:
            descriptor = os.open(path.parent, os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600)
            opened.callback(os.close, descriptor)
            os.write(descriptor, content)
            os.fsync(descriptor)
            folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            opened.callback(os.close, folder)
            # Only with a folder does Python follow the link that /proc shows (open(2), O_TMPFILE).
            os.link(f"/proc/self/fd/{descriptor}", path.name, dst_dir_fd=folder)
        except OSError as error:
            if error.errno in _NO_UNNAMED:
                return False
            raise
    return True


def _link_named(content: bytes, path: Path) -> None:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.link(fresh, path)
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()


def load_key(path: Path) -> bytes:
    """The key at ``path``.

    Raises:
        KeyUnavailableError: it is missing, open to others, or no key.
    """
    try:
        # Not waiting: a pipe in the key's place would hold the start for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise KeyUnavailableError(f"there is no key at {path}", "gate-agent key init") from error
    except OSError as error:
        fix = "run as the user who owns it"
        said, fix = told(path, "read", error, fix)
        raise KeyUnavailableError(said, fix) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise KeyUnavailableError(
                f"{path} is no file", "move it away; then gate-agent key init"
            )
        mode = exposed_mode(path, status)
        if mode is not None:
            fix = f"chmod 600 {path}"
            raise KeyUnavailableError(f"{path} is open to others (mode {mode:04o})", fix)
        text = os.read(descriptor, 1024).strip()
    finally:
        os.close(descriptor)
    try:
        key = bytes.fromhex(text.decode())
    except (UnicodeDecodeError, ValueError) as error:
        raise KeyUnavailableError(f"{path} holds no key", "restore it from a backup") from error
    if len(key) != KEY_BYTES:
        raise KeyUnavailableError(f"{path} holds no key", "restore it from a backup")
    return key

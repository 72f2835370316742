"""A package of Debian, read without dpkg: what it says of itself, and the release in it.

    !<arch>  debian-binary  control.tar.xz  data.tar.xz        deb(5)

Only what lies below opt/gate-agent/package is laid out, as the package's own script does it. No
code of the package runs here.
"""

import contextlib
import json
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from agent.domain.foreign.json_text import read_json
from agent.errors import RefusedError, UnavailableError
from agent.operations.about import RELEASE

_MAGIC = b"!<arch>\n"
_HEADER = 60
_INSIDE = PurePosixPath("opt", "gate-agent", "package")
_LARGEST_TEXT = 65_536
_FIX = "build it with scripts/deb"
Advance = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Said:
    """What a package says of itself; ``size_bytes`` is that of its files, laid out.

    ``state`` has the forms in which it keeps its state (``app.open.files.formats``), None where it
    does not say.
    """

    version: str
    architecture: str
    size_bytes: int
    state: dict[str, int] | None


def said_by(file: Path) -> Said:
    """What ``file`` says.

    Raises:
        UnavailableError: it cannot be read.
        RefusedError: ``no_package``; it is none, or none of the agent.
    """
    with _part(file, "control.tar") as archive:
        fields = _fields(archive)
    if fields.get("Package") != "gate-agent":
        raise _none(file)
    with _part(file, "data.tar") as archive:
        release = _release(archive)
    try:
        size = int(fields["Installed-Size"]) * 1024
        return Said(fields["Version"], fields["Architecture"], size, state_of(release))
    except (KeyError, ValueError):
        raise _none(file) from None


def state_of(release: Any) -> dict[str, int] | None:
    """The forms of the state that a ``release.json`` names."""
    state = release.get("state") if isinstance(release, dict) else None
    if not isinstance(state, dict) or not all(type(one) is int for one in state.values()):
        return None
    return {str(name): one for name, one in state.items()}


def lay_out(file: Path, into: Path, total_bytes: int, advance: Advance) -> None:
    """Unpack the release in ``file`` into the folder ``into``, which is made.

    Raises:
        UnavailableError: it cannot be read or written.
        RefusedError: ``no_package``; it is damaged, or reaches outside of its folder.
    """
    done = 0
    into.mkdir()
    into.chmod(0o755)  # whatever the umask: the service's user runs it
    try:
        with _part(file, "data.tar") as archive:
            for member in archive:
                inside = _within(member.name)
                if inside is None or not inside.parts:
                    continue
                if not _laid(archive, member, into / inside, into):
                    raise _none(file)
                done += member.size
                advance("unpack", min(done, total_bytes), total_bytes)
    except tarfile.TarError as error:
        raise _none(file) from error
    except OSError as error:
        raise UnavailableError(f"{into}: {error.strerror or error}", "free space") from error


def _laid(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path, into: Path) -> bool:
    """Lay one member at ``target``; whether it is one that may be there, and stays within.

    By hand: Debian 12's Python has none of tarfile's filters.
    """
    if not target.parent.resolve().is_relative_to(into.resolve()):
        return False  # by a link that leads away
    target.parent.mkdir(parents=True, exist_ok=True)
    if member.isdir():
        target.mkdir(exist_ok=True)
        target.chmod(0o755)
    elif member.issym():
        target.symlink_to(member.linkname)
    elif member.isfile() and (content := archive.extractfile(member)) is not None:
        with target.open("xb") as sink:
            shutil.copyfileobj(content, sink)
        target.chmod(0o755 if member.mode & 0o100 else 0o644)
    else:
        return False
    return True


def _within(name: str) -> PurePosixPath | None:
    path = PurePosixPath(name.removeprefix("./"))
    if ".." in path.parts or not path.is_relative_to(_INSIDE):
        return None
    return path.relative_to(_INSIDE)


def _fields(archive: tarfile.TarFile) -> dict[str, str]:
    for member in archive:
        opened = (
            archive.extractfile(member) if member.name.removeprefix("./") == "control" else None
        )
        if opened is not None:
            text = opened.read(_LARGEST_TEXT).decode("utf-8", "replace")
            pairs = (line.partition(":") for line in text.splitlines() if not line.startswith(" "))
            return {name: value.strip() for name, _, value in pairs}
    return {}


def _release(archive: tarfile.TarFile) -> Any:
    """Its ``release.json``; None where there is none."""
    for member in archive:
        if _within(member.name) == PurePosixPath(RELEASE):
            opened = archive.extractfile(member)
            if opened is not None:
                with contextlib.suppress(ValueError):
                    return read_json(opened.read(_LARGEST_TEXT))
    return None


@contextmanager
def _part(file: Path, name: str) -> Iterator[tarfile.TarFile]:
    """The archive called ``name`` and something in the package, from its beginning."""
    try:
        with file.open("rb") as stream:
            size = _find(stream, name)
            if size is None:
                raise _none(file)
            with tarfile.open(fileobj=_Section(stream, size), mode="r|*") as archive:  # type: ignore[call-overload] # all that a stream needs
                yield archive
    except OSError as error:
        raise UnavailableError(f"{file}: {error.strerror or error}", "name a .deb") from error
    except (tarfile.TarError, EOFError, json.JSONDecodeError) as error:
        raise _none(file) from error


def _find(stream: IO[bytes], name: str) -> int | None:
    """Stand at the member of that name; its size in bytes."""
    if stream.read(len(_MAGIC)) != _MAGIC:
        return None
    while len(header := stream.read(_HEADER)) == _HEADER:
        called = header[:16].decode("ascii", "replace").strip().rstrip("/")
        size = header[48:58].strip()
        if not size.isdigit():
            return None
        if called.startswith(f"{name}.") or called == name:
            return int(size)
        stream.seek(int(size) + int(size) % 2, 1)
    return None


class _Section:
    """So many bytes of a stream, from where it stands."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, wanted: int) -> bytes:
        """The next bytes; none at the end of the section."""
        found = self._stream.read(min(wanted, self._left))
        self._left -= len(found)
        return found


def _none(file: Path) -> RefusedError:
    return RefusedError("no_package", f"{file} is no package of the agent, or damaged\nFix: {_FIX}")

"""Trust lists on the kiosk: files under the state directory, each with its time of install.

A kiosk is offline: nobody tells it which keys were withdrawn. So a list counts only up to an age;
past it, what its keys signed is refused until a newer list is installed.
"""

import contextlib
import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.credentials.health.health import HealthKind
from agent.credentials.health.trust import (
    MAX_BYTES,
    TrustList,
    TrustListError,
    content_of,
    merge,
    parse_trust,
)
from agent.domain.credential.near import did_you_mean
from agent.domain.foreign.json_text import read_json
from agent.domain.hours.instant import utc_text
from agent.domain.hours.iso_time import read_moment
from agent.errors import RefusedError, UnavailableError
from agent.operations.files import sync_folder, write_lines
from agent.operations.places import TRUST_FOLDER, TRUST_SUFFIX

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_BY_REGISTRY = "registry"
_Stamp = tuple[str, int, int, int]
# A list that claims to come from later than now: the clock was set back meanwhile.
_CLOCK_SLACK = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class InstalledList:
    """One installed trust list; ``problem`` is a phrase where its file is damaged.

    ``by_registry``: the community's registry brought it, and may take it back.
    """

    name: str
    installed: datetime | None
    sha256: str | None
    trust: TrustList
    problem: str | None = None
    by_registry: bool = False

    def is_current(self, now: datetime, max_age: timedelta | None) -> bool:
        """Whether it may be used at ``now``; without ``max_age`` whatever its age."""
        if self.problem is not None or self.installed is None:
            return False
        age = now - self.installed
        return max_age is None or -_CLOCK_SLACK <= age <= max_age

    def as_json(self) -> dict[str, Any]:
        """As ``gate-agent health issuers --json`` prints it."""
        return {
            "name": self.name,
            "keys": len(self.trust.keys),
            "installed": None if self.installed is None else utc_text(self.installed),
            "sha256": self.sha256,
            "by": _BY_REGISTRY if self.by_registry else None,
            "problem": self.problem,
            "kinds": {kind.value: count for kind, count in self.kinds.items()},
            "issuers": sorted({key.issuer for key in self.trust.keys if key.issuer is not None}),
            "unbound": self.unbound,
            "skipped_count": self.trust.skipped_count,
            "skipped": [
                {"place": each.place, "name": each.name, "why": each.why}
                for each in self.trust.skipped
            ],
        }

    @property
    def kinds(self) -> Mapping[HealthKind, int]:
        """How many keys there are for each kind of certificate."""
        return Counter(key.kind for key in self.trust.keys)

    @property
    def unbound(self) -> int:
        """How many keys of SMART Health Cards belong to no issuer: each may sign for any."""
        kind = HealthKind.SMART_HEALTH_CARD
        return sum(key.kind is kind and key.issuer is None for key in self.trust.keys)


def install(
    file: Path, state: Path, now: datetime, name: str | None = None, issuer: str | None = None
) -> InstalledList:
    """Install the trust list in ``file`` under ``name``, or the file's own; replaces whole.

    ``issuer`` is the address of the SMART Health Cards that its keys sign. A power failure leaves
    the old list or the new one, and so does a file in which nothing can be read.

    Raises:
        TrustListError: it is no trust list, or carries a private key.
        RefusedError: ``name``; it is no name.
        UnavailableError: it cannot be read, or the state directory not written.
    """
    name = _checked(file.stem if name is None else name)
    return install_text(_content(file), name, state, now, issuer)


def install_text(
    content: str,
    name: str,
    state: Path,
    now: datetime,
    issuer: str | None = None,
    *,
    by_registry: bool = False,
) -> InstalledList:
    """As ``install``, of a text; ``by_registry``: the community's registry brought it.

    Raises:
        TrustListError: it is no trust list, or carries a private key.
        RefusedError: ``name``; it is no name.
        UnavailableError: the state directory cannot be written.
    """
    name = _checked(name)
    trust = parse_trust(content, issuer)
    if trust.has_private:
        raise TrustListError("the trust list carries a private key: install the public ones only")
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    target = state / TRUST_FOLDER / (name + TRUST_SUFFIX)
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"{target.parent} cannot be made: {error.strerror}") from error
    entry: dict[str, Any] = {"installed": utc_text(now), "sha256": sha256, "content": content}
    if issuer is not None:
        entry["issuer"] = issuer
    if by_registry:
        entry["by"] = _BY_REGISTRY
    write_lines([json.dumps(entry)], target)
    sync_folder(target.parent)
    return InstalledList(name, now, sha256, trust, by_registry=by_registry)


def installed(state: Path) -> list[InstalledList]:
    """Every installed list by name; a damaged file is among them, with its problem.

    Raises:
        UnavailableError: the folder cannot be read.
    """
    return [_read(path) for path in _files(state)]


def remove(name: str, state: Path) -> None:
    """Remove an installed list.

    Raises:
        RefusedError: ``name``; there is none of this name.
        UnavailableError: it cannot be removed.
    """
    target = state / TRUST_FOLDER / (_checked(name) + TRUST_SUFFIX)
    try:
        target.unlink()
        sync_folder(target.parent)
    except FileNotFoundError:
        near = did_you_mean(name, [one.stem for one in _files(state)])
        raise RefusedError(
            "name", f"no trust list {name} is installed{near}\nFix: gate-agent health issuers"
        ) from None
    except OSError as error:
        raise UnavailableError(f"{target} cannot be removed: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class BroughtLists:
    """The lists under a state directory, as far as the community's registry brings them."""

    state: Path

    def put(self, name: str, text: str, issuer: str | None, issued: datetime) -> str | None:
        """Install the list; why not, None where it is.

        Its age counts from when the registry said it: late, it is no fresher.

        Raises:
            UnavailableError: the state directory cannot be written.
        """
        try:
            install_text(text, name, self.state, issued, issuer, by_registry=True)
        except TrustListError:
            return "no_trust_list"
        except RefusedError as error:
            return error.reason
        return None

    def remove(self, name: str) -> None:
        """Remove the list, where there is one.

        Raises:
            UnavailableError: it cannot be removed.
        """
        with contextlib.suppress(RefusedError):
            remove(name, self.state)

    def brought(self) -> list[str]:
        """The names of those that the registry brought; a damaged file's may be among them.

        Raises:
            UnavailableError: the folder cannot be read.
        """
        return [one.name for one in installed(self.state) if one.by_registry]


def usable_trust(state: Path, now: datetime, max_age: timedelta | None) -> TrustList:
    """All keys that count at ``now``; its ``gap`` tells where lists are left out.

    Raises:
        UnavailableError: the folder cannot be read.
    """
    return _usable(installed(state), now, max_age)


class TrustShelf:
    """The installed lists for those who ask often: each file is read again only once it changed.

    Whoever holds up one forged certificate after another must not have a list of some hundred keys
    read anew for each: that takes 50 ms, on a kiosk several times as long. Any thread may ask.
    """

    def __init__(self, state: Path, max_age: timedelta | None) -> None:
        self._state = state
        self._max_age = max_age
        self._lock = threading.Lock()
        self._read: dict[Path, tuple[_Stamp, InstalledList]] = {}
        self._merged: tuple[tuple[tuple[_Stamp, bool], ...], TrustList] | None = None

    def usable(self, now: datetime) -> TrustList:
        """As ``usable_trust``.

        Raises:
            UnavailableError: the folder cannot be read.
        """
        with self._lock:
            read = {path: self._entry(path) for path in _files(self._state)}
            self._read = read
            lists = [one for _, one in read.values()]
            key = tuple((stamp, one.is_current(now, self._max_age)) for stamp, one in read.values())
            if self._merged is None or self._merged[0] != key:
                self._merged = (key, _usable(lists, now, self._max_age))
            return self._merged[1]

    def _entry(self, path: Path) -> "tuple[_Stamp, InstalledList]":
        try:
            found = path.stat()
        except OSError:
            return (path.name, 0, 0, 0), _read(path)
        stamp = (path.name, found.st_ino, found.st_size, found.st_mtime_ns)
        known = self._read.get(path)
        return known if known is not None and known[0] == stamp else (stamp, _read(path))


def _usable(lists: Sequence[InstalledList], now: datetime, max_age: timedelta | None) -> TrustList:
    current = [each for each in lists if each.is_current(now, max_age)]
    gap = None
    if any(each.problem is not None for each in lists):
        gap = "signature: an installed trust list is damaged"
    elif len(current) < len(lists):
        gap = "signature: an installed trust list is too old"
    elif not lists:
        gap = "signature: no trust list is installed"
    # Nobody else signs in the name of an issuer whose list is too old.
    ended = [each.trust for each in lists if not each.is_current(now, max_age)]
    return merge((each.trust for each in current), gap, ended)


def _files(state: Path) -> Iterator[Path]:
    folder = state / TRUST_FOLDER
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise UnavailableError(f"{folder} cannot be read: {error.strerror}") from error
    for path in found:
        # A write that was cut short leaves a hidden file of another ending behind.
        if path.suffix == TRUST_SUFFIX and not path.name.startswith("."):
            yield path


def _read(path: Path) -> InstalledList:
    name = path.name.removesuffix(TRUST_SUFFIX)
    try:
        entry = read_json(path.read_bytes())
        content, sha256 = str(entry["content"]), str(entry["sha256"])
        when = read_moment(entry["installed"]).astimezone(UTC)
        issuer = None if entry.get("issuer") is None else str(entry["issuer"])
        theirs = entry.get("by") == _BY_REGISTRY
        if hashlib.sha256(content.encode()).hexdigest() != sha256:
            said = "its content is not its own"
            return InstalledList(name, when, None, TrustList(), said, by_registry=theirs)
        trust = parse_trust(content, issuer)
        return InstalledList(name, when, sha256, trust, by_registry=theirs)
    except OSError as error:
        return InstalledList(name, None, None, TrustList(), f"cannot be read: {error.strerror}")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, TrustListError):
        return InstalledList(name, None, None, TrustList(), "damaged")


def _content(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return content_of(stream.read(MAX_BYTES + 1))
    except OSError as error:
        raise UnavailableError(f"{file} cannot be read: {error.strerror}") from error


def _checked(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise RefusedError("name", "a trust list's name has letters, digits, dot, dash, underscore")
    return name

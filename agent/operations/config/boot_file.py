"""The gate.toml of the boot partition: what it says, what of it is secret, what lies beside it.

A card's first partition is FAT, so that any computer writes it: with a byte order mark, CRLF, and
quotes of a word processor. And whoever holds the card reads it, so that a secret stands there only
until the kiosk has taken it over:

    [broker] password = "..."     taken into a file of the kiosk; what is adopted names that file
    [[camera]] source = "..."     an address with a login: taken, and put in again when adopted

In its place is then ``KEPT``. Files that the config names by a relative path may lie beside it:
public ones (certificates, keys of others) are copied, private ones are moved.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from agent.config.faults import fault_at
from agent.config.lines import KeyPath, Places, Span, places_in
from agent.config.load import read_config, wrong
from agent.config.mask import mask_address
from agent.config.quotes import straightened
from agent.errors import Fault

NAME, STATUS = "gate.toml", "gate-status.txt"
KEPT = "(kept on this kiosk)"
"""What stands in the place of a secret that was taken over."""
PASSWORD: KeyPath = ("broker", "password")
PUBLIC = frozenset({"ca_file", "cert_file", "file", "key_files", "time_key_file"})
PRIVATE = frozenset({"key_file", "password_file", "community_key_file", "passphrase_file"})
"""Keys of the config that name a file which may come with the card, to be copied or to be moved."""
_OF_THE_SYSTEM = re.compile(
    r"gate\.toml|gate-.*\.txt|cmdline\.txt|config\.txt|user-data|meta-data|network-config"
    r"|(?:gate|overlays)/.*|.*\.(?:dtbo?|elf|dat|img|sys|bin)|kernel.*|initramfs.*",
    re.IGNORECASE,
)
"""What the machine starts from, or this is about: never moved off the card, whatever names it."""
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret of the file; ``value`` is None where it was taken over before.

    ``name`` is by what it is kept, ``path`` where it stands.
    """

    name: str
    path: KeyPath
    span: Span
    value: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Beside:
    """A file that the config names by a relative path: whether it is private, and if it is here."""

    name: str
    path: KeyPath
    span: Span
    is_private: bool
    is_here: bool

    @property
    def is_of_the_system(self) -> bool:
        """Whether the machine would not start without it."""
        return _OF_THE_SYSTEM.fullmatch(self.name) is not None


@dataclass(frozen=True, slots=True)
class BootFile:
    """The file as it stands there; ``straight`` are the lines whose quotes were taken for plain."""

    folder: Path
    name: str
    raw: bytes = field(repr=False)
    places: Places = field(repr=False)
    straight: tuple[int, ...]
    secrets: tuple[Secret, ...]
    beside: tuple[Beside, ...]

    @property
    def path(self) -> Path:
        """Its place."""
        return self.folder / self.name

    @property
    def has_secrets(self) -> bool:
        """Whether a secret is still on the card."""
        in_it = any(one.value is not None for one in self.secrets)
        return in_it or any(one.is_private and one.is_here for one in self.beside)

    @property
    def fingerprint(self) -> str:
        """What changes as soon as the file does, or a public one beside it."""
        digest = hashlib.sha256(hashlib.sha256(self.raw).digest())
        for one in self.beside:
            if one.is_here and not one.is_private:
                digest.update(f"\0{one.name}\0".encode())
                digest.update(hashlib.sha256((self.folder / one.name).read_bytes()).digest())
        return digest.hexdigest()

    def with_values(self, values: Mapping[KeyPath, str]) -> str:
        """The text with these in the place of what stands there; a key's name may change.

        A password becomes the path of its file.
        """
        text = self.places.text
        for path, value in sorted(values.items(), key=lambda one: -self._span(one[0]).start):
            span = self._span(path)
            said = json.dumps(value, ensure_ascii=False)
            key = self.places.found[path].key
            if path == PASSWORD and key is not None and value != KEPT:
                text = f"{text[: key.start]}password_file = {said}{text[span.end :]}"
            else:
                text = f"{text[: span.start]}{said}{text[span.end :]}"
        return text

    def blanked(self) -> bytes:
        """The file without its secrets; mark, line ends and quotes as they were."""
        given = {one.path: KEPT for one in self.secrets if one.value is not None}
        as_given = _decoded(self.raw)
        bare = Places(as_given.replace("\r\n", "\n"))
        # A straight quote has the length of the typeset one, so that places hold in both.
        text = replace(self, places=Places(bare.text, self.places.found)).with_values(given)
        ends = "\r\n" if "\r\n" in as_given else "\n"
        mark = _MARK if self.raw.startswith(_MARK) else b""
        return mark + text.replace("\n", ends).encode()

    def fault(self, path: KeyPath, message: str, fix: str) -> Fault:
        """What is wrong with the value at ``path``."""
        return fault_at(self._span(path), message, fix, path, self.places)

    def _span(self, path: KeyPath) -> Span:
        found = self.places.of(path)
        return (found and found.span) or Span(0, 0)


def read_boot_file(folder: Path, name: str = NAME) -> BootFile | None:
    """The file ``name`` in ``folder``; None where there is none.

    What is no TOML has neither secrets nor files: the loader will say what is wrong with it.

    Raises:
        ConfigError: it cannot be read, or is no UTF-8.
    """
    path = folder / name
    if not path.exists():
        return None
    read_config(path)
    raw = path.read_bytes()
    text, lines = straightened(_decoded(raw).replace("\r\n", "\n"))
    places = places_in(text)
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError):
        return BootFile(folder, name, raw, places, lines, (), ())
    secrets = tuple(_secrets(path, data, places))
    beside = tuple(_beside(folder, data, places))
    return BootFile(folder, name, raw, places, lines, secrets, beside)


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8-sig")


def _secrets(file: Path, data: Mapping[str, Any], places: Places) -> Iterator[Secret]:
    for path, value in leaves(data):
        place = places.of(path)
        if place is None or place.value is None:
            continue
        if path == PASSWORD:
            if not isinstance(value, str) or not value or "\n" in value:
                fault = fault_at(place.value, "is no password", "a text on one line", path, places)
                raise wrong(file, [fault])
            if "password_file" in data["broker"]:
                fix = "leave one of the two out"
                message = "password and password_file stand both here"
                raise wrong(file, [fault_at(place.value, message, fix, path, places)])
            yield Secret("broker.password", path, place.value, None if value == KEPT else value)
        elif _opens(path, value):
            name = f"camera-{_id_at(data, path)}.source"
            yield Secret(name, path, place.value, None if value == KEPT else str(value))


def _opens(path: KeyPath, value: object) -> bool:
    """Whether it is the address of a camera with a login, or what was left of one."""
    if path[0] != "camera" or path[-1] != "source" or not isinstance(value, str):
        return False
    return value == KEPT or mask_address(value) != value


def _id_at(data: Mapping[str, Any], path: KeyPath) -> str:
    table = data[str(path[0])][path[1]]
    return str(table.get("id", path[1]))


def _beside(folder: Path, data: Mapping[str, Any], places: Places) -> Iterator[Beside]:
    for path, value in leaves(data):
        key = next(one for one in reversed(path) if isinstance(one, str))
        place = places.of(path) or places.near(path)
        if key not in PUBLIC | PRIVATE or not isinstance(value, str) or place is None:
            continue
        if (name := _inside(value)) is not None and place.span is not None:
            here = (folder / name).is_file()
            yield Beside(name, path, place.span, key in PRIVATE, here)


def _inside(value: str) -> str | None:
    """A path that stays within the folder, as the folder calls it; None for any other."""
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or not path.name or "\0" in value:
        return None
    return str(path)


def leaves(value: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """Each value of a config as TOML has it, with its path."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))
    else:
        yield path, value

"""Takes the gate.toml of the boot partition over, at every boot before the agent starts.

    none there, or the same as before    nothing changes
    right                                secrets are kept, files copied, the config put in place,
                                         the card blanked; in this order, each step flushed
    wrong                                the config that was adopted before stays, secrets stay on
                                         the card; what is wrong is noted for the agent, which then
                                         runs with the fault ``config``, and for gate-status.txt

Killed between any two steps, the next boot does them again and comes to the same end.
"""

import contextlib
import json
import os
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.config.lines import KeyPath
from agent.config.load import config_in, wrong
from agent.errors import ConfigError, Fault, GateAgentError, UnavailableError
from agent.operations.config.boot_file import (
    NAME,
    PASSWORD,
    STATUS,
    BootFile,
    Secret,
    read_boot_file,
)
from agent.operations.config.boot_kept import ADDRESSES, Keeper, handed
from agent.operations.files import sync_folder, write_whole
from agent.operations.packs.choice import in_use, installed_pad_packs
from agent.operations.passes.keys import read_public_key

NOTE = "boot-config.json"
"""Beside the config: what became of the card's file the last time."""
ADOPTED, UNCHANGED, REFUSED, ABSENT = "adopted", "unchanged", "refused", "absent"
_LARGEST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Adoption:
    """What became of the card's file; ``moved`` are the secrets that were taken off the card."""

    outcome: str
    moved: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    config: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON values under stable keys; no secret is among them."""
        return {
            "outcome": self.outcome,
            "config": None if self.config is None else str(self.config),
            "moved": list(self.moved),
            "notes": list(self.notes),
            "findings": [one.as_json() for one in self.faults],
        }


def adopt(folder: Path, config: Path, state: Path, keeper: Keeper) -> Adoption:
    """Take ``gate.toml`` in ``folder`` over as ``config``; ``state`` has the model packs.

    Raises:
        UnavailableError: something cannot be written; the card still has what was not kept.
    """
    there = config if config.is_file() else None
    _sweep(folder, (NAME, STATUS))
    try:
        file = read_boot_file(folder)
        if file is None:
            absent = Adoption(ABSENT, notes=tuple(_misnamed(folder)), config=there)
            return _nothing_new(config, absent)
        if there is not None and not file.has_secrets and _is_known(config, file):
            return _nothing_new(config, Adoption(UNCHANGED, config=there))
        text = judged(file, config, state, keeper)
    except ConfigError as error:
        found = Adoption(REFUSED, faults=error.faults, config=there)
        _note(config, found, last_adoption(config).get("fingerprint"))
        return found
    written = [one.name for one in file.secrets] + [one.name for one in file.beside]
    _sweep(config.parent, (config.name, NOTE, ADDRESSES, *written))
    moved = _keep_secrets(file, keeper)
    for one in file.beside:
        if one.is_here and not one.is_private:
            _put(config.parent / one.name, (folder / one.name).read_bytes(), 0o644)
    _put(config, text.encode(), 0o640)
    notes = [*_quotes_note(file), *_blank(file)]
    found = Adoption(ADOPTED, tuple(moved), tuple(notes), config=config)
    left = read_boot_file(folder)
    _note(config, found, None if left is None else left.fingerprint)
    return found


def last_adoption(config: Path) -> dict[str, Any]:
    """What the note beside ``config`` says; empty where there is none or it cannot be read."""
    try:
        found = json.loads((config.parent / NOTE).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def boot_fault(config: Path) -> str | None:
    """What the agent tells while the card's file is wrong; None where it is in order."""
    found = last_adoption(config)
    if found.get("outcome") != REFUSED:
        return None
    faults = found.get("findings") or [{}]
    first = faults[0]
    where = f"line {first['line']}, " if first.get("line") else ""
    key = f"{first['key']}: " if first.get("key") else ""
    said = f"{where}{key}{first.get('message', 'it is wrong')}"
    more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    return f"gate.toml on the boot partition is refused, an older config is used: {said}{more}"


def _sweep(folder: Path, names: Iterable[str]) -> None:
    """Take away what a power cut left of writes to these: a draft beside each (``files``)."""
    for name in names:
        place = folder / name
        for draft in place.parent.glob(f".{place.name}.????????"):
            with contextlib.suppress(OSError):
                draft.unlink()


def _misnamed(folder: Path) -> Iterator[str]:
    """Windows hides the end of a name, and its editor adds one."""
    for one in folder.iterdir():
        if one.name.lower() in (f"{NAME}.txt", f"{NAME}.toml", "gate.txt"):
            yield f"{one.name} is not read: call it {NAME} (Windows may hide the end of a name)"


def _is_known(config: Path, file: BootFile) -> bool:
    return bool(last_adoption(config).get("fingerprint") == file.fingerprint)


def _nothing_new(config: Path, found: Adoption) -> Adoption:
    """What was wrong the last time is so no more: it was put back as it was, or taken away."""
    before = last_adoption(config)
    if before.get("outcome") == REFUSED:
        _note(config, found, before.get("fingerprint"))
    return found


def judged(file: BootFile, config: Path, state: Path | None, keeper: Keeper) -> str:
    """The config as it will be adopted; without ``state`` nothing is said of model packs.

    Raises:
        ConfigError: it is wrong, or would not start on this kiosk.
    """
    values, faults = _values(file, config, keeper)
    text = file.with_values(values)
    try:
        pad = None if state is None else installed_pad_packs(state)
        found = config_in(text, file.path, pad).config
    except ConfigError as error:
        raise _all_of(file, [*error.faults, *faults]) from error
    faults += _unreadable(file, config.parent)
    named = found.face.pack
    if state is not None and ("face", "pack") in file.places.found:
        with contextlib.suppress(GateAgentError):
            if not in_use(named, state).installed:
                fix = f"gate-agent models install {named}"
                faults.append(file.fault(("face", "pack"), "is not installed on this kiosk", fix))
    if faults:
        raise _all_of(file, faults)
    return text


def _all_of(file: BootFile, faults: list[Fault]) -> ConfigError:
    return wrong(file.path, sorted(faults, key=lambda one: (one.line or 0, one.column or 0)))


def _values(file: BootFile, config: Path, keeper: Keeper) -> tuple[dict[KeyPath, str], list[Fault]]:
    """What the adopted config says in the place of the card's words; and what is not to be had."""
    values: dict[KeyPath, str] = {}
    faults: list[Fault] = []
    addresses = keeper.addresses()
    for one in file.secrets:
        known = _known(one, keeper, addresses)
        if known is None:
            said, fix = "was kept on another kiosk, and not on this", "write it again"
            faults.append(file.fault(one.path, said, fix))
            known = keeper.handed_over(one.name)  # so that the rest is judged as well
        values[one.path] = known
    for beside in file.beside:
        place = keeper.place(beside.name) if beside.is_private else None
        if beside.is_private and not beside.is_here and place is not None:
            values[beside.path] = place
        elif not beside.is_here and not (config.parent / beside.name).is_file():
            fix = f"put {beside.name} beside gate.toml"
            faults.append(file.fault(beside.path, "is neither on this card nor on the kiosk", fix))
        elif beside.is_private and keeper.creds is not None:
            values[beside.path] = keeper.handed_over(beside.name)
    return values, faults


def _known(one: Secret, keeper: Keeper, addresses: dict[str, str]) -> str | None:
    """What is to stand in the adopted config; nothing is written yet."""
    if one.path == PASSWORD:
        if one.value is None:
            return keeper.place(one.name)
        return keeper.handed_over(one.name)
    return addresses.get(one.name) if one.value is None else one.value


def _unreadable(file: BootFile, config: Path) -> Iterator[Fault]:
    """Keys and certificates that the agent would not start with, or reach no broker."""
    for one in file.beside:
        place = (file.folder if one.is_here else config) / one.name
        if not place.is_file():
            continue
        key = next(name for name in reversed(one.path) if isinstance(name, str))
        if one.is_here and one.is_private and one.is_of_the_system:
            yield file.fault(one.path, "belongs to the card itself", "name the right file")
        elif place.stat().st_size > _LARGEST_BYTES:
            yield file.fault(one.path, "is too large to be one", "name the right file")
        elif key in ("file", "key_files", "time_key_file"):
            try:
                read_public_key(place)
            except GateAgentError:
                fix = "the public half, as PEM: gate-agent command keygen makes both"
                yield file.fault(one.path, "holds no public key", fix)
        elif key == "ca_file":
            try:
                ssl.create_default_context(cafile=place)
            except (OSError, ssl.SSLError):
                yield file.fault(one.path, "holds no certificate of an authority", "a PEM file")
    yield from _pair(file, config)


def _pair(file: BootFile, config: Path) -> Iterator[Fault]:
    """The kiosk's certificate and its key, where both can be looked at."""
    named = {one.path: one for one in file.beside}
    pair = [named.get(("broker", key)) for key in ("cert_file", "key_file")]
    places = [
        None if one is None else (file.folder if one.is_here else config) / one.name for one in pair
    ]
    if any(one is None or not one.is_file() for one in places):
        return
    cert, key = (str(one) for one in places)
    try:
        # A key with a passphrase would ask for it at a terminal: no kiosk has one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert, key, password=str)
    except (OSError, ssl.SSLError, ValueError):
        fix = "both as PEM, the key without a passphrase"
        yield file.fault(("broker", "cert_file"), "does not go with key_file", fix)


def _keep_secrets(file: BootFile, keeper: Keeper) -> list[str]:
    moved = []
    addresses = {}
    for one in file.secrets:
        if one.value is None:
            continue
        if one.path == PASSWORD:
            keeper.keep(one.name, one.value.encode())
        else:
            addresses[one.name] = one.value
        moved.append(one.name)
    keeper.keep_addresses(addresses)
    for beside in file.beside:
        if beside.is_private and beside.is_here:
            keeper.keep(beside.name, (file.folder / beside.name).read_bytes())
            moved.append(beside.name)
    return moved


def _put(place: Path, content: bytes, mode: int) -> None:
    if place.is_file() and place.read_bytes() == content:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(content, place, handed=handed(mode))
    sync_folder(place.parent)


def _quotes_note(file: BootFile) -> Iterator[str]:
    if file.straight:
        lines = ", ".join(map(str, file.straight))
        yield f"quotes of a word processor were read as plain ones: line {lines}"


def _blank(file: BootFile) -> Iterator[str]:
    """Take the secrets off the card; what could not be done is said."""
    try:
        if any(one.value is not None for one in file.secrets):
            with _overwritten(file.path):
                write_whole(file.blanked(), file.path)
                sync_folder(file.folder)
        for one in file.beside:
            if one.is_private and one.is_here:
                with _overwritten(file.folder / one.name):
                    (file.folder / one.name).unlink()
                    sync_folder(file.folder)
    except (OSError, UnavailableError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error).partition("\n")[0]
        yield f"secrets are STILL ON THE CARD, which cannot be written: {why}"


@contextlib.contextmanager
def _overwritten(path: Path) -> Iterator[None]:
    """What stood at ``path`` before the block is overwritten after it, where it had lain.

    A name that is taken away leaves its blocks readable on the card.
    """
    with path.open("r+b") as before:
        yield
        size = os.fstat(before.fileno()).st_size
        before.write(bytes(size))
        before.flush()
        os.fsync(before.fileno())


def _note(config: Path, found: Adoption, fingerprint: str | None) -> None:
    """For the agent, which tells a fault, and for the next boot."""
    before = last_adoption(config)
    said = {**found.as_json(), "fingerprint": fingerprint}
    if {key: before.get(key) for key in said} == said:
        return
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    config.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**said, "at": now}, indent=1)
    write_whole(text.encode(), config.parent / NOTE, handed=handed(0o640))
    sync_folder(config.parent)

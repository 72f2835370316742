"""gate-status.txt on the boot partition: what became of the config, and what the gate is doing.

For whoever puts the card into another computer: plain ASCII with CRLF, which every editor shows.
It is written anew only where it says something else: each write wears the card, and a power cut
while FAT is written may cost a file.
"""

import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from agent import __version__
from agent.domain.foreign.boundary import read_or
from agent.domain.foreign.json_text import read_json
from agent.operations.config.boot_adopt import ABSENT, ADOPTED, REFUSED, UNCHANGED
from agent.operations.config.boot_file import NAME, STATUS
from agent.operations.files import sync_folder, write_whole

MOUNTS = Path("/proc/self/mounts")
PLACES = ("/boot/firmware", "/boot")
"""Where Raspberry Pi OS mounts the card's first partition: from Debian 12 on, and before."""
_WRITTEN, _LOOKED = "Written: ", "Looked:  "
"""Lines that are new each time, and for which alone nothing is written."""
_SAID = {
    ADOPTED: "was taken over",
    UNCHANGED: "is the one that was taken over before",
    ABSENT: "is not there; that changes nothing",
    REFUSED: "IS WRONG and was not taken over",
}
_NETS = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses of documentation (RFC 5737, RFC 3849): to choose one's own by, nothing is sent."""
_LONGEST = 300


def boot_folder(mounts: Path = MOUNTS) -> Path | None:
    """Where the boot partition is mounted; None where none is, or it is no FAT."""
    found = {}
    with suppress(OSError):
        for line in mounts.read_text().splitlines():
            words = line.split()
            if len(words) > 2 and words[2] in ("vfat", "msdos"):
                found[words[1]] = Path(words[1])
    return next((found[one] for one in PLACES if one in found), None)


def addresses() -> list[str]:
    """This machine's addresses, as the way out of it has them; empty without a network."""
    found = []
    for family, far in _NETS:
        with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as line:
            line.connect((far, 9))
            found.append(str(line.getsockname()[0]))
    return [one for one in found if not one.startswith("127.")]


@dataclass(frozen=True, slots=True)
class Told:
    """What a status file says: ``adoption`` as its JSON, ``agent`` the running agent's own status.

    ``agent`` is None where none answers, and ``why`` says so. ``doctor`` is what ``doctor --json``
    printed, ``checked`` when.
    """

    adoption: Mapping[str, Any]
    host: str
    addresses: tuple[str, ...]
    agent: Mapping[str, Any] | None = None
    why: str = ""
    doctor: Mapping[str, Any] | None = None
    checked: str = ""


def status_lines(told: Told) -> Iterator[str]:
    """The file, a line each, without when it was written."""
    yield "Gate agent: what this kiosk makes of its card"
    yield ""
    yield from _config(told.adoption)
    yield ""
    yield from _doing(told)
    yield f"Host:    {told.host}"
    yield f"Address: {', '.join(told.addresses) or 'none: no network yet'}"
    yield f"Version: {__version__}"
    yield ""
    yield from _doctor(told)


def write_status(folder: Path, lines: list[str], now: datetime) -> bool:
    """Write them, where the file says something else by now; whether it was written.

    Raises:
        UnavailableError: it cannot be written.
    """
    place = folder / STATUS
    text = [_plain(line) for line in lines]
    with suppress(OSError):
        before = place.read_bytes().decode("ascii", "replace").splitlines()
        if _undated(before) == _undated(text):
            return False
    dated = [text[0], f"{_WRITTEN}{now.isoformat(timespec='seconds')}", *text[1:]]
    write_whole("".join(f"{line}\r\n" for line in dated).encode("ascii"), place)
    sync_folder(folder)
    return True


def doctor_of(file: Path) -> dict[str, Any] | None:
    """What ``doctor --json`` printed into ``file``; None where it says nothing."""
    found = read_or("doctor's answer", None, lambda: read_json(file.read_bytes()))
    return found if isinstance(found, dict) and isinstance(found.get("checks"), list) else None


def _config(adoption: Mapping[str, Any]) -> Iterator[str]:
    outcome = str(adoption.get("outcome", ABSENT))
    yield f"Config:  {NAME} on this card {_SAID.get(outcome, outcome)}."
    if outcome == REFUSED:
        if adoption.get("config"):
            yield "         The gate runs by the config that it had before."
        else:
            yield "         The kiosk has no other config: THE GATE DOES NOT RUN."
        yield "         Passwords that stand in the file are left there until it is right."
    elif outcome == ABSENT and not adoption.get("config"):
        yield "         The kiosk has no config yet: THE GATE DOES NOT RUN."
    for name in adoption.get("moved", ()):
        yield f"  {name}: taken off the card, kept on the kiosk"
    for note in adoption.get("notes", ()):
        yield f"  {note}"
    for number, one in enumerate(adoption.get("findings", ()), 1):
        yield ""
        where = f"line {one['line']}, column {one['column']}: " if one.get("line") else ""
        key = f"{one['key']}: " if one.get("key") else ""
        yield f"  {number}. {where}{key}{one.get('message')}"
        if one.get("found"):
            yield f"     there stands: {one['found']}"
        if one.get("fix"):
            yield f"     Fix: {one['fix']}"


def _doing(told: Told) -> Iterator[str]:
    if told.agent is None:
        yield f"Gate:    {told.why or 'not asked: it starts after this was written'}"
        return
    faults = told.agent.get("faults") or {}
    points = told.agent.get("access_points") or {}
    modes = told.agent.get("modes") or {}
    yield f"Gate:    in service, {len(faults)} fault{'' if len(faults) == 1 else 's'}"
    for part, what in faults.items():
        yield f"  FAULT {part}: {what}"
    for point, stands in points.items():
        yield f"  {point}: {stands}, mode {modes.get(point, 'unknown')}"


def _doctor(told: Told) -> Iterator[str]:
    if told.doctor is None:
        yield "Doctor:  has not looked this kiosk over yet"
        return
    checks = [one for one in told.doctor["checks"] if isinstance(one, dict)]
    bad = [one for one in checks if not one.get("ok") or one.get("status") == "warn"]
    yield f"Doctor:  {len(checks) - len(bad)} of {len(checks)} checks passed"
    yield f"{_LOOKED}{told.checked}"
    for one in bad:
        yield f"  {str(one.get('status') or 'fail').upper()} {one.get('name')}: {one.get('detail')}"
        if one.get("fix"):
            yield f"     Fix: {one['fix']}"


def _undated(lines: list[str]) -> list[str]:
    return [one for one in lines if not one.startswith((_WRITTEN, _LOOKED))]


def _plain(line: str) -> str:
    """One line of ASCII: what is none is spelled out."""
    cut = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
    printable = "".join(char if char.isprintable() else " " for char in cut)
    return printable.encode("ascii", "backslashreplace").decode()

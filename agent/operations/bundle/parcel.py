"""The bundle's file: its parts gathered one by one, so that what is broken hides nothing else.

    part    a name and what makes its value; each becomes NAME.json in the archive
    README  what lies in it, and by which rule

A part that cannot be had says of which class the error was, and nothing more: the text of an error
may quote what nobody is to read.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

Make = Callable[[], Any]
Advance = Callable[[str, int, int], None]

_ABOUT = """\
Diagnostics of a gate kiosk, for a support request.

Every value here stands on a list of what may be shown. There is no name of a person, no holder id,
no ID number, template, photograph, pass, key, password, address of a broker and no text that a
person typed. "***" stands where there was something that is on no list; "left_out" counts keys that
are on none. Cameras, doors, inputs and access points are numbered, in the config's order.

"""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that goes in: ``about`` says what it is, ``make`` gives its value as JSON."""

    name: str
    about: str
    make: Make


@dataclass(frozen=True, slots=True)
class Packed:
    """A part as it was had: ``why`` is the class of the error where it was not."""

    name: str
    about: str
    bytes: int
    ok: bool
    why: str | None

    def as_json(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Parcel:
    """The archive, and what is in it."""

    content: bytes
    parts: tuple[Packed, ...]

    @property
    def sha256(self) -> str:
        """Of the archive, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def packed(parts: Iterable[Part], made: datetime, advance: Advance) -> Parcel:
    """Gather ``parts`` in their order into one ZIP; no part's failure ends it."""
    wanted = list(parts)
    told: list[Packed] = []
    files: dict[str, bytes] = {}
    for number, part in enumerate(wanted):
        advance(part.name, number, len(wanted))
        value, why = _had(part.make)
        content = json.dumps(value, indent=1, ensure_ascii=True, allow_nan=False).encode()
        files[f"{part.name}.json"] = content + b"\n"
        told.append(Packed(part.name, part.about, len(content) + 1, why is None, why))
    advance("", len(wanted), len(wanted))
    lines = "".join(f"{one.name}.json: {one.about}\n" for one in told)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"README.txt": (_ABOUT + lines).encode(), **files}.items():
            archive.writestr(_entry(name, made), content)
    return Parcel(buffer.getvalue(), tuple(told))


def _entry(name: str, made: datetime) -> zipfile.ZipInfo:
    # ZIP knows no time before 1980, where a kiosk without a clock may be.
    entry = zipfile.ZipInfo(name, (max(made.year, 1980), *made.timetuple()[1:6]))
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _had(make: Make) -> tuple[Any, str | None]:
    try:
        return make(), None
    except Exception as error:  # noqa: BLE001 - it is asked for because something is broken
        why = type(error).__name__
        return {"unavailable": why}, why

"""Forms that a value must have to go into the bundle; whatever has another is masked.

    form(value) -> the value as it may be shown, or MASK

A form lets through what it names and nothing else: there is none for free text. A key that no form
names is left out and counted. So a secret that stands where nobody expects one does not pass.
"""

import math
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, time
from typing import Any

from agent.domain.access.part import PartKind, parse
from agent.domain.hours.instant import utc_text

MASK = "***"
LEFT_OUT = "left_out"
"""How many keys of an object were not named by its form."""
Form = Callable[[Any], Any]

_MOST = 1e13
_VERSION = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}")
_HEX = re.compile(r"[0-9a-f]{64}")
_REFERENT = {
    PartKind.CAMERA: "camera",
    PartKind.LENS: "camera",
    PartKind.MOUNT: "camera",
    PartKind.DOOR: "door",
    PartKind.FEEDBACK: "door",
    PartKind.TAMPER: "input",
    PartKind.INPUT: "input",
    PartKind.INDICATOR: "access_point",
}
_FILES = frozenset({"registry", "journal", "passes", "latches", "commands"})
_SIDES = frozenset({"entry", "exit"})


def flag(value: Any) -> Any:
    """True, false or null."""
    return value if value is None or isinstance(value, bool) else MASK


def number(value: Any, most: float = _MOST) -> Any:
    """A finite number that is none of a person: ``most`` bounds it; or null."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return MASK
    return value if math.isfinite(value) and abs(value) <= most else MASK


def words(*allowed: str) -> Form:
    """One of these, or null."""
    return lambda value: value if value is None or value in allowed else MASK


def moment(value: Any) -> Any:
    """An instant in ISO 8601, written anew; or null."""
    if value is None:
        return None
    try:
        read = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return MASK
    return utc_text(read) if read.tzinfo is not None else MASK


def clock_time(value: Any) -> Any:
    """A time of day, as TOML has it or as text."""
    try:
        read = value if isinstance(value, time) else time.fromisoformat(value)
    except (TypeError, ValueError):
        return MASK
    return read.replace(tzinfo=None).isoformat("minutes")


def version(value: Any) -> Any:
    """Numbers with dots between them; or null."""
    return value if value is None or _fits(_VERSION, value) else MASK


def sha256(value: Any) -> Any:
    """A digest in hexadecimal."""
    return value if _fits(_HEX, value) else MASK


def presence(value: Any) -> Any:
    """Only whether it is there."""
    return MASK if value is not None else None


def each(form: Form) -> Form:
    """A list of them."""
    return lambda value: [form(one) for one in value] if isinstance(value, list | tuple) else MASK


def fields(**forms: Form) -> Form:
    """An object: the keys that are named, by their forms; of others, how many there were."""

    def form(value: Any) -> Any:
        if not isinstance(value, Mapping):
            return None if value is None else MASK
        shown = {name: one(value[name]) for name, one in forms.items() if name in value}
        others = sum(name not in forms for name in value)
        return {**shown, LEFT_OUT: others} if others else shown

    return form


def by_word(allowed: Collection[str], form: Form) -> Form:
    """An object whose keys are among ``allowed``."""
    return fields(**dict.fromkeys(allowed, form))


def _fits(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


class Names:
    """Stands ``camera-1`` for the first camera, whatever it is called: a person named it."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, str]] = {}

    def of(self, kind: str) -> Form:
        """The form of what names one of ``kind``; the same name always gets the same number."""

        def form(value: Any) -> Any:
            if value is None:
                return None
            if not isinstance(value, str):
                return MASK
            known = self._known.setdefault(kind, {})
            return known.setdefault(value, f"{kind.replace('_', '-')}-{len(known) + 1}")

        return form

    def keyed(self, kind: str, form: Form) -> Form:
        """An object whose keys name some of ``kind``."""
        name = self.of(kind)

        def keyed(value: Any) -> Any:
            if not isinstance(value, Mapping):
                return None if value is None else MASK
            return {name(key): form(one) for key, one in value.items()}

        return keyed

    def part(self, value: Any) -> Any:
        """A part that may be in fault: its kind, and by number which one."""
        parsed = parse(value) if isinstance(value, str) else None
        if parsed is None:
            return MASK
        kind, name = parsed
        if not name:
            return kind.value
        if kind is PartKind.STATE and name in _FILES:
            return f"{kind.value}{name}"
        referent = _REFERENT.get(kind)
        if referent != "door":
            return f"{kind.value}{self.of(referent or kind.value.rstrip(':'))(name)}"
        # A turnstile has two outputs, which are named after it.
        whole, dot, side = name.rpartition(".")
        if dot and side in _SIDES:
            return f"{kind.value}{self.of(referent)(whole)}.{side}"
        return f"{kind.value}{self.of(referent)(name)}"

    def parts(self, value: Any) -> Any:
        """An object by part, or a list of them: only the parts, for texts may name anybody."""
        return [self.part(one) for one in value] if isinstance(value, Mapping | list) else MASK

"""JSON in its one canonical form (RFC 8785, JCS), so that two who hash a value hash the same bytes.

Names are sorted by their UTF-16 units, numbers are written as ECMAScript writes a double. A whole
number beyond 53 bits is the double next to it, as every reader that knows doubles only has it.
"""

import math
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

_SAFE = 2**53 - 1
_PLAIN_DIGITS = 21
"""ECMAScript writes an exponent from so many digits before the point on, and below 1e-6."""
_LEAST_EXPONENT = -6


def canonical(value: Any) -> bytes:
    """``value``, as JSON is read, in UTF-8.

    Raises:
        ValueError: it has no such form: NaN, an infinity, half a character, another type, or it is
            nested too deeply.
    """
    try:
        return _text(value).encode()
    except (RecursionError, OverflowError) as error:
        raise ValueError("no canonical form") from error


def _text(value: Any) -> str:
    # What JSON is read as comes first: this stands in front of a door's release.
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if value is None:
        return "null"
    if kind is dict:
        return _object(value)
    if kind is float:
        return _double(value)
    if kind is list or kind is tuple:
        return f"[{','.join(map(_text, value))}]"
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return repr(value) if -_SAFE <= value <= _SAFE else _double(float(value))
    if isinstance(value, str):
        return encode_basestring(value)  # a word of an enumeration
    if isinstance(value, Mapping):
        return _object(dict(value))
    raise ValueError("no JSON value")


def _object(value: dict[Any, Any]) -> str:
    # Only beyond the first 65,536 characters is the order of UTF-16 another one than Python's.
    names = sorted(value) if all(map(_is_ascii, value)) else sorted(value, key=_units)
    return f"{{{','.join([f'{encode_basestring(name)}:{_text(value[name])}' for name in names])}}}"


def _is_ascii(name: object) -> bool:
    if type(name) is not str:
        raise ValueError("no JSON name")
    return name.isascii()


def _units(name: str) -> bytes:
    return name.encode("utf-16-be")


def _double(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError("no JSON number")
    if value == 0:
        return "0"
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        return mantissa.removesuffix(".0")
    sign = "-" if value < 0 else ""
    first, _, rest = mantissa.removeprefix("-").partition(".")
    # Either way of writing needs the digits by themselves; one behind the point may be a 0.
    digits = (first + rest).rstrip("0")
    power = int(exponent)
    if 0 <= power < _PLAIN_DIGITS:
        return f"{sign}{digits:0<{power + 1}}"
    if _LEAST_EXPONENT <= power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    point = "." if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{point}{digits[1:]}e{power:+d}"

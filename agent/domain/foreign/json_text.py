"""JSON (RFC 8259) that was written elsewhere, with a bound on how deep it nests.

A parser that calls itself for each bracket ends at the interpreter's own limit, and whatever runs
by chance at that depth (a finalizer, a callback of the collector) fails there in its place.
"""

import json
import re
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 100
"""No format that is read here comes near it."""


class TooDeepError(ValueError):
    """Brackets within brackets, more than anything that is read here has."""


_MARK = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)


def read_json(
    text: str | bytes,
    *,
    pairs: Callable[[list[tuple[str, Any]]], Any] | None = None,
    constant: Callable[[str], Any] | None = None,
    real: Callable[[str], Any] | None = None,
    whole: Callable[[str], Any] | None = None,
) -> Any:
    """The value of ``text``, which is UTF-8; the hooks are those of ``json.loads``.

    The caller bounds the length.

    Raises:
        TooDeepError: nested deeper than ``MAX_DEPTH``.
        ValueError: it is no JSON. What a hook raises passes as well.
    """
    said = text if isinstance(text, str) else text.decode("utf-8")
    if _deepest(said) > MAX_DEPTH:
        raise TooDeepError("nested too deeply")
    return json.loads(
        said, object_pairs_hook=pairs, parse_constant=constant, parse_float=real, parse_int=whole
    )


def _deepest(text: str) -> int:
    """How many brackets are open at once at most; no more than that where so few stand there."""
    opened = text.count("[") + text.count("{")
    if opened <= MAX_DEPTH:
        return opened
    depth = deepest = 0
    for mark in _MARK.finditer(text):
        match mark[0]:
            case "[" | "{":
                depth += 1
                deepest = max(deepest, depth)
            case "]" | "}":
                depth -= 1
    return deepest

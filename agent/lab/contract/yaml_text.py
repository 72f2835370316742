"""Values as YAML that people read: what fits on a line stands on one, long prose is folded."""

import json
import re
import textwrap
from typing import Any

_WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z$][A-Za-z0-9 _./$-]*[A-Za-z0-9_/$]|[A-Za-z]")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
"""What some reader takes for no text."""


def yaml_text(value: Any) -> str:
    """``value``, of JSON's kinds and not empty, as a YAML document."""
    return "\n".join(_block(value, 0)) + "\n"


def _block(value: Any, indent: int) -> list[str]:
    pad = " " * indent
    lines: list[str] = []
    if isinstance(value, dict):
        for key, inner in value.items():
            lines += _entry(f"{pad}{_scalar(key)}:", inner, indent)
        return lines
    for inner in value:
        lines += _entry(f"{pad}-", inner, indent)
    return lines


def _entry(head: str, value: Any, indent: int) -> list[str]:
    """One key or item: on its line where it fits, else below it."""
    flow = f"{head} {_flow(value)}"
    if isinstance(value, str) and ("\n" in value or len(flow) > _WIDTH):
        return [*_prose(head, value, indent + 2)]
    if not isinstance(value, dict | list) or len(flow) <= _WIDTH:
        return [flow]
    below = _block(value, indent + 2)
    if head.endswith("-"):
        return [f"{head} {below[0].lstrip()}", *below[1:]]
    return [head, *below]


def _prose(head: str, value: str, indent: int) -> list[str]:
    pad = " " * indent
    if "\n" in value:
        style = "|" if value.endswith("\n") else "|-"
        return [f"{head} {style}", *(f"{pad}{line}".rstrip() for line in value.splitlines())]
    wrapped = textwrap.wrap(value, _WIDTH - indent, break_long_words=False, break_on_hyphens=False)
    # Folded, a line's end is one space: what has several, or begins with one, would change.
    if " ".join(wrapped) != value:
        return [f"{head} {json.dumps(value)}"]
    return [f"{head} >-", *(f"{pad}{line}" for line in wrapped)]


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_scalar(key)}: {_flow(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(_flow(one) for one in value)}]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, float):
        # 2e-05 would be a text to who reads YAML 1.1.
        written = repr(value)
        return written if "." in written or "e" not in written else written.replace("e", ".0e")
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return str(value)
    return json.dumps(value)

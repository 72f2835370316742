"""What is wrong with a file, all of it at once: where, and what of it is shown."""

from collections.abc import Sequence

_MOST = 20
_LONGEST = 300


def finding(where: str, error: Exception, longest: int = _LONGEST) -> str:
    """One line: the first of ``error``, at most ``longest`` characters of it."""
    said = (str(error).splitlines() or [type(error).__name__])[0]
    return f"{where}{said[:longest]}"


def told(head: str, findings: Sequence[str]) -> str:
    """``head`` and beneath it the first findings, and how many more there are."""
    more = len(findings) - _MOST
    return "\n".join([head, *findings[:_MOST], *([f"and {more} more"] if more > 0 else [])])

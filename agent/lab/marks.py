"""Puts into a page, between two marks, what is drawn from the code."""


def between(text: str, name: str, drawn: str) -> str:
    """``text`` with ``drawn`` in place of what stood between the marks of ``name``.

    Raises:
        ValueError: a mark is missing.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the marks of the {name} are missing")
    return f"{before}{begin}\n{drawn}\n{end}{after}"

"""Draws the table of the state folder: the page shows what the code goes by."""

from agent.app.open.files.state import ROWS, Copy, Row
from agent.lab.marks import between


def table() -> str:
    """A row a file, as Markdown."""
    head = ["| name | mode | secret | copy | once it is gone |", "|---" * 5 + "|"]
    return "\n".join([*head, *(_line(row) for row in ROWS)])


def _line(row: Row) -> str:
    name = f"{row.name}/" if row.copy is Copy.FOLDER else row.name
    secret = "yes" if row.secret else "no"
    return f"| `{name}` | {row.mode:04o} | {secret} | {row.copy.value} | {row.loss} |"


def page(text: str) -> str:
    """``text`` with the table between its marks drawn anew.

    Raises:
        ValueError: a mark is missing.
    """
    return between(text, "state", table())

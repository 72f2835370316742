"""``--sheets DIR``: each table of an evaluation as a CSV of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from agent.cli.common import file_option
from agent.cli.terminal.sheet import sheet_text
from agent.errors import UnavailableError

Sheets = Annotated[
    Path | None,
    file_option("--sheets", "Write each table as CSV into this folder.", "DIR"),
]


def need_folder(folder: Path | None) -> None:
    """Say before the long work that nothing can be written there.

    Raises:
        UnavailableError: it is no folder, and none can be made.
    """
    if folder is not None and not (folder.is_dir() or _can_be_made(folder)):
        raise UnavailableError(f"{folder} cannot be made", "name a folder in a folder there is")


def write_sheets(tables: Mapping[str, Sequence[Mapping[str, Any]]], folder: Path | None) -> None:
    """A file a table in ``folder``, by the table's name; nothing where no folder is named.

    Raises:
        UnavailableError: one cannot be written.
    """
    if folder is None:
        return
    from agent.operations.files import write_whole

    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"{folder} cannot be made: {error.strerror}") from error
    for name, rows in tables.items():
        columns = list(rows[0])
        told = sheet_text(columns, [[row[column] for column in columns] for row in rows])
        write_whole(told.encode(), folder / f"{name}.csv")


def _can_be_made(folder: Path) -> bool:
    return folder.parent.is_dir() and not folder.exists()

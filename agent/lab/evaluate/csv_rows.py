"""A CSV that somebody brings: opened and read, or refused in one way."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.domain.foreign.text import NoTextError, text_of
from agent.errors import RefusedError, UnavailableError


@contextmanager
def csv_rows(file: Path) -> Iterator["csv.DictReader[str]"]:
    """The rows of a CSV in UTF-8, read within the block.

    Raises:
        RefusedError: it is no such CSV, or what the block itself refuses.
        UnavailableError: it cannot be read.
    """
    if file.exists() and not file.is_file():
        # A pipe would be waited for, a device read without end.
        raise RefusedError("bad_csv", f"{file} cannot be read: it is no file")
    try:
        text = io.StringIO(text_of(file.read_bytes()), newline="")
        yield csv.DictReader(text, skipinitialspace=True)
    except OSError as error:
        raise UnavailableError(f"{file} cannot be read: {error.strerror}") from error
    except (NoTextError, csv.Error) as error:
        raise RefusedError("bad_csv", f"{file} cannot be read: it is no CSV in UTF-8") from error

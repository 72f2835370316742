"""A listing of pairs of photographs, as face sets come with: a CSV of two files and a word."""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.errors import RefusedError, UnavailableError
from agent.lab.evaluate.csv_rows import csv_rows

_COLUMNS = ("file_x", "file_y", "decision")
_DECISIONS = {"yes": True, "no": False}


@dataclass(frozen=True, slots=True)
class ListedPair:
    """Two files of the listing, whether they show one person, and the line that says so."""

    one: str
    other: str
    same: bool
    line: int


def read_pairs(listing: Path) -> list[ListedPair]:
    """The pairs of a CSV with the columns file_x, file_y and decision (Yes or No, in any case).

    Raises:
        RefusedError: it is no such CSV, lacks a column, or has a line that is no pair.
        UnavailableError: it cannot be read.
    """
    with csv_rows(listing) as reader:
        fields = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}
        if missing := [name for name in _COLUMNS if name not in fields]:
            message = f"{listing} lacks the column {missing[0]}; it needs {', '.join(_COLUMNS)}"
            raise RefusedError("bad_csv", message)
        pairs = list(_listed(reader, fields, listing))
    if not pairs:
        raise RefusedError("bad_csv", f"{listing} names no pairs")
    return pairs


def _listed(
    reader: "csv.DictReader[str]", fields: Mapping[str, str], listing: Path
) -> Iterator[ListedPair]:
    for row in reader:
        one, other, decision = (str(row[fields[name]] or "").strip() for name in _COLUMNS)
        if not one and not other and not decision:
            continue
        if not one or not other or decision.lower() not in _DECISIONS:
            message = f"{listing}:{reader.line_num}: needs two files and Yes or No"
            raise RefusedError("bad_csv", message)
        # A listing made on Windows names subfolders its own way.
        one, other = one.replace("\\", "/"), other.replace("\\", "/")
        yield ListedPair(one, other, _DECISIONS[decision.lower()], reader.line_num)


def require_files(images: Path, listing: Path, pairs: Sequence[ListedPair]) -> None:
    """Refuse a listing that names files which are not in ``images``.

    Raises:
        RefusedError: with the first of them, its line, and how many there are.
        UnavailableError: there is no such folder.
    """
    if not images.is_dir():
        raise UnavailableError(f"{images} is no folder")
    missing: dict[str, int] = {}
    for pair in pairs:
        for name in (pair.one, pair.other):
            # Not Path.is_file, which raises where a name is too long.
            if name not in missing and not os.path.isfile(images / name):  # noqa: PTH113
                missing[name] = pair.line
    if missing:
        name, line = next(iter(missing.items()))
        more = f" ({len(missing)} such files in all)" if len(missing) > 1 else ""
        message = f"{listing}:{line}: {name} is not in {images}{more}"
        raise RefusedError("missing_images", message)


def persons_of(pairs: Sequence[ListedPair]) -> dict[str, int]:
    """A number of a person for each file: those that the listing calls the same are one.

    Two files that no chain of such pairs joins may be one person's all the same; then there are
    fewer persons than this says.
    """
    first = {name: name for pair in pairs for name in (pair.one, pair.other)}

    def root(name: str) -> str:
        while first[name] != name:
            first[name] = first[first[name]]
            name = first[name]
        return name

    for pair in pairs:
        if pair.same:
            first[root(pair.other)] = root(pair.one)
    numbers: dict[str, int] = {}
    return {name: numbers.setdefault(root(name), len(numbers)) for name in first}

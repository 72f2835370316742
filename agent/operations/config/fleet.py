"""Configs of many kiosks: a template with variables, and a table with a row for each.

    id = "${kiosk}"        a variable; $${ is a plain ${
    pin = ${relay_pin}

A table is CSV as Excel and its like write it: its first row names the columns. What must not be in
one is refused before anything is written: a private key or a password (a table is mailed and kept),
a formula, a column that nothing uses. Every config is judged by the loader itself.
"""

import csv
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.config import ConfigFile
from agent.config.faults import fault_at
from agent.config.lines import Span, places_in
from agent.config.load import config_in, wrong
from agent.domain.credential.near import did_you_mean
from agent.errors import RefusedError, UnavailableError
from agent.operations.files import read_lines, write_whole

MOST_ROWS = 1000
_VARIABLE = re.compile(r"\$\$\{|\$\{([^}\n]*)\}?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_BREAKS = re.compile(r"[\"'\\\x00-\x1f\x7f-\x9f\u2028\u2029]|\$\{")
_FORMULA = ("=", "+", "-", "@")
_PRIVATE_NAME = re.compile(
    r"(?:.*[_ -])?(?:private|secret|passw(?:or)?d|passphrase|pwd|token|seed"
    r"|(?:signing|sealing|gallery|client|broker|tls|priv)[_ -]?key)(?:[_ -](?!file$).*)?",
    re.IGNORECASE,
)
_PRIVATE_VALUE = re.compile(r"PRIVATE KEY|AGE-SECRET-KEY-", re.IGNORECASE)
_ONLY_ON_THE_KIOSK = (
    "private keys are made on the kiosk, and a password goes into the gate.toml of its card,"
    " which the kiosk blanks"
)
_MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table: its line, and its cells by the names of the columns."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Made:
    """One kiosk's config: the file that it goes into, and what it says."""

    name: str
    text: str = field(repr=False)
    config: ConfigFile = field(repr=False)

    @property
    def kiosk(self) -> str:
        """Its place: ``lakeside/g3/north-1``."""
        told = self.config.config.kiosk
        return f"{told.community}/{told.grid}/{told.id}"


def read_fleet(file: Path, known: Collection[str]) -> list[Row]:
    """The rows of a table whose columns are among ``known``; cells are bare of outer spaces.

    Raises:
        RefusedError: ``fleet``: all that is wrong with it, each with its line.
        UnavailableError: it cannot be read.
    """
    lines = read_lines(file)
    head = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    if len(rows) < 2:
        raise RefusedError("fleet", f"{file.name} has no row below its head")
    (_, columns), *below = rows
    said = [*_wrong_columns(columns, known)]
    if not said:
        said = [one for line, cells in below for one in _wrong_cells(line, cells, columns)]
    if len(below) > MOST_ROWS:
        said.append(f"there are {len(below)} rows, and {MOST_ROWS} at most are taken")
    _refuse(file, said)
    return [Row(line, dict(zip(columns, cells, strict=True))) for line, cells in below]


def variables_of(template: str) -> dict[str, int]:
    """The variables of a template, each with the line on which it stands first."""
    found: dict[str, int] = {}
    for one in _VARIABLE.finditer(template):
        if one[1] is not None:
            found.setdefault(one[1], template.count("\n", 0, one.start()) + 1)
    return found


def rendered(template: str, values: Mapping[str, str], file: Path) -> ConfigFile:
    """The template with these values, as the config that it then is; ``file`` is the template's.

    Raises:
        ConfigError: a variable has no value, a value no variable, or the config is wrong.
    """
    _check(template, values, file)
    text = _VARIABLE.sub(lambda one: "${" if one[1] is None else values[one[1]], template)
    return config_in(text, file)


def _check(template: str, values: Mapping[str, str], file: Path) -> None:
    places = places_in(template)
    faults = []
    for one in _VARIABLE.finditer(places.text):
        name, span = one[1], Span(*one.span())
        if name is None:
            continue
        if not _NAME.fullmatch(name) or not one[0].endswith("}"):
            fix = "write ${NAME}, of A-Z a-z 0-9 _ -"
            faults.append(fault_at(span, "is no variable", fix, (), places))
        elif name not in values:
            fix = f"give --set {name}=..., or a column {name}"
            near = did_you_mean(name, values)
            faults.append(fault_at(span, f"has no value{near}", fix, (), places))
        elif _BREAKS.search(values[name]):
            fix = "a value holds no quotes, backslashes or line ends"
            faults.append(fault_at(span, "would break out of its place", fix, (), places))
    if faults:
        raise wrong(file, faults)
    used = variables_of(template)
    spare = [one for one in values if one not in used]
    if spare:
        near = did_you_mean(spare[0], used)
        message = f"the template has no variable {', '.join(spare)}{near}"
        raise RefusedError("variable", f"{message}\nFix: leave it out, or use ${{{spare[0]}}}")


def named(configs: Sequence[tuple[int, ConfigFile]]) -> list[Made]:
    """The configs, each with the name of its file: ``GRID-ID.toml``; with the line it is from.

    Raises:
        RefusedError: ``fleet``: two would be the same kiosk, or have one name.
    """
    made: dict[str, tuple[int, Made]] = {}
    said = []
    for line, one in configs:
        kiosk = one.config.kiosk
        name = f"{kiosk.grid}-{kiosk.id}.toml"
        if name.lower() in made:
            first = made[name.lower()][0]
            said.append(f"line {line}: the kiosk {kiosk.grid}/{kiosk.id} stands in line {first}")
        else:
            made[name.lower()] = (line, Made(name, one.text, one))
    _refuse(None, said)
    return [one for _, one in made.values()]


def write_fleet(configs: Sequence[Made], folder: Path) -> list[Path]:
    """Write each into ``folder``; one that is there already with the same words stays.

    Raises:
        RefusedError: ``file_exists``: one says something else; nothing is written then.
        UnavailableError: one cannot be written.
    """
    places = [folder / one.name for one in configs]
    for place, one in zip(places, configs, strict=True):
        if place.exists() and place.read_bytes() != one.text.encode():
            fix = "name another folder, or remove it"
            raise RefusedError("file_exists", f"{place} says something else\nFix: {fix}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"{folder} cannot be made: {error.strerror}", "--out DIR") from error
    for place, one in zip(places, configs, strict=True):
        if not place.exists():
            write_whole(one.text.encode(), place)
    return places


def _wrong_columns(columns: Sequence[str], known: Collection[str]) -> Iterator[str]:
    for number, name in enumerate(columns):
        if _PRIVATE_NAME.fullmatch(name) and name not in known:
            yield f"column {name!r} looks like a secret: {_ONLY_ON_THE_KIOSK}"
        elif name in columns[:number]:
            yield f"column {name!r} is there twice"
        elif name not in known:
            yield f"column {name!r} is not known{did_you_mean(name, known)}"


def _wrong_cells(line: int, cells: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    if len(cells) != len(columns):
        yield f"line {line}: has {len(cells)} cells, and the head {len(columns)}"
        return
    for name, cell in zip(columns, cells, strict=True):
        if _PRIVATE_VALUE.search(cell):
            yield f"line {line}, column {name!r}: holds a private key: {_ONLY_ON_THE_KIOSK}"
        elif cell.startswith(_FORMULA):
            yield f"line {line}, column {name!r}: is a formula, and no value begins with {cell[0]}"
        elif "\n" in cell:
            yield f"line {line}, column {name!r}: goes over several lines"


def _refuse(file: Path | None, said: Sequence[str]) -> None:
    if not said:
        return
    more = [f"and {len(said) - _MOST_TOLD} more"] if len(said) > _MOST_TOLD else []
    head = "the table is refused" if file is None else f"{file.name} is refused"
    raise RefusedError("fleet", "\n  ".join([f"{head}:", *said[:_MOST_TOLD], *more]))

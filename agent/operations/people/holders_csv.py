"""Holders from a table that an office keeps: CSV as Excel and its like write it.

    id,name,category,enabled,valid_from,valid_until     also 编号,姓名,类别,启用,生效日期,有效期至
    r-1,张三,resident,TRUE,2026/1/1,31/12/2026          also ; or tab between the cells

``id``, ``name`` and ``category`` are needed, in any order. A date is a whole day in the kiosk's
zone, in the order year, month, day; or with the year last where day and month cannot be mistaken
for each other. A table without ``enabled`` enables nobody whom the registry has disabled.
References and ID documents are in no table.
"""

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from agent.domain.hours.instant import utc_text
from agent.errors import EnrolmentRefusedError, RefusedError
from agent.operations.moments import parse_bound

NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "holderid", "holder", "编号", "住户编号", "人员编号", "编码", "工号", "編號"),
    "name": ("name", "fullname", "holdername", "姓名", "名字", "名称", "名稱"),
    "category": ("category", "type", "group", "人员类别", "类型", "分类", "类别", "類別"),
    "enabled": ("enabled", "active", "启用", "是否启用", "状态", "啟用"),
    "valid_from": ("validfrom", "from", "start", "生效日期", "开始日期", "有效期起", "起始日期"),
    "valid_until": (
        *("validuntil", "until", "validto", "expires", "end"),
        *("失效日期", "结束日期", "有效期至", "有效期止", "截止日期", "到期日期"),
    ),
}
"""What the head of a table may call a column; each without spaces, in small letters."""
_COLUMNS = {alias: column for column, aliases in NAMES.items() for alias in aliases}
_NEEDED = ("id", "name", "category")
TRUE = frozenset({"true", "yes", "y", "1", "是", "真", "启用", "啟用", "有效"})
FALSE = frozenset({"false", "no", "n", "0", "否", "假", "停用", "禁用", "无效"})
_MOST_NAMED, _LONGEST_NAMED = 10, 40
_DELIMITERS = ",;\t"
_DIRECTIVE = re.compile(r"sep=.", re.IGNORECASE)
_DAY = re.compile(
    r"(?P<y>\d{4})[-/.年](?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})日?(?P<rest>.*)"
    r"|(?P<one>\d{1,2})[-/.](?P<two>\d{1,2})[-/.](?P<year>\d{4})(?P<end>.*)",
    re.DOTALL,
)
_CLOCK = re.compile(r"[ T]+(\d{1,2}):(\d{2})(.*)", re.DOTALL)
_REFUSED_COLUMN = {"holder_id": "id", "holder_name": "name", "category": "category"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table; ``number`` is the line in the file where it ends."""

    number: int
    zone: tzinfo = field(repr=False)
    cells: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    problem: str | None = None

    @property
    def says_enabled(self) -> bool:
        """Whether the table has a column for it."""
        return "enabled" in self.cells

    def data(self) -> dict[str, Any]:
        """The row as a line of JSON would say it.

        Raises:
            ValueError: a cell is not what its column holds; the column is named.
        """
        if self.problem is not None:
            raise ValueError(self.problem)
        found: dict[str, Any] = {key: self.cells[key] for key in _NEEDED}
        if self.says_enabled:
            found["enabled"] = self._yes(self.cells["enabled"])
        for key, ends in (("valid_from", False), ("valid_until", True)):
            found[key] = self._moment(key, ends=ends)
        return found

    def column_of(self, error: BaseException) -> str:
        """The words for the column that ``error`` is about; none where it is about the row."""
        refused = error.__cause__
        if not isinstance(refused, EnrolmentRefusedError):
            return ""
        column = _REFUSED_COLUMN.get(refused.reason, "")
        return self._named(column) if column else ""

    def _named(self, column: str) -> str:
        return f"column {self.headers.get(column, column)}: "

    def _yes(self, cell: str) -> bool:
        word = cell.strip().casefold()
        if word not in TRUE | FALSE:
            raise ValueError(f"{self._named('enabled')}is neither TRUE nor FALSE (是, 否)")
        return word in TRUE

    def _moment(self, key: str, *, ends: bool) -> str | None:
        cell = self.cells.get(key, "").strip()
        if not cell:
            return None
        try:
            moment = parse_bound(iso_day(cell), self.zone, ends=ends)
        except RefusedError:
            raise ValueError(f"{self._named(key)}is no date: write it as 2026-12-31") from None
        except ValueError as error:
            raise ValueError(f"{self._named(key)}{error}") from None
        return None if moment is None else utc_text(moment)


def is_csv(lines: Sequence[str]) -> bool:
    """Whether ``lines`` begin with the head of a table; a line of JSON begins with a brace."""
    head, _ = _head(lines)
    if head.lstrip().startswith(("{", "[")):
        return False
    return any(_column(name) is not None for name in split_row(head))


def csv_rows(lines: Sequence[str], zone: tzinfo) -> Iterator[Row]:
    """The rows of a table with its head; a blank one is none.

    A row that is broken, and a head that lacks a column, are rows whose ``data`` says so.
    """
    head, at = _head(lines)
    columns = [_column(name) for name in split_row(head)]
    problem = _head_problem(head, columns)
    headers = {
        column: name.strip()
        for column, name in zip(columns, split_row(head), strict=True)
        if column is not None
    }
    if problem is not None:
        yield Row(at + 1, zone, {}, headers, problem)
        return
    body = (f"{line}\n" for line in lines[at + 1 :])
    reader = csv.reader(body, delimiter=delimiter_of(head), strict=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Row(at + 1 + reader.line_num, zone, {}, headers, f"is no row: {error}")
            return
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            number = at + 1 + reader.line_num
            extra = any(cell.strip() for cell in cells[len(columns) :])
            padded = [*cells, *[""] * (len(columns) - len(cells))]
            named = {c: cell for c, cell in zip(columns, padded, strict=False) if c is not None}
            unnamed = any(
                cell.strip() and c is None for c, cell in zip(columns, padded, strict=False)
            )
            what = "has a cell in no column" if extra or unnamed else None
            if any(column in _NEEDED for column in columns[len(cells) :]):
                what = f"has {len(cells)} of the head's {len(columns)} cells"
            yield Row(number, zone, named, headers, what)


def _head(lines: Sequence[str]) -> tuple[str, int]:
    for at, line in enumerate(lines):
        if line.strip() and not _DIRECTIVE.fullmatch(line.strip()):
            return line, at
    return "", 0


def delimiter_of(head: str) -> str:
    """What stands between the cells of a table whose head this is."""
    return max(_DELIMITERS, key=head.count)


def split_row(head: str) -> list[str]:
    """The cells of a row alone; none where it is broken."""
    try:
        return next(csv.reader([head], delimiter=delimiter_of(head)), [])
    except csv.Error:
        return []


def _column(name: str) -> str | None:
    return _COLUMNS.get(plain_head(name))


def plain_head(name: str) -> str:
    """The head of a column as ``NAMES`` has it."""
    return re.sub(r"[\s_-]", "", unicodedata.normalize("NFKC", name)).casefold()


def _head_problem(head: str, columns: Sequence[str | None]) -> str | None:
    unknown = [
        name.strip()
        for column, name in zip(columns, split_row(head), strict=True)
        if column is None and name.strip()
    ]
    if unknown:
        more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
        named = (repr(name[:_LONGEST_NAMED]) for name in unknown[:_MOST_NAMED])
        return f"unknown columns: {', '.join(named)}{more}"
    missing = [f"{key} ({NAMES[key][-2]})" for key in _NEEDED if key not in columns]
    if missing:
        return f"lacks the column {missing[0]}; a table needs {', '.join(_NEEDED)}"
    known = [column for column in columns if column is not None]
    if len(set(known)) < len(known):
        return "has a column twice"
    return None


def iso_day(cell: str) -> str:
    """``cell`` with its day as ISO 8601 has it; what is no day stays as it is.

    Raises:
        ValueError: which number is the month cannot be told.
    """
    cell = unicodedata.normalize("NFKC", cell)
    found = _DAY.fullmatch(cell)
    if found is None:
        return cell
    if found["y"] is not None:
        year, month, day, rest = found["y"], int(found["m"]), int(found["d"]), found["rest"]
    else:
        one, two, rest = int(found["one"]), int(found["two"]), found["end"]
        if one != two and one <= 12 and two <= 12:
            raise ValueError("may be either of two days: write it as 2026-12-31")
        year, month, day = found["year"], min(one, two), max(one, two)
    clock = _CLOCK.fullmatch(rest)
    if clock is not None:
        rest = f"T{int(clock[1]):02}:{clock[2]}{clock[3]}"
    return f"{year}-{month:02}-{day:02}{rest}"

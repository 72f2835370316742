"""Which column of a table holds what: by its head, in any order, in Chinese or English.

A title may stand above the head. What a head may say is told once, here and for ``holders import``;
the config adds words of the community's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agent.errors import RefusedError
from agent.operations.people.holders_csv import NAMES, plain_head
from agent.operations.registers.source import SourceRow

RECORD_NAMES: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "residentcode", "住户编码", "居民编码", "档案编号", "档案号"),
    "contact": ("contact", "phone", "telephone", "mobile", "联系电话", "电话", "手机", "手机号"),
    "grid": ("grid", "网格", "所属网格", "網格"),
    "consent": ("consent", "consentdate", "同意日期", "告知同意日期"),
    "guardian": ("guardian", "监护人", "監護人"),
}
REASON = "reason"
"""The column that a file of faulty rows has more; it is not read."""
_LEFT_OUT = {"reason": REASON, "原因": REASON}
FIELDS = (*NAMES, *RECORD_NAMES)
_ID_NUMBERS = frozenset(
    {"idnumber", "idcard", "身份证", "身份证号", "身份证号码", "证件号码", "身份證"}
)
_HEAD_WITHIN, _SURE = 20, 2
_MOST_NAMED, _LONGEST_NAMED = 10, 40


@dataclass(frozen=True, slots=True)
class Head:
    """Which place of a row holds which field, and what the columns are called there."""

    number: int
    places: Mapping[str, int]
    words: tuple[str, ...]

    def field_at(self, place: int) -> str | None:
        """The field in this place; None where the column is not read."""
        return next((name for name, at in self.places.items() if at == place), None)

    def called(self, field: str) -> str:
        """How the table calls the column of a field."""
        at = self.places.get(field)
        return field if at is None else self.words[at]


def find_head(rows: Iterable[SourceRow], own: Mapping[str, Sequence[str]]) -> Head:
    """The head of a table, which is taken from ``rows``; ``own`` are more words by field.

    Raises:
        RefusedError: ``table``: there is none, or it does not say what is needed.
    """
    known = {
        word: name for name, words in (*NAMES.items(), *RECORD_NAMES.items()) for word in words
    }
    known |= {plain_head(word): name for name, words in own.items() for word in words}
    first: SourceRow | None = None
    for seen, row in enumerate(rows):
        first = first or row
        if sum(plain_head(cell) in known for cell in row.cells) >= _SURE:
            return _head(row, known)
        if seen + 1 >= _HEAD_WITHIN:
            break
    if first is None:
        raise _refused("is empty")
    raise _refused(f"has no head with the columns that are needed ({_NEEDED})")


_NEEDED = "name (姓名), category (类别), and id (编号) or code (住户编码)"


def _head(row: SourceRow, known: Mapping[str, str]) -> Head:
    words = tuple(cell.strip() for cell in row.cells)
    places: dict[str, int] = {}
    unknown = []
    for at, word in enumerate(words):
        name = known.get(plain_head(word))
        if plain_head(word) in _ID_NUMBERS:
            said = f"has ID numbers in the column {word!r}, which no file should: take it out"
            raise _refused(f"{said}, and bind documents by gate-agent holders bind-document")
        if name in places:
            raise _refused(f"has a column twice: {word!r}")
        if name is not None:
            places[name] = at
        elif word and plain_head(word) not in _LEFT_OUT:
            unknown.append(repr(word[:_LONGEST_NAMED]))
    if unknown:
        raise _refused(f"has unknown columns: {', '.join(unknown[:_MOST_NAMED])}")
    if not {"name", "category"} <= places.keys() or not {"id", "code"} & places.keys():
        raise _refused(f"lacks a column: it needs {_NEEDED}")
    return Head(row.number, places, words)


def _refused(what: str) -> RefusedError:
    return RefusedError("table", f"the file {what}\nnothing was imported")

"""A row of a table as somebody to be registered, or as what is wrong with it, by column.

What a table does not say stays as it is: no column, or an empty cell of contact, grid or validity.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from agent.domain.credential.holder import Holder, HolderId
from agent.domain.credential.name import person_name
from agent.domain.hours.instant import utc_text
from agent.domain.hours.iso_time import read_moment
from agent.domain.registers.category import Category
from agent.domain.registers.record import NOTHING, ArchiveConsent, Record, contact_of, grid_of
from agent.domain.registers.resident_code import ResidentCode, parse_resident_code
from agent.errors import EnrolmentRefusedError, RefusedError
from agent.operations.moments import parse_bound
from agent.operations.people.enrol import make_holder
from agent.operations.people.holders_csv import FALSE, TRUE, iso_day
from agent.operations.registers.columns import Head
from agent.operations.registers.source import SourceRow
from agent.ports import Registration

_FORMULA = ("=", "@", "\t", "\r", "+", "-")
_QUOTED = "'"
_SERIAL, _SERIALS = re.compile(r"\d{5}", re.ASCII), range(20_000, 80_000)
_SERIALS_FROM = date(1899, 12, 30)


class FaultyRowError(ValueError):
    """A row that cannot be registered: why, with the column; nothing of a cell is quoted."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for every row: the zone, the categories, the notice consented to, and now."""

    zone: tzinfo
    categories: Sequence[Category]
    notice: str | None
    now: datetime

    def category(self, word: str) -> str | None:
        """The id of the category that somebody calls so; None where none is."""
        plain = unicodedata.normalize("NFKC", word).strip().casefold()
        for one in self.categories:
            if plain in {name.casefold() for name in one.names()}:
                return one.id
        return None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody as a row has them; None where it says nothing."""

    id: str | None
    code: ResidentCode | None = field(repr=False)
    name: str = field(repr=False)
    category: str
    enabled: bool | None
    valid_from: datetime | None
    valid_until: datetime | None
    record: Record = field(repr=False)

    def registration(
        self, holder: HolderId, before: Holder | None, record: Record | None, terms: Terms
    ) -> Registration:
        """What is to be stored, where ``before`` and ``record`` are stored now.

        Raises:
            FaultyRowError: what stays does not go with what is new.
        """
        category = next((one for one in terms.categories if one.id == self.category), None)
        ends = self.valid_until
        if ends is None:
            by_table = None if category is None else category.ends(terms.now, terms.zone)
            ends = by_table if before is None else before.valid_until
        begins = self.valid_from or (None if before is None else before.valid_from)
        if begins is not None and ends is not None and begins >= ends:
            raise FaultyRowError("the validity begins at or after its end")
        enabled = self.enabled
        if enabled is None:
            enabled = True if before is None else before.enabled
        made = Holder(holder, self.name, self.category, enabled, begins, ends)
        made = replace(made, consent=None if before is None else before.consent)
        stays = record or NOTHING
        new = Record(
            self.code or stays.code,
            self.record.contact or stays.contact,
            self.record.grid or stays.grid,
            self.record.consent or stays.consent,
        )
        return Registration(made, None if new == stays else new)


def wanted_of(row: SourceRow, head: Head, terms: Terms) -> Wanted:
    """Whom the row names.

    Raises:
        FaultyRowError: it cannot be registered; the first thing that is wrong.
    """
    if row.problem is not None:
        raise FaultyRowError(row.problem)
    for at, why in row.wrong:
        if head.field_at(at) is not None:
            raise FaultyRowError(f"column {head.words[at]}: {why}")
    if any(cell.strip() for cell in row.cells[len(head.words) :]):
        raise FaultyRowError("has a cell in no column")
    if any(cell.strip() and not word for cell, word in zip(row.cells, head.words, strict=False)):
        raise FaultyRowError("has a cell in a column without a head")
    return _Cells(row, head, terms).wanted()


@dataclass(frozen=True, slots=True)
class _Cells:
    row: SourceRow
    head: Head
    terms: Terms

    def wanted(self) -> Wanted:
        known = self._read("id"), self._read("code", parse_resident_code)
        if known == (None, None):
            raise FaultyRowError("has neither an id nor a resident code")
        name = self._read("name", person_name)
        category = self._read("category", self._category)
        if name is None or category is None:
            raise FaultyRowError(
                f"column {self.head.called('name' if name is None else 'category')}: is empty"
            )
        begins, ends = (
            self._moment("valid_from", ends=False),
            self._moment("valid_until", ends=True),
        )
        try:
            make_holder(known[0] or "drawn", name, category, valid_from=begins, valid_until=ends)
        except EnrolmentRefusedError as error:
            column = self.head.called("id") if error.reason == "holder_id" else ""
            where = f"column {column}: " if column else ""
            raise FaultyRowError(f"{where}{str(error).splitlines()[0]}") from error
        return Wanted(
            *known,
            name,
            category,
            self._read("enabled", _yes),
            begins,
            ends,
            Record(
                known[1],
                self._read("contact", contact_of),
                self._read("grid", grid_of),
                self._consent(),
            ),
        )

    def _cell(self, name: str) -> str:
        at = self.head.places.get(name)
        cell = "" if at is None or at >= len(self.row.cells) else self.row.cells[at]
        # As this program writes what a sheet would take for a formula.
        inner = cell.strip()
        if inner.startswith(_QUOTED) and inner[1:].startswith(_FORMULA):
            return inner[1:]
        return inner

    def _read(self, name: str, parse: Callable[[str], Any] = str) -> Any:
        cell = self._cell(name)
        if not cell:
            return None
        try:
            if cell.startswith(_FORMULA) and name != "contact":
                raise ValueError("begins as a formula does")  # noqa: TRY301 - told as the others are
            if name == "contact" and cell.startswith(_FORMULA) and not _is_number(cell):
                raise ValueError("begins as a formula does")  # noqa: TRY301 - likewise
            return parse(cell)
        except ValueError as error:
            raise FaultyRowError(f"column {self.head.called(name)}: {error}") from error

    def _category(self, word: str) -> str:
        found = self.terms.category(word)
        if found is None:
            raise ValueError("is no category of this community: gate-agent categories")
        return found

    def _moment(self, name: str, *, ends: bool) -> datetime | None:
        def parse(cell: str) -> datetime | None:
            try:
                return parse_bound(_day(cell), self.terms.zone, ends=ends)
            except RefusedError:
                raise ValueError("is no date: write it as 2026-12-31") from None

        found: datetime | None = self._read(name, parse)
        return found

    def _consent(self) -> ArchiveConsent | None:
        at, guardian = self._moment("consent", ends=False), self._read("guardian", person_name)
        if at is None:
            if guardian is not None:
                column = self.head.called("guardian")
                raise FaultyRowError(f"column {column}: goes with a date of consent")
            return None
        if self.terms.notice is None:
            column = self.head.called("consent")
            raise FaultyRowError(f"column {column}: to which notice? --notice VERSION")
        if at > self.terms.now:
            raise FaultyRowError(f"column {self.head.called('consent')}: lies in the future")
        return ArchiveConsent(self.terms.notice, at, guardian)


def _day(cell: str) -> str:
    """A day as ISO 8601 has it; a number alone is what a sheet counts, from 1899-12-30."""
    plain = unicodedata.normalize("NFKC", cell)
    if _SERIAL.fullmatch(plain) and int(plain) in _SERIALS:
        return (_SERIALS_FROM + timedelta(days=int(plain))).isoformat()
    return iso_day(plain)


def _yes(cell: str) -> bool:
    word = unicodedata.normalize("NFKC", cell).casefold()
    if word not in TRUE | FALSE:
        raise ValueError("is neither TRUE nor FALSE (是, 否)")
    return word in TRUE


def _is_number(cell: str) -> bool:
    return cell.startswith("+") and contact_of(cell)[1:].isdigit()


def packed(wanted: Wanted) -> dict[str, Any]:
    """``wanted`` as JSON values, to be read by ``unpacked``."""
    record = wanted.record
    consent = record.consent
    return {
        "id": wanted.id,
        "code": None if wanted.code is None else str(wanted.code),
        "name": wanted.name,
        "category": wanted.category,
        "enabled": wanted.enabled,
        "from": _text(wanted.valid_from),
        "until": _text(wanted.valid_until),
        "contact": record.contact,
        "grid": record.grid,
        "consent": None
        if consent is None
        else [consent.notice, _text(consent.at), consent.guardian],
    }


def unpacked(said: Mapping[str, Any]) -> Wanted:
    """What ``packed`` made."""
    code = None if said["code"] is None else parse_resident_code(said["code"])
    consent = said["consent"]
    given = (
        None
        if consent is None
        else ArchiveConsent(consent[0], read_moment(consent[1], None), consent[2])
    )
    return Wanted(
        said["id"],
        code,
        said["name"],
        said["category"],
        said["enabled"],
        _read_moment(said["from"]),
        _read_moment(said["until"]),
        Record(code, said["contact"], said["grid"], given),
    )


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else utc_text(moment)


def _read_moment(text: str | None) -> datetime | None:
    return None if text is None else read_moment(text, None)

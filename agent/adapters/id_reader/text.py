"""The text block of an ID card's chip: 256 bytes of UTF-16LE at fixed places (GA/T 490).

    place   resident card       residence permit J     foreigner I (2017)   foreigner Y (2023)
    0       name 30             name 30                English name 120     Chinese name 30
    30      sex 2, nation 4     sex 2, reserved 4                           sex 2, renewals 4
    36      birth 16            birth 16                                    birth 16
    52      address 70          address 70                                  English name 70
    120                                                sex 2
    122     number 36           number 36              number 30            number 36
    152                                                nationality 6
    158     issuer 30           issuer 30              Chinese name 30      reserved 30
    188     valid from 16       valid from 16          valid from 16        valid from 16
    204     valid to 16         valid to 16            valid to 16          valid to 16
    220     reserved 36         pass number 18, ...    birth 16, ...        English name 22, ...
    248                         "J"                    "I"                  "Y"

Fields end in spaces or zeros. "Valid to" is a date or the word for long-term. Only what the gate
needs is decoded: number, name and validity. A block is believed no further than its form: that the
card is genuine is for the reader's security module to say.
"""

from dataclasses import dataclass
from datetime import date

import structlog

from agent.credentials.documents.resident_id import check
from agent.domain.credential.id_document import DocumentKind, IdDocument
from agent.domain.credential.name import person_name
from agent.domain.foreign.boundary import boundary
from agent.errors import RefusedError

_log = structlog.get_logger(__name__)

TEXT_BYTES = 256
LONG_TERM = "长期"
_KIND_AT = 248
_NUMBER_BYTES, _DATE_BYTES = 36, 16
_NUMBER_AT, _FROM_AT, _UNTIL_AT = 122, 188, 204
_BLANK = " \0\u3000"

_Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a kind of card has its number and names; the first name that is there is taken."""

    names: tuple[tuple[_Place, ...], ...]
    number: _Place = (_NUMBER_AT, _NUMBER_BYTES)


_RESIDENT = _Layout(names=(((0, 30),),))
_LAYOUTS = {
    "I": _Layout(names=(((158, 30),), ((0, 120),)), number=(_NUMBER_AT, 30)),
    "Y": _Layout(names=(((0, 30),), ((52, 70), (220, 22)))),
}


@boundary("ID card", lambda: _unreadable("text"), RefusedError)
def decode_document(text: bytes, photo: bytes) -> IdDocument:
    """The document of a card's two blocks.

    Raises:
        RefusedError: ``unreadable_document``: a field is not what it must be; none is quoted.
    """
    if len(text) != TEXT_BYTES:
        raise _unreadable("length")
    letter = _field(text, (_KIND_AT, 2))
    layout = _LAYOUTS.get(letter, _RESIDENT)
    number = _field(text, layout.number)
    verdict = check(number, None)
    foreigner_2017 = letter == "I" and verdict.kind is DocumentKind.FOREIGNER
    if verdict.kind is None or not (verdict.check_digit or foreigner_2017):
        raise _unreadable("number")
    valid_from = _date(_field(text, (_FROM_AT, _DATE_BYTES)))
    until = _field(text, (_UNTIL_AT, _DATE_BYTES))
    valid_until = None if until == LONG_TERM else _date(until)
    if valid_until is not None and valid_until < valid_from:
        raise _unreadable("validity")
    whole = next(filter(None, (_raw(text, places) for places in layout.names)), "")
    return IdDocument(
        kind=verdict.kind,
        number=number,
        name=_name(whole),
        valid_from=valid_from,
        valid_until=valid_until,
        photo=photo,
    )


def _field(text: bytes, place: _Place) -> str:
    at, length = place
    # A lone surrogate becomes the replacement character: no number, no date and no printed name.
    return text[at : at + length].decode("utf-16-le", errors="replace").strip(_BLANK)


def _raw(text: bytes, places: tuple[_Place, ...]) -> str:
    return "".join(_field(text, place) for place in places)


def _name(whole: str) -> str:
    """The name as any other is judged; none, and a line in the log, where it cannot be one.

    Rare characters stand on cards as private use: they stay. What is left after dropping one would
    be somebody else's name.
    """
    if not whole:
        return ""
    try:
        return person_name(whole)
    except ValueError:
        _log.warning("document_name_not_read")
        return ""


def _date(text: str) -> date:
    if len(text) == 8 and text.isascii() and text.isdigit():
        try:
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            pass
    raise _unreadable("validity")


def _unreadable(field: str) -> RefusedError:
    message = f"the {field} on the card cannot be read\nFix: lay it on again; else try another card"
    return RefusedError("unreadable_document", message)

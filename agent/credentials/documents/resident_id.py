"""Chinese resident ID numbers: what one must look like, and the one form that stands for it.

    18 characters   region 6 | birth YYYYMMDD | serial 3 | check      GB 11643, ISO 7064 MOD 11-2
    15 digits       region 6 | birth YYMMDD | serial 3                first generation, until 1999
    15 characters   country AAA | 12 digits                           foreigners' card of 2017

Residence permits of Hong Kong, Macau and Taiwan residents carry 18 characters that begin with 81,
82 and 83; the foreigners' card of 2023 carries 18 that begin with 9, a province and a country. The
region is advice only: codes were given up and made anew over the years, and who was born in one
that no longer exists keeps its number.

A number of 15 digits counts, as the 18 characters that it became: 19 before the year, the check
character behind. It had no check digit, so a slip of the pen goes unseen and ``check_digit`` says
so. Its serials 996 to 999 were for people born in another century; they are refused. The 2017
card's last digit is not checked either: no public standard defines it.

A number is never part of a message, a ``repr`` or an error.
"""

import re
import string
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from agent.domain.credential.id_document import DocumentKind
from agent.errors import RefusedError

_LONGEST = 64
_EARLIEST_BIRTH = date(1850, 1, 1)
_WHOLE = re.compile(r"[1-9][0-9]{16}[0-9X]")
_OLD = re.compile(r"[1-7][0-9]{14}")
_FOREIGNER_2017 = re.compile(r"[A-Z]{3}[0-9]{12}")
_OTHER_CENTURY = frozenset({"996", "997", "998", "999"})
_PROVINCES = frozenset(
    str(code)
    for codes in ((11, 16), (21, 24), (31, 38), (41, 47), (50, 55), (61, 66), (71, 72), (81, 84))
    for code in range(*codes)
)
_KINDS = {
    "81": DocumentKind.HONG_KONG,
    "82": DocumentKind.MACAU,
    "83": DocumentKind.TAIWAN,
}
# Full-width letters and digits, as Chinese keyboards type them, and the Roman ten for X. No more
# than these: Unicode's own rules would turn other signs into digits as well.
_NARROW = {0xFEE0 + ord(char): char for char in string.digits + string.ascii_uppercase}
_NARROW |= {0xFEE0 + ord(char): char.upper() for char in string.ascii_lowercase}
_NARROW |= {ord(char): char.upper() for char in string.ascii_lowercase}
_NARROW |= {0x2169: "X", 0x2179: "X"}


class NumberFault(StrEnum):
    """What is wrong with a number."""

    MALFORMED = "malformed"
    CHECK_DIGIT = "check_digit"
    BIRTH_DATE = "birth_date"


@dataclass(frozen=True, slots=True)
class ResidentIdVerdict:
    """What a number alone tells; nothing of it says to whom it was given, or that it was.

    ``check_digit``: it carries one, and it is right. ``region_known`` is advice.
    """

    fault: NumberFault | None
    kind: DocumentKind | None = None
    check_digit: bool = False
    region_known: bool = False

    @property
    def valid(self) -> bool:
        """Whether nothing speaks against it."""
        return self.fault is None


def check(number: str, today: date | None) -> ResidentIdVerdict:
    """What ``number``, however it was typed, is worth.

    ``today`` bounds the birth date; None where the clock is not trusted, and nothing bounds it.
    """
    text = _narrow(number)
    if _FOREIGNER_2017.fullmatch(text):
        return ResidentIdVerdict(None, DocumentKind.FOREIGNER)
    checked = _WHOLE.fullmatch(text) is not None
    if not checked:
        if not _OLD.fullmatch(text):
            return ResidentIdVerdict(NumberFault.MALFORMED)
        if text[12:] in _OTHER_CENTURY:
            return ResidentIdVerdict(NumberFault.BIRTH_DATE)
        text = _lengthen(text)
    if text[17] != check_character(text[:17]):
        return ResidentIdVerdict(NumberFault.CHECK_DIGIT)
    birth = _date(text[6:14])
    if birth is None or birth < _EARLIEST_BIRTH or (today is not None and birth > today):
        return ResidentIdVerdict(NumberFault.BIRTH_DATE)
    foreign = text[0] == "9"
    kind = DocumentKind.FOREIGNER if foreign else _KINDS.get(text[:2], DocumentKind.RESIDENT)
    province = text[1:3] if foreign else text[:2]
    return ResidentIdVerdict(None, kind, checked, province in _PROVINCES)


def canonical(number: str) -> str:
    """The one form of ``number``: narrow, upper case, without spaces, 18 characters where it can.

    Raises:
        RefusedError: ``id_number``: it cannot be an ID number. The message never quotes it.
    """
    fault = check(number, None).fault
    if fault is not None:
        raise refused(fault)
    text = _narrow(number)
    return _lengthen(text) if _OLD.fullmatch(text) else text


def refused(fault: NumberFault) -> RefusedError:
    """The refusal that names the fault and not the number."""
    said = {
        NumberFault.MALFORMED: "has neither 18 characters nor the form of an older one",
        NumberFault.CHECK_DIGIT: "does not fit its check character",
        NumberFault.BIRTH_DATE: "holds no possible date of birth",
    }[fault]
    fix = "compare it with the document, character by character"
    return RefusedError("id_number", f"the ID number {said}\nFix: {fix}")


def check_character(digits: str) -> str:
    """The last character for the 17 ``digits`` before it (ISO 7064 MOD 11-2)."""
    remainder = 0
    for digit in digits:
        remainder = (remainder + int(digit)) * 2 % 11
    return "0123456789X"[(12 - remainder) % 11]


def _narrow(number: str) -> str:
    if len(number) > _LONGEST:
        return ""
    return "".join(number.translate(_NARROW).split())


def _lengthen(old: str) -> str:
    digits = f"{old[:6]}19{old[6:]}"
    return digits + check_character(digits)


def _date(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None

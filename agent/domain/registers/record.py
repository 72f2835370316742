"""The record of a holder in the archive: what is kept beside what the gate decides by.

Category, validity and name are the ``Holder``'s, and the hash of the ID document stands with those
by which the gate finds holders; neither is told here again.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime

from agent.domain.credential.holder import HolderId
from agent.domain.credential.name import person_name
from agent.domain.registers.resident_code import ResidentCode

LONGEST_CONTACT, LONGEST_GRID = 100, 64
_NUMBERS = re.compile(r"\+?[0-9][0-9 ()/\-]{4,}")


@dataclass(frozen=True, slots=True)
class ArchiveConsent:
    """That somebody agreed to be kept: by which notice, when, and a guardian for a child."""

    notice: str
    at: datetime
    guardian: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    """What the archive has of a holder; nothing of it stays in ``repr``, in logs or in events."""

    code: ResidentCode | None = field(default=None, repr=False)
    contact: str | None = field(default=None, repr=False)
    grid: str | None = field(default=None, repr=False)
    consent: ArchiveConsent | None = field(default=None, repr=False)


NOTHING = Record()


@dataclass(frozen=True, slots=True)
class CategoryChange:
    """That a holder came from one category into another: when, by whom and why.

    ``why`` is None where nobody said, or where the key is not there to read it. ``undoes`` is the
    number of the change that this one took back.
    """

    number: int
    holder: HolderId
    was: str
    became: str
    at: datetime
    by: str
    why: str | None = field(repr=False)
    undoes: int | None = None


def contact_of(text: str) -> str:
    """A telephone number or another way to reach somebody, tidied as a name is.

    Full-width digits become plain, and a number loses what only divides it: it is found however it
    was written.

    Raises:
        ValueError: it is too long, or holds what no line of text may.
    """
    word = person_name(unicodedata.normalize("NFKC", text), longest=LONGEST_CONTACT)
    if _NUMBERS.fullmatch(word) is None:
        return word
    return re.sub(r"[^+0-9]", "", word)


def grid_of(text: str) -> str:
    """A grid's name.

    Raises:
        ValueError: it is too long, or holds what no line of text may.
    """
    return person_name(text, longest=LONGEST_GRID)

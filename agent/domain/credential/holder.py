"""The person a credential belongs to."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

HolderId = NewType("HolderId", str)
"""Opaque, 1 to 64 of ``A-Z a-z 0-9 . _ -``; never an ID number, because events carry it."""

HOLDER_ID_PATTERN = r"[A-Za-z0-9._-]{1,64}"
_HOLDER_ID = re.compile(HOLDER_ID_PATTERN)
_LONG_NUMBER = re.compile(r"\d{17}[\dXx]|\d{15}")


def parse_holder_id(text: str) -> HolderId:
    """``text`` as a holder's id.

    Raises:
        ValueError: it is malformed, or looks like a resident ID number.
    """
    if not _HOLDER_ID.fullmatch(text):
        raise ValueError("a holder id is 1 to 64 of A-Z a-z 0-9 . _ -")
    if _LONG_NUMBER.fullmatch(text):
        raise ValueError("a holder id is never an ID number: events and logs carry it")
    return HolderId(text)


NOTICE_RULE = "a notice's version is 1 to 64 of A-Z a-z 0-9 . _ -"


def is_notice(text: str) -> bool:
    """Whether ``text`` names the version of a notice, as ``NOTICE_RULE`` says."""
    return _HOLDER_ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Consent:
    """That a holder's face may leave one kiosk and enter another, by which notice, and since when.

    Where there is none, templates and photographs of them cross no network.
    """

    notice: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Holder:
    """A holder as the registry knows them; validity is ``valid_from <= now < valid_until``.

    The name is for the desk only and stays out of ``repr``: logs and errors print this class. It is
    sealed at rest, and None where the gallery's key is not there to open it; nothing is decided by
    it.
    """

    id: HolderId
    name: str | None = field(repr=False)
    category: str
    enabled: bool = True
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    consent: Consent | None = None

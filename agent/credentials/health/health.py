"""What checking a health certificate found: a value, step by step, that tells nothing of anybody.

The steps of both kinds in one row; None where a step does not exist for the kind, or was not
reached because an earlier one failed. A wrong signature ends nothing: times and rules are judged
all the same, so that the answer is complete, but the certificate is not valid.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from agent.credentials.errors import CredentialError
from agent.domain.credential.reason import Reason


class HealthKind(StrEnum):
    """The kinds of health certificates that are read."""

    EU_DCC = "eu_dcc"
    SMART_HEALTH_CARD = "smart_health_card"


@dataclass(frozen=True, slots=True, repr=False)
class Subject:
    """Whom a certificate is for, as it says; to be compared with the holder, never logged.

    ``birth_date`` is ISO 8601 and may lack the day, the month, or all.
    """

    family_name: str | None
    given_name: str | None
    birth_date: str | None


@dataclass(frozen=True, slots=True)
class HealthVerdict:
    """Whether a health certificate is valid, which steps it passed, and why it is refused.

    ``detail`` is a fixed phrase. ``subject`` is there only where the certificate is valid.
    """

    kind: HealthKind | None
    prefix: bool | None = None
    base45: bool | None = None
    zlib: bool | None = None
    cbor: bool | None = None
    cose: bool | None = None
    signature: bool | None = None
    valid_at: bool | None = None
    rules: bool | None = None
    valid: bool = False
    reason: Reason | None = None
    detail: str | None = None
    subject: Subject | None = field(default=None, repr=False, compare=False)

    def as_json(self) -> dict[str, Any]:
        """As ``gate-agent health verify --json`` prints it: without the subject."""
        return {
            each.name: getattr(self, each.name) for each in fields(self) if each.name != "subject"
        }


def refused(detail: str, kind: HealthKind | None = None) -> HealthVerdict:
    """A verdict on what could not even be begun."""
    return HealthVerdict(kind, reason=Reason.OTHER, detail=detail)


class Steps:
    """Notes which steps pass while a certificate is checked."""

    def __init__(self, kind: HealthKind | None) -> None:
        self._kind = kind
        self._results: dict[str, Any] = {}
        self._failure: CredentialError | None = None

    @contextmanager
    def must(self, step: str) -> Iterator[None]:
        """A step without which no further one can be tried; its error ends the check."""
        try:
            yield
        except CredentialError as error:
            self.note(step, error)
            raise
        self._results.setdefault(step, True)

    @contextmanager
    def judged(self, step: str) -> Iterator[None]:
        """A step after which the others can still be tried."""
        try:
            yield
        except CredentialError as error:
            self.note(step, error)
        else:
            self._results.setdefault(step, True)

    def fail(self, error: CredentialError) -> None:
        """A failure that belongs to no step of the row."""
        self._failure = self._failure or error

    def verdict(self, subject: Subject | None = None) -> HealthVerdict:
        """What was noted; the first failure is the reason."""
        failure = self._failure
        if failure is None:
            return HealthVerdict(self._kind, **self._results, valid=True, subject=subject)
        return HealthVerdict(
            self._kind, **self._results, reason=failure.reason, detail=failure.detail
        )

    def note(self, step: str, error: CredentialError) -> None:
        """That ``step`` failed."""
        self._results[step] = False
        self._failure = self._failure or error


def check_times(
    at: datetime, begin: datetime | None, end: datetime | None, *, end_included: bool, what: str
) -> None:
    """Whether ``at`` lies from ``begin`` to ``end``; ``what`` is a word for the detail.

    Raises:
        CredentialError: ``CredentialNotActive`` or ``CredentialExpired``.
    """
    if begin is not None and at < begin:
        raise CredentialError(Reason.CREDENTIAL_NOT_ACTIVE, f"time: {what} is not valid yet")
    if end is not None and (at > end or (at == end and not end_included)):
        raise CredentialError(Reason.CREDENTIAL_EXPIRED, f"time: {what} has expired")

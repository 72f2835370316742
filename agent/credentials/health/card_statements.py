"""What a SMART Health Card must state at least: one immunization or one laboratory result.

    Immunization    given on occurrenceDateTime
    Observation     taken at effectiveDateTime, or in effectivePeriod from start

Dates are FHIR's (R4, dateTime): YYYY, YYYY-MM, YYYY-MM-DD, or with a time and a zone. An entry
without one, or with one in a year that it cannot have, states nothing, and neither does one that
was not done or was entered in error. What the result says is not judged.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from agent.credentials.errors import CredentialError
from agent.domain.credential.reason import Reason
from agent.domain.hours.iso_time import read_moment, read_span

_FIRST_DAY = date(2020, 1, 1)
_ZONES = timedelta(days=1)
_NOT_SO = frozenset({"not-done", "entered-in-error", "cancelled"})
_LONGEST_DATE = 10


def check_statements(entries: Sequence[Any], at: datetime) -> None:
    """Whether ``entries`` of a bundle state something that lies before ``at``.

    Raises:
        CredentialError: ``HealthCertificateInvalid``: not one of them does.
    """
    stated = [each["resource"] for each in entries if _is_resource(each)]
    about = [resource for resource in stated if resource.get("resourceType") in _WHEN]
    if not about:
        raise _invalid("neither an immunization nor a laboratory result")
    latest = at.astimezone(UTC).date() + _ZONES
    if not any(_counts(resource, latest) for resource in about):
        raise _invalid("no immunization or laboratory result of a date that it can have")


def _is_resource(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("resource"), dict)


def _counts(resource: Mapping[str, Any], latest: date) -> bool:
    text = _WHEN[str(resource["resourceType"])](resource)
    if not isinstance(text, str) or resource.get("status") in _NOT_SO:
        return False
    try:
        first, last = read_span(text) if len(text) <= _LONGEST_DATE else _day_of(text)
    except (ValueError, OverflowError):
        return False
    # A year or a month is over only later: its first day has come, and its last is late enough.
    return first <= latest and last >= _FIRST_DAY


def _day_of(text: str) -> tuple[date, date]:
    day = read_moment(text).astimezone(UTC).date()
    return day, day


def _given(resource: Mapping[str, Any]) -> object:
    return resource.get("occurrenceDateTime")


def _taken(resource: Mapping[str, Any]) -> object:
    period = resource.get("effectivePeriod")
    start = period.get("start") if isinstance(period, dict) else None
    return resource.get("effectiveDateTime", start)


_WHEN: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "Immunization": _given,
    "Observation": _taken,
}


def _invalid(rule: str) -> CredentialError:
    return CredentialError(Reason.HEALTH_CERTIFICATE_INVALID, f"rules: {rule}")

"""What an EU DCC must state to be accepted: its schema first, then the gate's own rules.

    v   vaccination   dn of sd doses, given on dt
    t   test          type tt, sampled at sc, result tr
    r   recovery      first positive on fr, valid from df until du

One of the three, once. A signer's certificate may be restricted to some of them by its extended
key usage; the object ids stand in eHealth Network's certificate governance, in two spellings.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from agent.credentials.errors import CredentialError
from agent.credentials.formats import cbor
from agent.domain.credential.reason import Reason
from agent.domain.hours.iso_time import is_plausible, read_date, read_moment, read_span

_COVID_19 = "840539006"
_NOT_DETECTED = "260415000"
_NAAT, _ANTIGEN = "LP6464-4", "LP217198-3"
_USAGE_ROOTS = ("1.3.6.1.4.1.1847.2021.1.", "1.3.6.1.4.1.0.1847.2021.1.")
_USAGE = {"t": "1", "v": "2", "r": "3"}
_REQUIRED = {
    "v": ("tg", "vp", "mp", "ma", "dt", "co", "is", "ci"),
    "t": ("tg", "tt", "tr", "co", "is", "ci"),
    "r": ("tg", "fr", "co", "is", "df", "du", "ci"),
}
_BOOSTER_DOSE = 3
# Above it a number of seconds lies beyond the year 5000: it is meant in milliseconds.
_MILLISECONDS_FROM = 100_000_000_000
# Nobody was vaccinated, tested or recovered before; the schema's years of birth begin with 1900.
_FIRST_DAY, _FIRST_BIRTH = date(2020, 1, 1), date(1900, 1, 1)
# How far ahead of the day of the check a date may lie before its year must be another calendar's.
_STATED_AHEAD, _LASTING_AHEAD = timedelta(days=366), timedelta(days=20 * 366)
_NO_DATE = "a date that is none"
_DATE_CHARS = 10
_YEAR = re.compile(r"\d{4}", re.ASCII)

Entry = Mapping[object, cbor.Value]


@dataclass(frozen=True, slots=True)
class AcceptanceRules:
    """What a gate asks beyond the certificate's own statements; nothing by default.

    A vaccination's age counts from the last dose, a recovery's from the first positive test, a
    test's from the sample. ``None`` sets no limit. The greatest age of a vaccination does not
    bind booster doses.
    """

    complete_series: bool = False
    vaccination_min_days: int | None = None
    vaccination_max_days: int | None = None
    naat_max_hours: float | None = None
    antigen_max_hours: float | None = None
    recovery_min_days: int | None = None
    recovery_max_days: int | None = None


EU_TRAVEL = AcceptanceRules(
    complete_series=True,
    vaccination_min_days=14,
    vaccination_max_days=270,
    naat_max_hours=72,
    antigen_max_hours=24,
    recovery_min_days=11,
    recovery_max_days=180,
)
"""As for travel in the Union in 2022: Regulation (EU) 2021/953 with Delegated Regulation (EU)
2021/2288, and Council Recommendation (EU) 2022/107 for the ages of tests."""


def check_rules(
    certificate: Entry, usages: frozenset[str], at: datetime, rules: AcceptanceRules
) -> None:
    """Whether ``certificate`` is one that may be accepted at ``at``.

    ``usages`` are the extended key usages of its signer.

    Raises:
        CredentialError: ``HealthCertificateInvalid``, with the rule as its detail.
    """
    kind, entry = _only_entry(certificate)
    allowed = {usage for usage in usages if usage.startswith(_USAGE_ROOTS)}
    _require(
        not allowed or any(root + _USAGE[kind] in allowed for root in _USAGE_ROOTS),
        "the signer may not sign certificates of this type",
    )
    _require(entry.get("tg") == _COVID_19, "about another disease")
    _check_birth(certificate["dob"], at)
    _CHECKS[kind](entry, at, rules)


def _only_entry(certificate: Entry) -> tuple[str, Entry]:
    """The only entry and its type, once the whole is of the schema's form."""
    names = certificate.get("nam")
    well_formed = (
        _is_text(certificate.get("ver"))
        and isinstance(certificate.get("dob"), str)
        and isinstance(names, Mapping)
        and _is_text(names.get("fnt"))
    )
    _require(well_formed, "not of the certificate's schema")
    # An absent type may also be written as null or as an empty list.
    groups = {kind: certificate.get(kind) or () for kind in _REQUIRED}
    _require(
        all(isinstance(group, tuple) for group in groups.values()),
        "not of the certificate's schema",
    )
    entries = [(kind, entry) for kind, group in groups.items() for entry in group]
    _require(len(entries) == 1, "not exactly one vaccination, test or recovery")
    kind, entry = entries[0]
    _require(
        isinstance(entry, Mapping) and all(_is_text(entry.get(name)) for name in _REQUIRED[kind]),
        "not of the certificate's schema",
    )
    return kind, entry


def _vaccination(entry: Entry, at: datetime, rules: AcceptanceRules) -> None:
    doses, needed = _count(entry.get("dn")), _count(entry.get("sd"))
    age = _days_since(entry["dt"], at)
    _require(age >= 0, "the vaccination lies in the future")
    _require(not rules.complete_series or doses >= needed, "the series is not complete")
    _require(
        rules.vaccination_min_days is None or age >= rules.vaccination_min_days,
        "the vaccination is too recent",
    )
    booster = doses > needed or doses >= _BOOSTER_DOSE
    _require(
        rules.vaccination_max_days is None or booster or age <= rules.vaccination_max_days,
        "the vaccination is too long ago",
    )


def _test(entry: Entry, at: datetime, rules: AcceptanceRules) -> None:
    _require(entry["tr"] == _NOT_DETECTED, "the test is not negative")
    age = at - _moment(entry.get("sc"), at)
    _require(age >= timedelta(0), "the test lies in the future")
    limit_h = {_NAAT: rules.naat_max_hours, _ANTIGEN: rules.antigen_max_hours}
    if rules.naat_max_hours is not None or rules.antigen_max_hours is not None:
        _require(entry["tt"] in limit_h, "the test is of another type")
    limit = limit_h.get(entry["tt"])
    _require(limit is None or age <= timedelta(hours=limit), "the test is too old")


def _recovery(entry: Entry, at: datetime, rules: AcceptanceRules) -> None:
    today = at.astimezone(UTC).date()
    _require(
        _date(entry["df"], at, _LASTING_AHEAD) <= today,
        "the recovery does not count yet",
    )
    _require(
        today <= _date(entry["du"], at, _LASTING_AHEAD),
        "the recovery does not count any more",
    )
    age = _days_since(entry["fr"], at)
    _require(
        rules.recovery_min_days is None or age >= rules.recovery_min_days,
        "the recovery is too recent",
    )
    _require(
        rules.recovery_max_days is None or age <= rules.recovery_max_days,
        "the recovery is too long ago",
    )


_CHECKS: Mapping[str, Callable[[Entry, datetime, AcceptanceRules], None]] = {
    "v": _vaccination,
    "t": _test,
    "r": _recovery,
}


def _require(holds: bool, rule: str) -> None:  # noqa: FBT001 - it reads as a sentence
    if not holds:
        raise CredentialError(Reason.HEALTH_CERTIFICATE_INVALID, f"rules: {rule}")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _count(value: cbor.Value) -> int:
    _require(cbor.is_int(value) and value > 0, "not of the certificate's schema")
    return int(value)


def _days_since(text: str, at: datetime) -> int:
    return (at.astimezone(UTC).date() - _date(text, at, _STATED_AHEAD)).days


def _check_birth(text: str, at: datetime) -> None:
    """A birth in a year that nobody alive has is written in another calendar, or a slip.

    What is no date at all stays as its issuer wrote it: the schema lets it be empty, and nothing
    here is judged by it.
    """
    if _YEAR.match(text):
        last = at.astimezone(UTC).date() + timedelta(days=1)
        try:
            day, _ = read_span(text)
        except ValueError:
            year = int(text[:4])
            _require(_FIRST_BIRTH.year <= year <= last.year, _NO_DATE)
        else:
            _require(is_plausible(day, _FIRST_BIRTH, last), _NO_DATE)


def _date(text: str, at: datetime, ahead: timedelta) -> date:
    """A day; a time of day behind it, which some issuers write, is left out.

    One before the disease was known, or further ahead of ``at`` than ``ahead``, is no date.
    """
    try:
        day = read_date(text) if len(text) <= _DATE_CHARS else read_moment(text).date()
    except ValueError:
        raise _no_date() from None
    return _plausible(day, at, ahead)


def _moment(value: cbor.Value, at: datetime) -> datetime:
    """ISO 8601, UTC where it names no zone; a number counts seconds or milliseconds since 1970."""
    try:
        if isinstance(value, str):
            moment = read_moment(value)
        elif cbor.is_int(value):
            seconds = value / 1000 if value >= _MILLISECONDS_FROM else value
            moment = datetime.fromtimestamp(seconds, UTC)
        else:
            raise _no_date()
        day = moment.astimezone(UTC).date()
    except (ValueError, OverflowError, OSError):
        raise _no_date() from None
    _plausible(day, at, _STATED_AHEAD)
    return moment


def _plausible(day: date, at: datetime, ahead: timedelta) -> date:
    _require(is_plausible(day, _FIRST_DAY, at.astimezone(UTC).date() + ahead), _NO_DATE)
    return day


def _no_date() -> CredentialError:
    return CredentialError(Reason.HEALTH_CERTIFICATE_INVALID, f"rules: {_NO_DATE}")

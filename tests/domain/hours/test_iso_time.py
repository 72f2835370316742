"""Dates and times by the standards' grammar: what they allow is read, and nothing else is."""

from calendar import isleap
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.domain.hours.iso_time import is_plausible, read_date, read_moment, read_span

NOON = datetime(2021, 5, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2021-05-03T12:00:00Z",
        "2021-05-03t12:00:00z",
        "2021-05-03 12:00:00Z",
        "2021-05-03T12:00Z",
        "2021-05-03T12Z",
        "2021-05-03T14:00:00+2",
        "2021-05-03T14:00:00+02",
        "2021-05-03T14:00:00+0200",
        "2021-05-03T14:00:00+02:00",
        "2021-05-03T06:30:00-05:30",
        "2021-05-03T12:00:00-00:00",
        "2021-05-03T12:00:00.0Z",
        "2021-05-03T12:00:00,000000000000000000000Z",
        "2021-05-03T12:00:00.0000009Z",
        "2021-05-03T11:59:60Z",
        "20210503T120000Z",
        "20210503T1400+02",
        "2021-05-03T12:00:00",
    ],
)
def test_a_moment_is_read_in_every_form_of_the_standards(text: str) -> None:
    assert read_moment(text) == NOON


@pytest.mark.parametrize(
    "text",
    [
        "", "2021", "2021-05", "2021-05-0", "21-05-03T12:00:00Z", "2021-5-3", "2021-0503",
        "2021-05-03T", "2021-05-03X12:00:00Z", "2021-05-03T12:00:00+", "2021-05-03T12:00:00+24:00",
        "2021-05-03T12:00:00+02:60", "2021-05-03T12:00:00+02:0", "2021-05-03T12:00:00+2:00",
        "2021-05-03T12:00:00.Z", "2021-05-03T24:00:00Z", "2021-05-03T12:60:00Z",
        "2021-05-03T12:00:61Z", "2021-02-30", "2021-13-01", "0000-01-01", "2021-W18-1",
        "2021-05-03T12:0000Z", "2021-05-03T12:00:00Z ", " 2021-05-03", "2021-05-03T12:00:00ZZ",
        "٢٠٢١-٠٥-٠٣", "２０２１-05-03T12:00:00Z", "2021-05-03T12:00:00+02:00:00",
        "9999-12-31T23:59:60Z",
    ],
)  # fmt: skip
def test_what_no_standard_allows_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_moment(text)


def test_a_zone_is_the_callers_where_none_is_named() -> None:
    two = timezone(timedelta(hours=2))
    assert read_moment("2021-05-03T14:00", two) == NOON
    assert read_moment("2021-05-03", two).isoformat() == "2021-05-03T00:00:00+02:00"
    assert read_moment("2021-05-03T14:00", None).tzinfo is None
    assert read_moment("2021-05-03T12:00z", None) == NOON


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2021", date(2021, 1, 1), date(2021, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2021-05-03", date(2021, 5, 3), date(2021, 5, 3)),
    ],
)
def test_a_date_in_part_is_all_its_days(text: str, first: date, last: date) -> None:
    assert read_span(text) == (first, last)


@pytest.mark.parametrize("text", ["", "21", "2021-", "2021-13", "2021-00", "0000", "202105"])
def test_what_is_no_date_in_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_span(text)


OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timedelta(minutes=minutes))


@given(
    st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31)),  # noqa: DTZ001 - a zone is drawn
    OFFSETS,
    st.sampled_from("Tt "),
    st.text("0123456789", max_size=12),
    st.booleans(),
)
def test_whatever_is_written_by_the_grammar_comes_back(
    naive: datetime, offset: timedelta, separator: str, more: str, colons
) -> None:
    moment = naive.replace(tzinfo=timezone(offset))
    sign, minutes = "-" if offset < timedelta(0) else "+", abs(offset) // timedelta(minutes=1)
    zone = f"{sign}{minutes // 60:02d}{':' if colons else ''}{minutes % 60:02d}"
    text = f"{naive:%m-%dT%H:%M:%S.%f}{more}{zone}".replace("T", separator)
    assert read_moment(f"{naive.year:04d}-{text}") == moment
    assert read_date(f"{naive.year:04d}-{naive:%m-%d}") == naive.date()


@given(st.text() | st.from_regex(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}[Tt ]?[0-9:.,zZ+-]{0,20}"))
@example("2021-05-03T12:00:00+0")
def test_any_text_is_a_moment_or_a_value_error(text: str) -> None:
    for read in (read_moment, read_span, read_date):
        try:
            read(text)
        except ValueError:
            continue


@given(st.integers(1, 9999), st.integers(1, 12))
def test_a_month_ends_with_its_last_day(year: int, month: int) -> None:
    first, last = read_span(f"{year:04d}-{month:02d}")
    assert first.day == 1
    assert last.day in ((28 + isleap(year),) if month == 2 else (30, 31))


def test_only_the_distance_tells_another_calendar() -> None:
    span = date(2020, 1, 1), date(2027, 1, 1)
    for year, there in ((2021, True), (2020, True), (2019, False), (2564, False), (1442, False)):
        assert is_plausible(date(year, 6, 1), *span) is there

"""The days of a holiday: one form each, and nothing that is in no calendar."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.hours.holidays import DateRange, Holiday, Yearly, parse_days


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("2027-01-01", ["2027-01-01"], ["2026-12-31", "2027-01-02", "2028-01-01"]),
        (
            "2027-02-06/2027-02-12",
            ["2027-02-06", "2027-02-09", "2027-02-12"],
            ["2027-02-05", "2027-02-13", "2028-02-09"],
        ),
        ("05-01", ["2026-05-01", "2027-05-01"], ["2026-04-30", "2026-05-02"]),
        ("02-29", ["2028-02-29"], ["2027-02-28", "2027-03-01"]),
        (
            "12-24/01-02",
            ["2026-12-24", "2026-12-31", "2027-01-01", "2027-01-02"],
            ["2026-12-23", "2027-01-03", "2027-07-01"],
        ),
        ("07-01/07-31", ["2026-07-01", "2030-07-31"], ["2026-06-30", "2026-08-01"]),
    ],
)
def test_a_text_names_its_days(text, inside, outside) -> None:
    holiday = Holiday("some", (parse_days(text),))
    assert all(holiday.includes(date.fromisoformat(day)) for day in inside)
    assert not any(holiday.includes(date.fromisoformat(day)) for day in outside)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2027-02-30", "is in no calendar"),
        ("2027-02-29", "is in no calendar"),
        ("13-01", "is in no calendar"),
        ("00-10", "is in no calendar"),
        ("2027-02-12/2027-02-06", "ends before it begins"),
        ("2027-02-12/02-14", "mixes a date with a day of every year"),
        ("1027-02-12", "is not in 2000 to 2199"),
        ("2027-1-1", "is no day"),
        ("--05-01", "is no day"),
        ("20270101", "is no day"),
        ("2027-01-01/", "is no day"),
        ("2027-01-01/2027-01-02/2027-01-03", "is no day"),
        ("", "is no day"),
        ("٢٠٢٧-٠١-٠١", "is no day"),
        ("Christmas", "is no day"),
    ],
)
def test_a_text_that_is_no_day_says_why(text, message) -> None:
    with pytest.raises(ValueError, match=message):
        parse_days(text)


@given(st.text(alphabet="0123456789-/T: ", max_size=24))
def test_any_text_is_days_or_refused(text) -> None:
    try:
        days = parse_days(text)
    except ValueError:
        return
    assert isinstance(days, DateRange | Yearly)


@given(st.dates(date(2000, 1, 1), date(2199, 12, 31)), st.dates(date(2000, 1, 1), date(2199, 1, 1)))
def test_a_range_includes_its_ends_and_what_is_between(one, other) -> None:
    first, last = sorted((one, other))
    days = parse_days(f"{first}/{last}")
    assert days.includes(first)
    assert days.includes(last)
    assert days.includes(first + (last - first) / 2)
    yearly = parse_days(f"{first:%m-%d}/{last:%m-%d}")
    assert yearly.includes(first)
    assert yearly.includes(last)

"""What the desk types, and what two candidates make of a face."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from agent.domain.credential.holder import HolderId
from agent.domain.credential.reason import Reason
from agent.domain.sight.track import Box, Candidate
from agent.errors import EnrolmentRefusedError, RefusedError
from agent.operations.moments import parse_bound
from agent.operations.people.enrol import make_holder
from agent.operations.people.identify import Bar, judge

SHANGHAI = ZoneInfo("Asia/Shanghai")
BOX = Box(1, 2, 3, 4)
ANN, BOB = HolderId("ann"), HolderId("bob")
BAR = Bar(threshold=-0.5, margin=0.03, too_close=lambda _: False)


@pytest.mark.parametrize(
    ("text", "ends", "expected"),
    [
        ("2026-12-31", False, datetime(2026, 12, 30, 16, tzinfo=UTC)),
        ("2026-12-31", True, datetime(2026, 12, 31, 16, tzinfo=UTC)),
        ("2026-12-31T18:00", True, datetime(2026, 12, 31, 10, tzinfo=UTC)),
        ("2026-12-31 18:00:30", False, datetime(2026, 12, 31, 10, 0, 30, tzinfo=UTC)),
        ("2026-12-31T18:00+00:00", True, datetime(2026, 12, 31, 18, tzinfo=UTC)),
        ("2026-12-31T18:00Z", True, datetime(2026, 12, 31, 18, tzinfo=UTC)),
        ("none", True, None),
    ],
)
def test_a_moment_is_read_as_people_mean_it(
    text: str, expected: datetime | None, *, ends: bool
) -> None:
    assert parse_bound(text, SHANGHAI, ends=ends) == expected


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-02-30", "9999-12-31", "12:00", "1"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parse_bound(text, SHANGHAI, ends=True)
    assert refused.value.reason == "validity"
    assert "Fix: " in str(refused.value)


@pytest.mark.parametrize(
    ("holder", "name", "category", "reason"),
    [
        ("11010519491231002X", "Ann", "resident", "holder_id"),
        ("../ann", "Ann", "resident", "holder_id"),
        ("", "Ann", "resident", "holder_id"),
        ("ann", " ", "resident", "holder_name"),
        ("ann", "Ann\x1b[2J", "resident", "holder_name"),
        ("ann", "A" * 201, "resident", "holder_name"),
        ("ann", "Ann", "resi dent", "category"),
    ],
)
def test_a_malformed_holder_is_refused(holder: str, name: str, category: str, reason: str) -> None:
    with pytest.raises(EnrolmentRefusedError) as refused:
        make_holder(holder, name, category)
    assert refused.value.reason == reason


def test_a_validity_that_ends_before_it_begins_is_refused() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(EnrolmentRefusedError) as refused:
        make_holder("ann", "Ann", "resident", valid_from=moment, valid_until=moment)
    assert refused.value.reason == "validity"


def test_a_name_of_any_script_is_kept() -> None:
    assert make_holder("ann", " 王小明 ", "resident").name == "王小明"


@pytest.mark.parametrize(
    ("best", "runner_up", "holder", "reason"),
    [
        (None, None, None, Reason.NO_MATCH),
        (Candidate(ANN, -0.51), None, None, Reason.NO_MATCH),
        (Candidate(ANN, -0.5), None, ANN, None),
        (Candidate(ANN, -0.45), Candidate(BOB, -0.49), ANN, None),
        (Candidate(ANN, -0.45), Candidate(BOB, -0.47), None, Reason.AMBIGUOUS),
        # Below the threshold nobody is named, however near two holders are to each other.
        (Candidate(ANN, -0.6), Candidate(BOB, -0.6), None, Reason.NO_MATCH),
    ],
)
def test_a_face_is_somebody_only_above_threshold_and_margin(
    best: Candidate | None,
    runner_up: Candidate | None,
    holder: HolderId | None,
    reason: Reason | None,
) -> None:
    found = judge(BOX, best, runner_up, BAR)
    assert (found.holder, found.reason) == (holder, reason)
    assert found.score == (best and best.score)
    assert found.runner_up_score == (runner_up and runner_up.score)


def test_a_holder_too_close_to_another_is_never_named() -> None:
    bar = Bar(BAR.threshold, BAR.margin, frozenset({ANN}).__contains__)
    assert judge(BOX, Candidate(ANN, -0.1), None, bar).reason is Reason.AMBIGUOUS
    assert judge(BOX, Candidate(BOB, -0.1), None, bar).holder == BOB


def test_a_face_has_exactly_the_promised_keys() -> None:
    shown = judge(BOX, Candidate(ANN, -0.25), Candidate(BOB, -0.75), BAR).as_json()
    assert shown == {
        "box": [1, 2, 3, 4],
        "holder": "ann",
        "score": -0.25,
        "runner_up_score": -0.75,
        "reason": None,
    }

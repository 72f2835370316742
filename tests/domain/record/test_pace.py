"""A backlog's pace: never more than the config says, slower where the answers come late."""

from hypothesis import given
from hypothesis import strategies as st

from agent.domain.record.pace import LATE_S, LEAST_PER_S, Pace


class Time:
    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


@given(
    st.floats(0.1, 1000.0),
    st.lists(st.tuples(st.floats(0.0, 5.0), st.floats(0.0, 5.0)), max_size=60),
)
def test_whatever_is_answered_no_more_go_than_the_config_says(
    per_s: float, steps: list[tuple[float, float]]
) -> None:
    time = Time()
    pace = Pace(per_s, time)
    began_s, gone = time.s, 0
    for passed_s, answered_s in steps:
        time.s += passed_s
        count = pace.allowance
        assert count >= 0
        pace.took(count)
        gone += count
        pace.answered(answered_s)
        assert min(LEAST_PER_S, per_s) <= pace.per_s <= per_s
        assert gone <= (time.s - began_s) * per_s + 1.0
        assert pace.wait_s > 0.0


def test_late_answers_halve_it_once_a_second_and_timely_ones_raise_it_by_one_a_second() -> None:
    time = Time()
    pace = Pace(40.0, time)
    time.s += 2.0
    for _ in range(30):
        pace.answered(LATE_S + 0.1)
    assert pace.per_s == 20.0
    time.s += LATE_S
    pace.answered(LATE_S + 0.1)
    assert pace.per_s == 10.0
    for _ in range(10):
        pace.answered(0.1)
    assert 10.9 < pace.per_s < 11.0
    for _ in range(10_000):
        pace.answered(0.1)
    assert pace.per_s == 40.0


def test_it_never_stops() -> None:
    time = Time()
    pace = Pace(40.0, time)
    for _ in range(50):
        time.s += 2.0
        pace.answered(60.0)
    assert pace.per_s == LEAST_PER_S
    time.s += 1.0
    assert pace.allowance == 1


def test_without_a_pace_as_many_go_as_there_are() -> None:
    pace = Pace(0.0, Time())
    assert pace.allowance > 100_000
    pace.took(50)
    pace.answered(99.0)
    assert pace.allowance > 100_000
    assert pace.wait_s == 0.0

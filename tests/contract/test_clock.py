"""One suite for every ``ports.Clock``: the system's, and the one that a test moves."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC

import pytest

from agent.adapters.clock import SystemClock
from agent.adapters.manual_clock import ManualClock
from agent.ports import Clock

PATIENCE_S = 60.0


@dataclass
class Subject:
    clock: Clock
    pass_s: Callable[[float], None]
    """Lets at least so many seconds pass."""


@pytest.fixture(params=["system", "manual"])
def subject(request: pytest.FixtureRequest) -> Subject:
    if request.param == "system":
        return Subject(SystemClock(), time.sleep)
    manual = ManualClock()
    return Subject(manual, manual.advance)


def until(subject: Subject, happened: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not happened() and time.monotonic() < end_s:
        subject.pass_s(0.01)
    assert happened()


def test_monotonic_time_never_steps_back(subject: Subject) -> None:
    before = subject.clock.now()
    subject.pass_s(0.01)
    after = subject.clock.now()
    assert after.monotonic_s >= before.monotonic_s + 0.009


def test_the_time_of_day_is_utc(subject: Subject) -> None:
    assert subject.clock.now().utc.tzinfo is UTC


def test_a_timer_fires_once_and_not_before_its_time(subject: Subject) -> None:
    fired: list[float] = []
    start_s = subject.clock.now().monotonic_s
    subject.clock.after(0.05, lambda: fired.append(subject.clock.now().monotonic_s))
    assert fired == []
    until(subject, lambda: bool(fired))
    subject.pass_s(0.1)
    assert len(fired) == 1
    assert fired[0] - start_s >= 0.049


def test_timers_fire_in_order_of_their_time(subject: Subject) -> None:
    fired: list[str] = []
    subject.clock.after(0.09, lambda: fired.append("third"))
    subject.clock.after(0.03, lambda: fired.append("first"))
    subject.clock.after(0.06, lambda: fired.append("second"))
    until(subject, lambda: len(fired) == 3)
    assert fired == ["first", "second", "third"]


def test_a_cancelled_timer_never_fires_and_spares_the_others(subject: Subject) -> None:
    fired: list[str] = []
    cancel = subject.clock.after(0.03, lambda: fired.append("cancelled"))
    subject.clock.after(0.06, lambda: fired.append("kept"))
    cancel()
    cancel()
    until(subject, lambda: bool(fired))
    assert fired == ["kept"]


def test_a_cancel_after_the_call_does_nothing(subject: Subject) -> None:
    fired: list[str] = []
    cancel = subject.clock.after(0.0, lambda: fired.append("once"))
    until(subject, lambda: bool(fired))
    cancel()
    subject.clock.after(0.0, lambda: fired.append("again"))
    until(subject, lambda: len(fired) == 2)


def test_a_timer_may_set_and_cancel_timers(subject: Subject) -> None:
    fired: list[str] = []
    cancel = subject.clock.after(0.2, lambda: fired.append("never"))

    def first() -> None:
        fired.append("first")
        cancel()
        subject.clock.after(0.02, lambda: fired.append("second"))

    subject.clock.after(0.02, first)
    until(subject, lambda: len(fired) >= 2)
    subject.pass_s(0.3)
    assert fired == ["first", "second"]


def test_timers_may_be_set_from_many_threads() -> None:
    clock = SystemClock()
    fired: list[int] = []
    threads = [
        threading.Thread(
            target=lambda number=number: clock.after(0.02, lambda: fired.append(number))
        )
        for number in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    until(Subject(clock, time.sleep), lambda: len(fired) == 50)
    assert sorted(fired) == list(range(50))

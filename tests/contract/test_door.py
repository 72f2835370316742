"""One suite for every ``ports.Door``: gpiozero's mock pins, and pins that outlive the process."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.adapters.manual_clock import ManualClock
from agent.adapters.pins.door import GpioDoor, open_pins
from agent.config.base import PinFactory
from agent.errors import UnavailableError
from agent.ports import Door

PIN = 17
MAXIMUM_S = 4.0


@dataclass
class Subject:
    door: Door
    clock: ManualClock
    energised: Callable[[], bool]


def open_subject(kind: PinFactory, folder: Path, *, active_high: bool) -> Subject:
    clock = ManualClock()
    pins: Any = open_pins(kind, folder / "header.pins" if kind == "simulated" else None)
    door = GpioDoor(pins, PIN, active_high=active_high, max_pulse_s=MAXIMUM_S, clock=clock)
    return Subject(door, clock, lambda: bool(pins.pin(f"GPIO{PIN}").state) is active_high)


@pytest.fixture(params=[True, False], ids=["active_high", "active_low"])
def active_high(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(
    params=["mock", "simulated", pytest.param("lgpio", marks=pytest.mark.hardware)],
)
def kind(request: pytest.FixtureRequest) -> PinFactory:
    chosen: PinFactory = request.param
    if chosen == "lgpio" and os.environ.get("GATE_AGENT_TEST_RELAY") != str(PIN):
        pytest.skip(
            f"moves a real relay: GATE_AGENT_TEST_RELAY={PIN} says one is there and may move"
        )
    return chosen


@pytest.fixture
def subject(kind: PinFactory, tmp_path: Path, *, active_high: bool) -> Iterator[Subject]:
    opened = open_subject(kind, tmp_path, active_high=active_high)
    yield opened
    opened.door.close()


def test_it_starts_at_rest(subject: Subject) -> None:
    assert not subject.energised()


def test_a_release_energises_until_its_pulse_is_over(subject: Subject) -> None:
    subject.door.release(2.0)
    assert subject.energised()
    subject.clock.advance(1.99)
    assert subject.energised()
    subject.clock.advance(0.01)
    assert not subject.energised()


@pytest.mark.parametrize("pulse_s", [4.0, 4.5, 60.0, float("inf")])
def test_no_pulse_passes_the_maximum(subject: Subject, pulse_s: float) -> None:
    subject.door.release(pulse_s)
    subject.clock.advance(3.99)
    assert subject.energised()
    subject.clock.advance(0.01)
    assert not subject.energised()


@pytest.mark.parametrize("pulse_s", [0.0, -1.0, float("-inf"), float("nan")])
def test_what_is_no_positive_time_secures(subject: Subject, pulse_s: float) -> None:
    subject.door.release(3.0)
    subject.door.release(pulse_s)
    assert not subject.energised()


def test_a_second_release_renews_the_pulse(subject: Subject) -> None:
    subject.door.release(1.0)
    subject.clock.advance(0.9)
    subject.door.release(1.0)
    subject.clock.advance(0.9)
    assert subject.energised()
    subject.clock.advance(0.11)
    assert not subject.energised()


def test_releases_in_a_row_never_pass_the_first_ones_maximum(subject: Subject) -> None:
    for _ in range(7):
        subject.door.release(2.0)
        assert subject.energised()
        subject.clock.advance(0.5)
    subject.door.release(2.0)
    subject.clock.advance(0.49)
    assert subject.energised()
    subject.clock.advance(0.02)
    assert not subject.energised()


def test_after_the_maximum_a_new_pulse_is_a_whole_one(subject: Subject) -> None:
    subject.door.release(60.0)
    subject.clock.advance(MAXIMUM_S)
    subject.door.release(3.0)
    subject.clock.advance(2.99)
    assert subject.energised()
    subject.clock.advance(0.02)
    assert not subject.energised()


def test_secure_ends_a_pulse_at_once_and_may_be_called_at_any_time(subject: Subject) -> None:
    subject.door.secure()
    subject.door.release(3.0)
    subject.door.secure()
    assert not subject.energised()
    subject.door.secure()
    assert not subject.energised()


def test_the_timer_of_a_secured_pulse_does_not_cut_the_next_one(subject: Subject) -> None:
    subject.door.release(3.0)
    subject.clock.advance(2.0)
    subject.door.secure()
    subject.door.release(3.0)
    subject.clock.advance(2.0)
    assert subject.energised()


def test_close_secures_and_may_be_called_twice(
    kind: PinFactory, tmp_path: Path, *, active_high: bool
) -> None:
    clock = ManualClock()
    pins: Any = open_pins(kind, tmp_path / "header.pins" if kind == "simulated" else None)
    pin = pins.pin(f"GPIO{PIN}")
    door = GpioDoor(pins, PIN, active_high=active_high, max_pulse_s=MAXIMUM_S, clock=clock)
    door.release(3.0)
    door.close()
    if kind != "lgpio":
        # A pin that is let go may fall to its pull; the last thing driven was rest.
        assert (not active_high) in [bool(state.state) for state in pin.states][-2:]
    assert clock.waiting == 0
    door.close()
    door.secure()
    with pytest.raises(UnavailableError, match="closed"):
        door.release(1.0)


MOVES = st.one_of(
    st.tuples(st.just("release"), st.floats(0.01, 10.0)),
    st.tuples(st.just("advance"), st.floats(0.0, 6.0)),
    st.tuples(st.just("secure"), st.just(0.0)),
)


@given(moves=st.lists(MOVES, max_size=30))
@settings(max_examples=100, deadline=None)
def test_however_it_is_driven_it_rests_within_the_maximum(moves: list[tuple[str, float]]) -> None:
    subject = open_subject("mock", Path(), active_high=True)
    energised_s: float | None = None
    for move, seconds in moves:
        before = subject.energised()
        if move == "release":
            subject.door.release(seconds)
        elif move == "secure":
            subject.door.secure()
        else:
            for _ in range(40):
                subject.clock.advance(seconds / 40)
                if not subject.energised():
                    energised_s = None
        now_s = subject.clock.now().monotonic_s
        if not subject.energised():
            energised_s = None
        elif not before or energised_s is None:
            energised_s = now_s
        assert energised_s is None or now_s - energised_s <= MAXIMUM_S + 1e-6
        # On with nothing to turn it off: never.
        assert not subject.energised() or subject.clock.waiting == 1

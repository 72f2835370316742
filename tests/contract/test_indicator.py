"""One suite for every ``ports.Indicator``: what is seen and heard, on the pins themselves."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from agent.adapters.gpio import open_pins
from agent.adapters.gpio_indicator import GpioIndicator, IndicatorPins
from agent.adapters.simulators.clock import ManualClock
from agent.adapters.simulators.pins import PinBank
from agent.domain.indication import Indication, Outcome
from agent.domain.reason import Reason
from agent.errors import UnavailableError
from agent.ports import Indicator

RED, GREEN, BUZZER = 23, 24, 25
WAITING = Indication("north-entry", Outcome.WAITING, ("face",))
GRANTED = Indication("north-entry", Outcome.GRANTED)
DENIED = Indication("north-entry", Outcome.DENIED)


class Stage:
    """An indicator, its clock, and an eye on its pins: red, green, buzzer."""

    def __init__(self, indicator: Indicator, clock: ManualClock, level: Callable[[int], bool]):
        self.indicator, self.clock, self._level = indicator, clock, level

    def seen(self) -> tuple[bool, bool, bool]:
        red, green, buzzer = (self._level(pin) for pin in (RED, GREEN, BUZZER))
        return red, green, buzzer

    def beeps(self, seconds: float) -> int:
        count, before = 0, False
        for _ in range(round(seconds / 0.01)):
            now = self.seen()[2]
            count += now and not before
            before = now
            self.clock.advance(0.01)
        return count


@pytest.fixture(params=["mock", "simulated", "active low"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    clock, high = ManualClock(), request.param != "active low"
    wanted = IndicatorPins(RED, GREEN, BUZZER, active_high=high)
    if request.param == "simulated":
        factory = open_pins("simulated", tmp_path / "pins.bin")
        bank = PinBank(tmp_path / "pins.bin")
        level: Callable[[int], bool] = lambda pin: bool(bank.level(pin))  # noqa: E731 - one of two
    else:
        factory = open_pins("mock")
        level = lambda pin: bool(factory.pin(pin).state) is high  # noqa: E731 - one of two
    indicator = GpioIndicator(factory, wanted, clock)
    yield Stage(indicator, clock, level)
    indicator.close()
    factory.close()


DARK = (False, False, False)


def test_it_starts_dark_and_silent(stage: Stage) -> None:
    assert stage.seen() == DARK


def test_waiting_is_amber_and_silent_until_the_outcome(stage: Stage) -> None:
    stage.indicator.show(WAITING)
    assert stage.seen() == (True, True, False)
    assert stage.beeps(15) == 0
    assert stage.seen() == (True, True, False)
    stage.clock.advance(200)
    assert stage.seen() == DARK


@pytest.mark.parametrize(
    ("indication", "lights", "beeps"), [(GRANTED, (False, True), 1), (DENIED, (True, False), 2)]
)
def test_an_outcome_is_seen_and_heard_and_goes(stage: Stage, indication, lights, beeps) -> None:
    stage.indicator.show(indication)
    assert stage.seen()[:2] == lights
    assert stage.beeps(1) == beeps
    assert stage.seen() == (*lights, False)
    stage.clock.advance(3)
    assert stage.seen() == DARK


def test_the_newest_word_stands(stage: Stage) -> None:
    stage.indicator.show(DENIED)
    stage.clock.advance(0.05)
    stage.indicator.show(GRANTED)
    assert stage.seen()[:2] == (False, True)
    assert stage.beeps(1) == 1
    stage.clock.advance(1.5)
    stage.indicator.show(WAITING)
    stage.clock.advance(2)
    assert stage.seen() == (True, True, False)


def test_why_somebody_was_denied_is_not_to_be_seen(stage: Stage) -> None:
    seen = set()
    for reason in Reason:
        stage.indicator.show(Indication("north-entry", Outcome.DENIED, reason=reason))
        seen.add((*stage.seen()[:2], stage.beeps(1)))
        stage.clock.advance(5)
    assert seen == {(True, False, 2)}


def test_closed_it_is_dark_and_stays_so(stage: Stage) -> None:
    stage.indicator.show(DENIED)
    stage.indicator.close()
    stage.indicator.close()
    stage.indicator.show(GRANTED)
    stage.clock.advance(5)


def test_a_pin_that_another_has_is_refused_and_the_others_let_go() -> None:
    factory = MockFactory()
    first = GpioIndicator(factory, IndicatorPins(buzzer=BUZZER), ManualClock())
    with pytest.raises(UnavailableError, match=f"GPIO {BUZZER}"):
        GpioIndicator(factory, IndicatorPins(RED, GREEN, BUZZER), ManualClock())
    GpioIndicator(factory, IndicatorPins(RED, GREEN), ManualClock()).close()
    first.close()
    factory.close()


def test_a_light_may_be_left_out() -> None:
    factory = MockFactory()
    indicator = GpioIndicator(factory, IndicatorPins(green=GREEN), ManualClock())
    indicator.show(DENIED)
    assert not factory.pin(GREEN).state
    indicator.show(GRANTED)
    assert factory.pin(GREEN).state
    indicator.close()
    factory.close()

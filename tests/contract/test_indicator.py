"""One suite for every ``ports.Indicator``: lights on their pins, a voice at its loudspeaker."""

from collections.abc import Hashable, Iterator
from pathlib import Path

import pytest
from indicator_parts import (
    BLUE,
    BUZZER,
    DENIED,
    GRANTED,
    GREEN,
    RED,
    WAITING,
    Lights,
    Stage,
    Voice,
)

from agent.adapters.pins.door import open_pins
from agent.adapters.pins.indicator import GpioIndicator, IndicatorPins
from agent.adapters.pins.simulated import PinBank
from agent.domain.access.hints import HINTS, Hint
from agent.domain.access.indication import Indication, Outcome, Standing
from agent.domain.credential.reason import Reason


@pytest.fixture(params=["mock", "simulated", "active low", "voice"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    if request.param == "voice":
        voice = Voice()
        yield voice
        voice.close()
        return
    high = request.param != "active low"
    wanted = IndicatorPins(RED, GREEN, BUZZER, active_high=high, blue=BLUE)
    if request.param == "simulated":
        factory = open_pins("simulated", tmp_path / "pins.bin")
        bank = PinBank(tmp_path / "pins.bin")
        stage = Lights(factory, lambda pin: bool(bank.level(pin)), wanted)
    else:
        factory = open_pins("mock")
        stage = Lights(factory, lambda pin: bool(factory.pin(pin).state) is high, wanted)
    yield stage
    stage.indicator.close()
    factory.close()


@pytest.fixture
def nothing(stage: Stage) -> Hashable:
    """What is told before anything was said."""
    return stage.told()


def test_every_outcome_is_told_apart_and_ends(stage: Stage, nothing: Hashable) -> None:
    told = set()
    for indication in (WAITING, GRANTED, DENIED):
        stage.indicator.show(indication)
        told.add(stage.told())
        stage.later()
        assert stage.told() == nothing
    assert len(told - {nothing}) == 3


def test_the_newest_word_stands(stage: Stage) -> None:
    stage.indicator.show(GRANTED)
    granted = stage.told()
    stage.later()
    stage.indicator.show(DENIED)
    stage.indicator.show(WAITING)
    stage.indicator.show(GRANTED)
    assert stage.told() == granted


def test_every_standing_is_told_apart(stage: Stage, nothing: Hashable) -> None:
    told = set()
    for standing in Standing:
        if standing is not Standing.READY:
            stage.indicator.stand(standing)
            told.add(stage.told())
    assert len(told - {nothing}) == len(Standing) - 1


def test_a_gate_that_is_ready_is_told_as_such_after_all_others(stage: Stage) -> None:
    stage.indicator.stand(Standing.READY)
    ready = stage.told()
    for standing in Standing:
        stage.indicator.stand(standing)
        stage.told()
        stage.indicator.stand(Standing.READY)
        assert stage.told() == ready


def test_a_standing_that_ended_meanwhile_does_not_come_back(stage: Stage) -> None:
    stage.indicator.stand(Standing.READY)
    ready = stage.told()
    stage.indicator.stand(Standing.FREE_PASSAGE)
    stage.indicator.show(GRANTED)
    stage.indicator.stand(Standing.READY)
    stage.later()
    assert stage.told() == ready


def test_of_why_somebody_was_denied_little_is_told(stage: Stage) -> None:
    told: dict[Reason, Hashable] = {}
    for reason in Reason:
        stage.indicator.show(Indication("north-entry", Outcome.DENIED, reason=reason))
        told[reason] = stage.told()
        stage.later()
    assert len(set(told.values())) <= stage.apart
    # Whoever was recognised and refused is told the same, whatever for.
    refused = {told[reason] for reason, hint in HINTS.items() if hint is Hint.SEE_ATTENDANT}
    assert len(refused) == 1


def test_closed_it_tells_nothing_more(stage: Stage) -> None:
    stage.indicator.show(DENIED)
    stage.indicator.close()
    stage.indicator.close()
    stage.indicator.show(GRANTED)
    stage.indicator.stand(Standing.ALARM)
    if not isinstance(stage.indicator, GpioIndicator):  # whose pins are no longer its own
        assert stage.told() == ()

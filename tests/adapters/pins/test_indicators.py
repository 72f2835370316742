"""What is seen of the lights, to the quarter of a second, and heard of the voice, in what order."""

from collections.abc import Callable, Iterator

import pytest
from gpiozero.pins.mock import MockFactory
from indicator_parts import (
    BLUE,
    BUZZER,
    DENIED,
    GRANTED,
    GREEN,
    RED,
    RGB,
    WAITING,
    Lights,
    Voice,
)
from mosquitto import wait_until

from agent.adapters.manual_clock import ManualClock
from agent.adapters.pins.door import open_pins
from agent.adapters.pins.indicator import GpioIndicator, IndicatorPins
from agent.domain.access.indication import Indication, Standing
from agent.domain.access.signs import Before, Guidance
from agent.errors import UnavailableError


@pytest.fixture
def lights() -> Iterator[Lights]:
    factory = open_pins("mock")
    stage = Lights(factory, lambda pin: bool(factory.pin(pin).state))
    yield stage
    stage.indicator.close()
    factory.close()


@pytest.fixture
def voice() -> Iterator[Voice]:
    voice = Voice()
    yield voice
    voice.close()


# --- lights --------------------------------------------------------------------------------------


def test_they_start_dark_and_silent(lights: Lights) -> None:
    assert set(lights.told()) == {(False, False, False, False)}


def test_waiting_is_amber_and_silent_until_its_window_closes(lights: Lights) -> None:
    lights.indicator.show(WAITING)
    assert lights.beeps(15) == 0
    assert lights.lit() == "RG"
    lights.clock.advance(200)
    assert lights.lit() == ""


@pytest.mark.parametrize(("indication", "lit", "beeps"), [(GRANTED, "G", 1), (DENIED, "R", 2)])
def test_an_outcome_is_seen_and_heard_for_three_seconds(
    lights: Lights, indication: Indication, lit: str, beeps: int
) -> None:
    lights.indicator.show(indication)
    assert lights.lit() == lit
    assert lights.beeps(1) == beeps
    assert lights.lit() == lit
    lights.clock.advance(1.9)
    assert lights.lit() == lit
    lights.clock.advance(0.2)
    assert lights.lit() == ""


@pytest.mark.parametrize(
    ("standing", "pattern"),
    [
        (Standing.READY, ["B"]),
        (Standing.FREE_PASSAGE, ["G"]),
        (Standing.LOCKED_DOWN, ["R"]),
        (Standing.OUT_OF_ORDER, ["RG"] * 4 + [""] * 4),
        (Standing.ALARM, ["R", ""]),
    ],
)
def test_a_standing_is_seen_until_another_begins(
    lights: Lights, standing: Standing, pattern: list[str]
) -> None:
    lights.indicator.stand(standing)
    seen = []
    for _ in range(400):
        seen.append(lights.lit())
        lights.clock.advance(0.25)
    assert seen == (pattern * 400)[:400]
    assert lights.clock.waiting <= 1
    assert len(lights.indicator._cancels) <= 1, "a night of blinking keeps nothing"


def test_an_outcome_takes_its_place_and_then_it_returns(lights: Lights) -> None:
    lights.indicator.stand(Standing.OUT_OF_ORDER)
    lights.clock.advance(0.5)
    lights.indicator.show(DENIED)
    lights.indicator.stand(Standing.ALARM)
    assert {seen[:3] for seen in lights.told()} == {(True, False, False)}
    lights.clock.advance(1.0)
    assert len({seen[:3] for seen in lights.told()}) == 2
    assert lights.beeps(1) >= 2, "the alarm sounds again"


def test_the_alarm_may_be_kept_silent() -> None:
    factory = MockFactory()
    wanted = IndicatorPins(RED, GREEN, BUZZER, blue=BLUE, alarm_buzzer=False)
    stage = Lights(factory, lambda pin: bool(factory.pin(pin).state), wanted)
    stage.indicator.stand(Standing.ALARM)
    assert stage.beeps(5) == 0
    assert stage.clock.waiting == 1
    stage.indicator.show(DENIED)
    assert stage.beeps(1) == 2, "only the alarm is silent"
    stage.indicator.close()
    factory.close()


def test_the_same_standing_again_does_not_begin_anew(lights: Lights) -> None:
    lights.indicator.stand(Standing.OUT_OF_ORDER)
    lights.clock.advance(0.9)
    lights.indicator.stand(Standing.OUT_OF_ORDER)
    lights.clock.advance(0.2)
    assert lights.lit() == ""


def test_a_timer_that_was_on_its_way_changes_nothing_any_more(
    lights: Lights, monkeypatch: pytest.MonkeyPatch
) -> None:
    late: list[Callable[[], None]] = []

    def after(_delay_s: float, call: Callable[[], None]) -> Callable[[], None]:
        late.append(call)
        return lambda: None  # a cancel that comes too late

    monkeypatch.setattr(lights.clock, "after", after)
    lights.indicator.stand(Standing.ALARM)
    lights.indicator.show(GRANTED)
    late[0]()
    assert lights.lit() == "G"


def test_closed_they_are_dark() -> None:
    factory = MockFactory()
    stage = Lights(factory, lambda pin: bool(factory.pin(pin).state))
    pins = [factory.pin(pin) for pin in (RED, GREEN, BLUE, BUZZER)]
    stage.indicator.stand(Standing.ALARM)
    stage.indicator.close()
    assert not any(pin.state for pin in pins)
    stage.clock.advance(5)
    assert not any(pin.state for pin in pins)
    factory.close()


def test_a_pin_that_another_has_is_refused_and_the_others_let_go() -> None:
    factory = MockFactory()
    first = GpioIndicator(factory, IndicatorPins(buzzer=BUZZER), ManualClock())
    with pytest.raises(UnavailableError, match=f"GPIO {BUZZER}"):
        GpioIndicator(factory, RGB, ManualClock())
    GpioIndicator(factory, IndicatorPins(RED, GREEN, blue=BLUE), ManualClock()).close()
    first.close()
    factory.close()


def test_a_light_may_be_left_out() -> None:
    factory = MockFactory()
    indicator = GpioIndicator(factory, IndicatorPins(green=GREEN), ManualClock())
    for standing in Standing:
        indicator.stand(standing)
    indicator.show(DENIED)
    assert not factory.pin(GREEN).state
    indicator.show(GRANTED)
    assert factory.pin(GREEN).state
    indicator.close()
    factory.close()


def guided(state: Before, *, aloud: bool = False) -> Guidance:
    return Guidance("north-entry", state, aloud)


def test_a_sign_goes_round_until_another_and_gives_way_to_the_standing(lights: Lights) -> None:
    lights.indicator.stand(Standing.READY)
    lights.indicator.show(guided(Before.TOO_FAR))
    assert lights.beeps(0.5) == 0
    seen = []
    for _ in range(300):
        seen.append(lights.lit())
        lights.clock.advance(1.0)
    assert set(seen) == {"RG", ""}
    assert lights.clock.waiting <= 1, "an hour of it keeps nothing"
    lights.indicator.show(guided(Before.COMPARED))
    assert lights.lit() == "RGB"
    lights.clock.advance(0.6)
    assert lights.lit() == "B"
    lights.indicator.show(guided(Before.NOBODY))
    assert lights.lit() == "B"
    lights.clock.advance(5.0)
    assert (lights.lit(), lights.clock.waiting) == ("B", 0)


def test_it_sounds_when_it_is_heard_and_its_lights_go_on(lights: Lights) -> None:
    lights.indicator.show(guided(Before.COVERED))
    lights.clock.advance(0.3)
    lights.indicator.show(guided(Before.COVERED, aloud=True))
    assert lights.lit() == "RG"
    assert lights.beeps(4) == 3
    assert lights.beeps(4) == 0
    for _ in range(20):
        lights.indicator.show(guided(Before.COVERED, aloud=True))
        lights.clock.advance(10)
    assert len(lights.indicator._cancels) <= 6


def test_a_decision_ends_a_sign_and_its_tones(lights: Lights) -> None:
    lights.indicator.show(guided(Before.COVERED, aloud=True))
    lights.clock.advance(0.1)
    lights.indicator.show(GRANTED)
    assert lights.lit() == "G"
    assert lights.beeps(2.5) == 1


def test_the_buzzer_may_be_kept_out_of_the_signs() -> None:
    factory = MockFactory()
    wanted = IndicatorPins(RED, GREEN, BUZZER, blue=BLUE, sign_buzzer=False)
    stage = Lights(factory, lambda pin: bool(factory.pin(pin).state), wanted)
    stage.indicator.show(guided(Before.COVERED, aloud=True))
    assert stage.beeps(5) == 0
    stage.indicator.close()
    factory.close()


def test_a_sign_is_said_when_it_is_aloud_and_a_decision_cuts_it(voice: Voice) -> None:
    voice.indicator.show(guided(Before.TOO_FAR))
    assert voice.told() == ()
    voice.indicator.show(guided(Before.PACED, aloud=True))
    assert voice.told() == ("waiting.other", "sign.help")
    voice.indicator.show(guided(Before.TOO_FAR, aloud=True))
    assert wait_until(voice._speaks)
    voice.indicator.show(GRANTED)
    assert voice.told() == ("granted",)
    voice.indicator.show(DENIED)
    voice.indicator.show(guided(Before.TOO_FAR, aloud=True))
    assert voice.told() == ("denied.see_attendant", "sign.too_far"), "it waits for its turn"


# --- a voice -------------------------------------------------------------------------------------


def test_an_alarm_that_is_over_is_not_said_to_its_end(voice: Voice) -> None:
    voice.indicator.stand(Standing.ALARM)
    assert wait_until(lambda: voice.loudspeaker.playing is not None)
    voice.indicator.show(GRANTED)
    voice.indicator.stand(Standing.READY)
    assert voice.told() == ("granted",)


def test_an_alarm_is_said_before_a_person_is_told(voice: Voice) -> None:
    voice.indicator.show(WAITING)
    assert wait_until(lambda: voice.loudspeaker.playing is not None)
    voice.indicator.stand(Standing.ALARM)
    voice.indicator.show(GRANTED)
    assert voice.told() == ("alarm", "granted")


def test_a_standing_waits_for_what_a_person_is_told(voice: Voice) -> None:
    voice.indicator.show(DENIED)
    voice.indicator.stand(Standing.LOCKED_DOWN)
    assert voice.told() == ("denied.see_attendant", "locked_down")


def test_what_came_too_late_for_a_person_is_not_said(voice: Voice) -> None:
    voice.indicator.stand(Standing.ALARM)
    assert wait_until(lambda: voice.loudspeaker.playing is not None)
    voice.indicator.show(GRANTED)
    voice.clock.advance(5.1)
    assert voice.told() == ("alarm",)

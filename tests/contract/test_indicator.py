"""One suite for every ``ports.Indicator``: lights on their pins, a voice at its loudspeaker."""

import threading
from collections.abc import Callable, Hashable, Iterator
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Protocol

import pytest
from gpiozero.pins.mock import MockFactory
from mosquitto import wait_until

from agent.adapters.gpio import open_pins
from agent.adapters.gpio_indicator import GpioIndicator, IndicatorPins
from agent.adapters.player import Player
from agent.adapters.simulators.clock import ManualClock
from agent.adapters.simulators.loudspeaker import SimulatedLoudspeaker
from agent.adapters.simulators.pins import PinBank
from agent.adapters.voice import VoiceIndicator
from agent.domain.indication import Indication, Outcome, Standing
from agent.domain.reason import Reason
from agent.domain.telling import HINTS, Hint
from agent.errors import UnavailableError
from agent.ports import Indicator

RED, GREEN, BUZZER, BLUE = 23, 24, 25, 22
WAITING = Indication("north-entry", Outcome.WAITING, ("face",))
GRANTED = Indication("north-entry", Outcome.GRANTED)
DENIED = Indication("north-entry", Outcome.DENIED)
RGB = IndicatorPins(RED, GREEN, BUZZER, blue=BLUE)


class Stage(Protocol):
    """An indicator, and what people get of it from now on."""

    @property
    def indicator(self) -> Indicator: ...

    @property
    def apart(self) -> int:
        """How many denials can be told from one another, at most."""

    def told(self) -> Hashable:
        """Over two seconds, or until it is silent."""

    def later(self) -> None:
        """So much later that nobody is being told anything."""


class Lights:
    """An eye on the pins: red, green, blue, buzzer."""

    apart = 1

    def __init__(
        self, pins: Any, level: Callable[[int], bool], wanted: IndicatorPins = RGB
    ) -> None:
        self.clock = ManualClock()
        self.indicator = GpioIndicator(pins, wanted, self.clock)
        self._level = level

    def seen(self) -> tuple[bool, ...]:
        return tuple(self._level(pin) for pin in (RED, GREEN, BLUE, BUZZER))

    def told(self) -> tuple[tuple[bool, ...], ...]:
        return tuple(seen for seen, _ in groupby(self._watch(2.0)))

    def later(self) -> None:
        self.clock.advance(200)

    def lit(self) -> str:
        return "".join(name for name, on in zip("RGB", self.seen()[:3], strict=True) if on)

    def beeps(self, seconds: float) -> int:
        heard = [False, *(seen[3] for seen in self._watch(seconds))]
        return sum(now and not before for before, now in pairwise(heard))

    def _watch(self, seconds: float) -> Iterator[tuple[bool, ...]]:
        # Between the ticks of the timers, so that nothing hangs on the last bit of a sum.
        self.clock.advance(0.005)
        for _ in range(round(seconds / 0.01)):
            yield self.seen()
            self.clock.advance(0.01)


class Voice:
    """An ear at the loudspeaker: which messages it said to their end."""

    apart = len(Hint)

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.loudspeaker = SimulatedLoudspeaker(self.clock, holding=True)
        self.player = Player(self.loudspeaker, self.clock)
        self.thread = threading.Thread(target=self.player.work)
        self.thread.start()
        self.indicator = VoiceIndicator(
            self.player, lambda language, key: Path(language, f"{key}.wav"), ["en"], self.clock
        )
        self._told = 0

    def told(self) -> tuple[str, ...]:
        while True:
            assert wait_until(self._settled)
            if self.loudspeaker.playing is None:
                break
            self.loudspeaker.finish()
        played = [one for one in self.loudspeaker.played[self._told :] if one.ended == "played"]
        self._told = len(self.loudspeaker.played)
        return tuple(one.file.stem for one in played)

    def later(self) -> None:
        self.told()

    def close(self) -> None:
        self.player.stop()
        self.thread.join(5)

    def _settled(self) -> bool:
        with self.player._condition:
            idle = self.player._playing is None and not self.player._waiting
            return idle or (self.loudspeaker.playing is not None and not self.player._cut)


@pytest.fixture
def lights() -> Iterator[Lights]:
    factory = open_pins("mock")
    stage = Lights(factory, lambda pin: bool(factory.pin(pin).state))
    yield stage
    stage.indicator.close()
    factory.close()


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


# --- every indicator -----------------------------------------------------------------------------


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


# --- a voice -------------------------------------------------------------------------------------


@pytest.fixture
def voice() -> Iterator[Voice]:
    voice = Voice()
    yield voice
    voice.close()


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

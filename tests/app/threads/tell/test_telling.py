"""Lights, voice and announcements together, as the agent has them: what is told, and what fails."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from config_parts import GOOD
from gpiozero.pins.mock import MockFactory
from mosquitto import wait_until
from test_announcements import payload
from voice_parts import Tones

from agent.adapters.manual_clock import ManualClock
from agent.adapters.pins.indicator import GpioIndicator, IndicatorPins
from agent.adapters.voice.simulated import SimulatedLoudspeaker
from agent.app.open.voice import Voice, open_voice
from agent.app.threads.tell.telling import Telling
from agent.config import load_config
from agent.controller.effects import Indicate, Stand
from agent.controller.inputs import FaultCleared, FaultRaised, Input
from agent.domain.access.indication import Indication, Outcome, Standing
from agent.domain.access.part import Part
from agent.domain.access.signs import Guidance
from agent.domain.credential.reason import Reason
from agent.domain.record.topics import Topics
from agent.errors import UnavailableError
from agent.operations.voice.prepare import prepare

VOICE = '\n[voice]\nkind = "simulated"\naccess_point = "north-entry"\nlanguages = ["en", "zh"]\n'
TOPICS = Topics("lakeside", "g3", "north-1")
NOON = ManualClock().now().utc
HERE, THERE = "north-entry", "north-exit"
GRANTED = Indicate(Indication(HERE, Outcome.GRANTED))


class Brittle:
    """Lights that fail while they are told to."""

    def __init__(self) -> None:
        self.broken = False
        self.shown: list[object] = []

    def show(self, told: Indication | Guidance) -> None:
        self.stand(told)

    def stand(self, standing: object) -> None:
        if self.broken:
            raise UnavailableError("the indicator's red does not obey", "look at the wire")
        self.shown.append(standing)

    def close(self) -> None:
        """Nothing."""


class Stage:
    def __init__(self, folder: Path, more: str = "", *, prepared: bool = True) -> None:
        path = folder / "gate.toml"
        path.write_text(GOOD + VOICE + more)
        self.clock = ManualClock()
        voice = open_voice(load_config(path), folder / "state", self.clock)
        assert voice is not None
        self.voice: Voice = voice
        if prepared:
            prepare(voice.files, voice.texts, Tones())
        assert isinstance(voice.loudspeaker, SimulatedLoudspeaker)
        self.loudspeaker = voice.loudspeaker
        self.posted: list[Input] = []
        self.lights = Brittle()
        self.telling = Telling({HERE: self.lights}, voice, self.clock, self.posted.append, TOPICS)
        self.stops: list[tuple[threading.Thread, Callable[[], None]]] = []
        for task in self.telling.tasks():
            assert task.name == "voice"
            thread = threading.Thread(target=task.work)
            thread.start()
            self.stops.append((thread, task.stop))
        self.telling.started()

    def announce(self, **changes: Any) -> None:
        expires = (self.clock.now().utc + timedelta(hours=1)).isoformat()
        self.telling.announce(payload(**{"expires": expires, **changes}))

    def said(self, count: int) -> list[str]:
        """The first files that were played, once there are so many, and no more follow."""
        assert wait_until(lambda: len(self.loudspeaker.played) >= count)
        wait_until(lambda: len(self.loudspeaker.played) > count, 0.1)
        return [f"{one.file.parent.name}/{one.file.stem}" for one in self.loudspeaker.played]

    def close(self) -> None:
        for thread, stop in self.stops:
            stop()
            thread.join(60)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Stage]]:
    made: list[Stage] = []

    def build(more: str = "", *, prepared: bool = True) -> Stage:
        made.append(Stage(tmp_path, more, prepared=prepared))
        return made[-1]

    yield build
    for stage in made:
        stage.close()


def test_who_stands_there_is_told_by_light_and_voice(make: Callable[..., Stage]) -> None:
    stage = make()
    stage.telling.indicate(GRANTED)
    assert stage.said(2) == ["en/granted", "zh/granted"]
    assert stage.lights.shown == [Standing.READY, GRANTED.indication]
    denied = Indication(HERE, Outcome.DENIED, reason=Reason.ELEVATED_TEMPERATURE)
    stage.telling.indicate(Indicate(denied))
    assert stage.said(4)[2:] == ["en/denied.see_attendant", "zh/denied.see_attendant"]


def test_another_access_point_is_silent_here(make: Callable[..., Stage]) -> None:
    stage = make()
    stage.telling.indicate(Indicate(Indication(THERE, Outcome.GRANTED)))
    stage.telling.stand(Stand(THERE, Standing.ALARM))
    assert stage.said(0) == []
    assert stage.lights.shown == [Standing.READY]


def test_a_standing_is_said_when_it_begins(make: Callable[..., Stage]) -> None:
    stage = make()
    for standing in (Standing.ALARM, Standing.ALARM):
        stage.telling.stand(Stand(HERE, standing))
    assert stage.said(2) == ["en/alarm", "zh/alarm"]
    assert stage.lights.shown == [Standing.READY, Standing.ALARM, Standing.ALARM]


def faults(posted: list[Input], part: str) -> list[type]:
    return [type(one) for one in posted if getattr(one, "part", None) == part]


def test_lights_that_fail_are_a_fault_once_and_the_voice_goes_on(
    make: Callable[..., Stage],
) -> None:
    stage = make()
    stage.lights.broken = True
    for _ in range(3):
        stage.telling.indicate(GRANTED)
    stage.telling.stand(Stand(HERE, Standing.OUT_OF_ORDER))
    assert faults(stage.posted, f"indicator:{HERE}") == [FaultCleared, FaultRaised]
    assert wait_until(lambda: len(stage.loudspeaker.played) >= 2)
    stage.lights.broken = False
    for _ in range(3):
        stage.telling.indicate(GRANTED)
    assert faults(stage.posted, f"indicator:{HERE}") == [FaultCleared, FaultRaised, FaultCleared]


def test_a_fault_that_outlived_an_earlier_agent_is_cleared(make: Callable[..., Stage]) -> None:
    stage = make()
    stage.telling.indicate(GRANTED)
    assert faults(stage.posted, f"indicator:{HERE}") == [FaultCleared]
    assert faults(stage.posted, "voice:files") == [FaultCleared]
    assert wait_until(lambda: faults(stage.posted, "voice") == [FaultCleared])


def test_a_loudspeaker_that_fails_is_a_fault_once(make: Callable[..., Stage]) -> None:
    stage = make()
    stage.loudspeaker.broken = True
    for count in range(1, 4):
        stage.telling.indicate(GRANTED)
        assert wait_until(lambda count=count: len(stage.loudspeaker.played) >= count)
    assert wait_until(lambda: faults(stage.posted, "voice") == [FaultRaised])
    stage.loudspeaker.broken = False
    stage.telling.indicate(GRANTED)
    assert wait_until(lambda: faults(stage.posted, "voice") == [FaultRaised, FaultCleared])
    assert len(stage.lights.shown) == 5


def test_messages_without_files_are_a_fault_with_its_fix(make: Callable[..., Stage]) -> None:
    stage = make(prepared=False)
    (fault,) = [one for one in stage.posted if isinstance(one, FaultRaised)]
    assert fault.part == "voice:files"
    assert fault.detail.startswith("72 messages have no file (en/alarm, ")
    assert fault.detail.endswith("gate-agent voice prepare")
    stage.telling.indicate(GRANTED)
    assert stage.said(0) == []


def test_an_announcement_is_said_as_often_as_it_asks(make: Callable[..., Stage]) -> None:
    stage = make()
    stage.announce(repeat=2)
    both = ["en/announce.visitors", "zh/announce.visitors"]
    assert stage.said(4) == both * 2
    stage.announce(id="in-english", language="en")
    assert stage.said(5)[4:] == ["en/announce.visitors"]


def test_an_announcement_makes_sound_and_nothing_else(make: Callable[..., Stage]) -> None:
    stage = make()
    before = list(stage.posted)
    for priority in ("routine", "urgent", "emergency"):
        stage.announce(id=priority, priority=priority, message="announce.evacuate")
    stage.announce(id="hostile", release=True)
    stage.said(6)
    assert [one for one in stage.posted if one not in before] == [
        FaultCleared(Part("voice"), "agent")
    ]
    assert stage.lights.shown == [Standing.READY]


def test_what_is_listened_to_is_what_the_config_says(make: Callable[..., Stage]) -> None:
    listeners = make().telling.listeners()
    assert set(listeners) == {"gate/lakeside/announce", "gate/lakeside/g3/north-1/announce"}
    assert all(one.retained for one in listeners.values())
    assert make("announcements = false\n").telling.listeners() == {}
    without = Telling({}, None, ManualClock(), lambda _: None, TOPICS)
    assert without.listeners() == {}
    without.announce(payload())


def test_free_text_is_synthesised_where_it_may_be(
    make: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    tones = Tones()
    monkeypatch.setattr("agent.app.threads.tell.speech.synthesise", tones)
    stage = make("speak_text = true\n")
    stage.announce(message=None, text="今晚停水", language="zh", repeat=2)
    assert stage.said(2) == ["voices/spoken"] * 2
    assert tones.asked == ["今晚停水"]
    strict = make()
    strict.announce(message=None, text="今晚停水")
    assert strict.said(0) == []


@pytest.mark.parametrize(
    ("quiet", "local", "silent"),
    [
        ('{ from = "22:00", until = "06:00" }', "23:30", True),
        ('{ from = "22:00", until = "06:00" }', "05:59", True),
        ('{ from = "22:00", until = "06:00" }', "06:00", False),
        ('{ from = "22:00", until = "06:00" }', "21:59", False),
        ('{ from = "12:00", until = "14:00" }', "13:00", True),
        ('{ from = "12:00", until = "14:00" }', "14:00", False),
    ],
)
def test_quiet_hours_are_the_kiosks_own(
    make: Callable[..., Stage], tmp_path: Path, quiet: str, local: str, *, silent: bool
) -> None:
    # The config's kiosk has no zone of its own: UTC.
    stage = make(f"quiet = {quiet}\n")
    hour, minute = map(int, local.split(":"))
    wanted = NOON.replace(hour=hour, minute=minute)
    stage.clock.step_utc((wanted - NOON).total_seconds())
    stage.telling.indicate(GRANTED)
    stage.announce()
    assert stage.said(0 if silent else 4)[:1] == ([] if silent else ["en/granted"])
    assert stage.lights.shown[1:] == [GRANTED.indication], "the lights go on"
    stage.announce(id="urgent", priority="urgent")
    assert wait_until(
        lambda: [one.file.stem for one in stage.loudspeaker.played][-1:] == ["announce.visitors"]
    )


def test_a_clock_that_nobody_trusts_knows_of_no_quiet_hours(make: Callable[..., Stage]) -> None:
    stage = make('quiet = { from = "00:00", until = "23:59" }\n')
    stage.clock.step_utc(0, trusted=False)
    stage.telling.indicate(GRANTED)
    assert stage.said(2) == ["en/granted", "zh/granted"]


def test_real_lights_and_a_silent_kiosk_without_a_voice() -> None:
    factory = MockFactory()
    lights = GpioIndicator(factory, IndicatorPins(green=24, blue=22), ManualClock())
    telling = Telling({HERE: lights}, None, ManualClock(), lambda _: None, TOPICS)
    assert not factory.pin(24).state
    assert list(telling.tasks()) == [], "there is no voice to start"
    telling.started()
    assert factory.pin(22).state, "ready"
    telling.stand(Stand(HERE, Standing.FREE_PASSAGE))
    assert factory.pin(24).state
    lights.close()
    factory.close()


def test_a_voice_in_a_language_without_texts_stops_the_agent(tmp_path: Path) -> None:
    path = tmp_path / "gate.toml"
    path.write_text((GOOD + VOICE).replace('"en", "zh"', '"fr"'))
    with pytest.raises(UnavailableError, match="'fr'") as error:
        open_voice(load_config(path), tmp_path, ManualClock())
    assert "fr.toml" in str(error.value.fix)

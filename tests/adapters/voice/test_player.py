"""The player's queue on a simulated loudspeaker, and aplay as a program that can go wrong."""

import os
import signal
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mosquitto import wait_until

from agent.adapters.manual_clock import ManualClock
from agent.adapters.voice.loudspeaker import AplayLoudspeaker
from agent.adapters.voice.player import Player, Utterance
from agent.adapters.voice.simulated import SimulatedLoudspeaker
from agent.domain.access.hints import Priority
from agent.errors import UnavailableError

ROUTINE, GUIDANCE, ATTEMPT, URGENT, EMERGENCY = Priority


class Stage:
    """A player at work and its loudspeaker, which holds each file until it is told."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.loudspeaker = SimulatedLoudspeaker(self.clock, holding=True)
        self.said: list[str] = []
        self.player = Player(
            self.loudspeaker,
            self.clock,
            failed=lambda why: self.said.append(f"failed: {why}"),
            recovered=lambda: self.said.append("recovered"),
        )
        self.thread = threading.Thread(target=self.player.work)
        self.thread.start()

    def say(self, name: str, priority: Priority = ROUTINE, **more: object) -> None:
        files = [Path(one) for one in name.split("+")]
        self.player.say(Utterance(priority, lambda: files, **more))  # type: ignore[arg-type]  # a test's keywords

    def plays(self, name: str) -> bool:
        return bool(wait_until(lambda: self.loudspeaker.playing == Path(name)))

    def idle(self) -> bool:
        return bool(wait_until(self._is_idle))

    def _is_idle(self) -> bool:
        with self.player._condition:
            return self.player._playing is None and not self.player._waiting

    def ends(self) -> list[str]:
        return [f"{one.file} {one.ended}" for one in self.loudspeaker.played]

    def rest(self) -> list[str]:
        """Let everything play to its end; what was played since then, in order."""
        while not self._is_idle():
            self.loudspeaker.finish()
            time.sleep(0.001)
        return self.ends()


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.player.stop()
    stage.thread.join(60)
    assert not stage.thread.is_alive()


def test_one_after_the_other(stage: Stage) -> None:
    stage.say("a+b")
    stage.say("c")
    assert stage.plays("a")
    assert stage.rest() == ["a played", "b played", "c played"]


@pytest.mark.parametrize("lower", [ROUTINE, ATTEMPT, URGENT])
@pytest.mark.parametrize("higher", [ATTEMPT, URGENT, EMERGENCY])
def test_a_higher_priority_cuts_a_lower_one(
    stage: Stage, lower: Priority, higher: Priority
) -> None:
    stage.say("low", lower)
    assert stage.plays("low")
    stage.say("high", higher)
    if higher > lower:
        assert stage.plays("high")
        assert stage.ends() == ["low cut", "high playing"]
    else:
        assert stage.rest() == ["low played", "high played"]


def test_what_was_cut_begins_anew_where_it_may(stage: Stage) -> None:
    stage.say("announcement+second", again=True)
    assert stage.plays("announcement")
    stage.say("waiting")
    stage.say("person", ATTEMPT)
    assert stage.plays("person")
    assert stage.rest()[1:] == [
        *("person played", "announcement played", "second played", "waiting played")
    ]


def test_a_newer_one_of_its_channel_takes_its_place(stage: Stage) -> None:
    for name in "abc":
        stage.say(name, ATTEMPT, channel="attempt")
    assert stage.plays("c")
    assert "b" not in {str(one.file) for one in stage.loudspeaker.played}
    stage.player.hush("attempt")
    assert stage.idle()
    assert stage.ends()[-1] == "c cut"


def test_what_is_over_does_not_begin_anew(stage: Stage) -> None:
    stage.say("alarm", URGENT, channel="standing", again=True)
    assert stage.plays("alarm")
    stage.say("fire", EMERGENCY)
    stage.player.hush("standing")
    assert stage.rest() == ["alarm cut", "fire played"]
    stage.say("out", channel="standing", again=True)
    assert stage.plays("out")
    stage.say("free", channel="standing", again=True)
    assert stage.rest()[2:] == ["out cut", "free played"]


def test_what_waits_by_priority_then_by_arrival(stage: Stage) -> None:
    stage.say("first", EMERGENCY)
    assert stage.plays("first")
    for name, priority in [("d", ROUTINE), ("c", ATTEMPT), ("a", URGENT), ("e", ROUTINE)]:
        stage.say(name, priority)
    stage.say("b", URGENT)
    assert stage.rest()[1:] == [f"{name} played" for name in "abcde"]


def test_what_has_expired_is_not_begun(stage: Stage) -> None:
    stage.say("long", URGENT)
    assert stage.plays("long")
    now_s = stage.clock.now().monotonic_s
    stage.say("late+later", until_s=now_s + 5)
    stage.say("halfway+never", until_s=now_s + 20)
    stage.clock.advance(6)
    stage.loudspeaker.finish()
    assert stage.plays("halfway")
    stage.clock.advance(20)
    assert stage.rest() == ["long played", "halfway played"]


def test_the_queue_is_bounded_and_the_least_is_dropped(stage: Stage) -> None:
    stage.say("now", EMERGENCY)
    assert stage.plays("now")
    for number in range(20):
        stage.say(f"routine{number}")
    stage.say("urgent", URGENT)
    assert stage.player.dropped == 13
    played = stage.rest()
    assert played[1] == "urgent played"
    assert played[2:] == [f"routine{number} played" for number in range(7)]


def test_a_failure_is_told_once_and_so_is_its_end(stage: Stage) -> None:
    stage.say("well")
    assert stage.rest() == ["well played"]
    stage.loudspeaker.broken = True
    for name in ("a", "b", "c+never"):
        stage.say(name)
    assert stage.idle()
    assert stage.said == ["recovered", "failed: the simulated loudspeaker is broken"]
    stage.loudspeaker.broken = False
    stage.say("again")
    assert stage.rest()[-1] == "again played"
    assert stage.said[2:] == ["recovered"]
    assert "never" not in " ".join(stage.ends())


def test_files_that_cannot_be_made_are_a_failure_too(stage: Stage) -> None:
    def files() -> list[Path]:
        raise UnavailableError("no synthesiser", "install it")

    stage.player.say(Utterance(ROUTINE, files))
    stage.say("next")
    assert stage.plays("next")
    assert stage.said == ["failed: no synthesiser"]


def test_stopped_it_says_nothing_more(stage: Stage) -> None:
    stage.say("a+b")
    assert stage.plays("a")
    stage.player.stop()
    stage.say("c")
    stage.thread.join(60)
    assert stage.ends() == ["a cut"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(Priority),
            st.sampled_from([None, "x", "y"]),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_whatever_is_said_the_queue_stays_in_order_and_short(
    said: list[tuple[Priority, str | None, bool]],
) -> None:
    player = Player(SimulatedLoudspeaker(ManualClock()), ManualClock())
    for number, (priority, channel, again) in enumerate(said):
        name = Path(str(number))
        player.say(Utterance(priority, lambda name=name: [name], channel, again=again))  # type: ignore[misc]  # a lambda's default
        order = [one.priority for one in player._waiting]
        assert order == sorted(order, reverse=True)
        assert len(order) <= 8
        channels = [one.channel for one in player._waiting if one.channel is not None]
        assert len(set(channels)) == len(channels)


# --- aplay ---------------------------------------------------------------------------------------


@pytest.fixture
def fake(tmp_path: Path):
    """Makes an aplay of a shell's lines; it writes its arguments into ``arguments``."""

    def make(lines: str) -> str:
        path = tmp_path / "aplay"
        path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\n{lines}\n')
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


def yes() -> bool:
    return True


def test_aplay_gets_the_device_and_the_file_and_no_options_of_strangers(fake, tmp_path) -> None:
    speaker = AplayLoudspeaker("plughw:1,0", program=fake("exit 0"))
    speaker.play(Path("-rf.wav"), yes)
    said = (tmp_path / "arguments").read_text().split()
    assert said == ["-q", "-D", "plughw:1,0", "--", "-rf.wav"]


def test_what_is_no_longer_wanted_is_not_begun(fake, tmp_path) -> None:
    AplayLoudspeaker(program=fake("exit 0")).play(Path("a.wav"), lambda: False)
    assert not (tmp_path / "arguments").exists()


def test_an_aplay_that_fails_says_why(fake) -> None:
    speaker = AplayLoudspeaker(program=fake("echo noise >&2; echo no card >&2; exit 1"))
    with pytest.raises(UnavailableError, match="aplay failed: no card") as error:
        speaker.play(Path("a.wav"), yes)
    assert "aplay -l" in str(error.value.fix)


def test_an_aplay_that_is_missing_is_named_with_its_package(tmp_path) -> None:
    with pytest.raises(UnavailableError, match="cannot be run") as error:
        AplayLoudspeaker(program=str(tmp_path / "nowhere")).play(Path("a.wav"), yes)
    assert "alsa-utils" in str(error.value.fix)


def test_an_aplay_that_hangs_is_ended(fake, tmp_path) -> None:
    speaker = AplayLoudspeaker(program=fake(f"echo $$ > {tmp_path}/pid; exec sleep 60"))
    speaker._longest_s = 0.2
    with pytest.raises(UnavailableError, match="did not end"):
        speaker.play(Path("a.wav"), yes)
    assert gone(int((tmp_path / "pid").read_text()))


def test_cut_it_ends_at_once_and_that_is_no_failure(fake, tmp_path) -> None:
    speaker = AplayLoudspeaker(program=fake(f"echo $$ > {tmp_path}/pid; exec sleep 60"))
    player = threading.Thread(target=speaker.play, args=(Path("a.wav"), yes))
    player.start()
    assert wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    speaker.cut()
    player.join(60)
    assert not player.is_alive()
    assert gone(int((tmp_path / "pid").read_text()))
    speaker.cut()  # nothing plays


@pytest.mark.parametrize("still_wanted", [True, False])
def test_who_cuts_waits_for_no_program_that_is_slow_to_start_and_ends_it(
    fake,
    monkeypatch: pytest.MonkeyPatch,
    still_wanted: bool,  # noqa: FBT001 - pytest names it
) -> None:
    speaker, starting, goes_on = AplayLoudspeaker(), threading.Event(), threading.Event()
    speaker._command = [fake("exec sleep 60")]
    start, wanted = speaker._start, [True]

    def slowly(file: Path) -> Any:
        starting.set()
        assert goes_on.wait(60)
        return start(file)

    monkeypatch.setattr(speaker, "_start", slowly)
    player = threading.Thread(target=speaker.play, args=(Path("a.wav"), lambda: wanted[0]))
    player.start()
    assert starting.wait(60)
    wanted[0] = still_wanted
    cutter = threading.Thread(target=speaker.cut, daemon=True)
    cutter.start()
    cutter.join(60)
    cut_before_it_started = not cutter.is_alive()
    goes_on.set()
    assert cut_before_it_started
    player.join(20)
    assert not player.is_alive()  # what was cut, or is wanted no more, was ended at once


def test_one_that_was_killed_by_somebody_else_is_a_failure(fake) -> None:
    speaker = AplayLoudspeaker(program=fake(f"kill -{int(signal.SIGKILL)} $$"))
    with pytest.raises(UnavailableError, match="it said nothing"):
        speaker.play(Path("a.wav"), yes)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False

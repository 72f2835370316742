"""One suite for every ``ports.Loudspeaker``: aplay, for which a program stands in, and none."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from mosquitto import wait_until

from agent.adapters.manual_clock import ManualClock
from agent.adapters.voice.loudspeaker import AplayLoudspeaker
from agent.adapters.voice.simulated import SimulatedLoudspeaker
from agent.errors import UnavailableError
from agent.ports import Loudspeaker

APLAY = """#!/bin/sh
cd '{folder}'
for file; do :; done
[ -e broken ] && exit 1
echo "$file" >> begun
while [ ! -e finish ]; do sleep 0.01; done
rm finish
"""


@dataclass
class Playing:
    """One file that is being played in a thread of its own."""

    speaker: Loudspeaker
    file: str
    failed: list[UnavailableError] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._play)
        self.thread.start()

    def ends(self) -> bool:
        """Whether it ends in time, and without a failure."""
        self.thread.join(20)
        return not self.thread.is_alive() and not self.failed

    def goes_on(self) -> bool:
        self.thread.join(0.2)
        return self.thread.is_alive()

    def _play(self) -> None:
        try:
            self.speaker.play(Path(self.file), lambda: True)
        except UnavailableError as error:
            self.failed.append(error)


@dataclass
class Subject:
    speaker: Loudspeaker
    begun: Callable[[], list[str]]
    finish: Callable[[], None]
    """What is played now comes to its end."""
    set_broken: Callable[[bool], None]

    def begin(self, file: str) -> Playing:
        before = len(self.begun())
        playing = Playing(self.speaker, file)
        assert wait_until(lambda: len(self.begun()) > before)
        return playing


@pytest.fixture(params=["aplay", "simulated"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    one = simulated() if request.param == "simulated" else aplay(tmp_path)
    yield one
    one.speaker.cut()


def simulated() -> Subject:
    speaker = SimulatedLoudspeaker(ManualClock(), holding=True)
    return Subject(
        speaker,
        lambda: [str(one.file) for one in speaker.played],
        speaker.finish,
        lambda broken: setattr(speaker, "broken", broken),
    )


def aplay(folder: Path) -> Subject:
    program, begun, broken = folder / "aplay", folder / "begun", folder / "broken"
    program.write_text(APLAY.format(folder=folder))
    program.chmod(0o755)
    return Subject(
        AplayLoudspeaker(program=str(program)),
        lambda: begun.read_text().split() if begun.exists() else [],
        (folder / "finish").touch,
        lambda wanted: broken.touch() if wanted else broken.unlink(),
    )


def test_a_file_is_played_to_its_end_and_then_the_next(subject: Subject) -> None:
    for file in ("a.wav", "b.wav"):
        playing = subject.begin(file)
        assert playing.goes_on()
        subject.finish()
        assert playing.ends()
    assert subject.begun() == ["a.wav", "b.wav"]


def test_cut_it_ends_at_once_and_that_is_no_failure(subject: Subject) -> None:
    playing = subject.begin("a.wav")
    subject.speaker.cut()
    assert playing.ends()


def test_a_cut_does_nothing_to_what_is_played_after_it(subject: Subject) -> None:
    subject.speaker.cut()
    for _ in range(2):
        playing = subject.begin("a.wav")
        assert playing.goes_on()
        subject.speaker.cut()
        subject.speaker.cut()
        assert playing.ends()


def test_what_is_not_wanted_is_not_begun(subject: Subject) -> None:
    subject.speaker.play(Path("a.wav"), lambda: False)
    assert subject.begun() == []


def test_one_that_fails_says_so_until_it_plays_again(subject: Subject) -> None:
    subject.set_broken(True)
    for _ in range(2):
        with pytest.raises(UnavailableError):
            subject.speaker.play(Path("a.wav"), lambda: True)
    subject.set_broken(False)
    playing = subject.begin("b.wav")
    subject.finish()
    assert playing.ends()

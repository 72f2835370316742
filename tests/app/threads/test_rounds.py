"""A thread that hangs is as dead as one that died; one that told its fault is not."""

import threading

from agent.app.threads.rounds import HUNG_S, Round, Rounds, came_round
from agent.app.threads.worker import Worker


class Time:
    """The monotonic clock of the looker."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def looked(*rounds: Round) -> tuple[Rounds, Time]:
    """A looker that has looked once, and its clock; every round began then."""
    time = Time()
    looker = Rounds(time)
    for one in rounds:
        one.last_s = time.now_s
    looker.watch(rounds)
    assert looker.hung() is None
    return looker, time


def pass_by(looker: Rounds, time: Time, seconds: float) -> list[str | None]:
    """What the looker says, half a second after half a second."""
    said = []
    for _ in range(int(seconds * 2)):
        time.now_s += 0.5
        said.append(looker.hung())
    return said


def test_a_thread_that_comes_round_gets_on() -> None:
    one = Round("watch front", within_s=HUNG_S)
    looker, time = looked(one)
    for _ in range(5):
        assert set(pass_by(looker, time, HUNG_S - 1)) == {None}
        one.last_s = time.now_s


def test_one_that_does_not_is_named() -> None:
    well, hangs = Round("watch front", HUNG_S), Round("symbols north-entry", 10.0)
    looker, time = looked(well, hangs)
    said = pass_by(looker, time, 11.0)
    assert said[:20] == [None] * 20
    assert said[-1] == "symbols north-entry"


def test_one_whose_fault_was_told_is_waited_for_until_it_is_not() -> None:
    told = [True]
    looker, time = looked(Round("camera front", 10.0, lambda: told[0]))
    assert set(pass_by(looker, time, 100.0)) == {None}
    told[0] = False
    assert pass_by(looker, time, 0.5) == ["camera front"]


def test_one_that_nobody_looks_at_and_one_that_ended_are_none() -> None:
    ended = Round("camera front", 1.0)
    looker, time = looked(Round("outbox"), ended)
    ended.end()
    assert set(pass_by(looker, time, 100.0)) == {None}


def test_after_a_halt_of_the_whole_process_all_begin_anew() -> None:
    looker, time = looked(Round("watch front", 10.0))
    time.now_s += 3600.0  # SIGSTOP, or a machine that slept
    assert looker.hung() is None
    assert set(pass_by(looker, time, 9.0)) == {None}
    assert pass_by(looker, time, 2.0)[-1] == "watch front"


def test_a_worker_tells_its_own_rounds() -> None:
    one = Round("watch front", HUNG_S)
    moments: list[float | None] = []
    goes_on = threading.Event()

    def work() -> None:
        moments.append(one.last_s)
        goes_on.wait(60.0)
        came_round()
        moments.append(one.last_s)

    worker = Worker("watch front", work, lambda *_: None, one)
    worker.start()
    goes_on.set()
    assert worker.join(60.0)
    first, second = moments
    assert first is not None
    assert second is not None
    assert first <= second
    assert one.last_s is None, "it has ended"


def test_a_thread_that_is_no_worker_may_say_so_too() -> None:
    came_round()

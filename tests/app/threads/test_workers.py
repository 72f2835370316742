"""The agent's threads and what lies between them: slot and inbox."""

import itertools
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.app.threads.inbox import Inbox
from agent.app.threads.worker import Slot, Worker
from agent.controller.inputs import (
    FaultCleared,
    FaultRaised,
    Input,
    Observed,
    Stop,
    TemperatureRead,
    Tick,
)
from agent.domain.access.part import Part
from agent.domain.sight.track import Observation
from agent.domain.skin.reading import TemperatureReading
from agent.errors import StoreError

# --- worker --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [RuntimeError("x"), StoreError("full"), SystemExit(3), KeyboardInterrupt()], ids=repr
)
def test_a_dead_thread_is_seen(error: BaseException) -> None:
    deaths: list[tuple[str, BaseException]] = []

    def work() -> None:
        raise error

    worker = Worker("camera-front", work, lambda name, cause: deaths.append((name, cause)))
    worker.start()
    assert worker.join(60)
    assert deaths == [("camera-front", error)]


def test_a_thread_that_ends_is_no_death() -> None:
    deaths: list[str] = []
    names: list[str] = []
    worker = Worker(
        "status",
        lambda: names.append(threading.current_thread().name),
        lambda name, _: deaths.append(name),
    )
    assert worker.join(0.0)  # not begun, so nothing runs
    worker.start()
    assert worker.join(60)
    assert (names, deaths) == (["status"], [])


def test_a_thread_that_hangs_is_said_to_run() -> None:
    go = threading.Event()

    def work() -> None:
        go.wait(60)

    worker = Worker("slow", work, lambda *_: None)
    worker.start()
    assert not worker.join(0.01)
    go.set()
    assert worker.join(60)


# --- slot ----------------------------------------------------------------------------------------


def test_a_slot_holds_the_newest_only() -> None:
    slot: Slot[int] = Slot()
    for number in range(5):
        slot.put(number)
    assert slot.take(0.0) == 4
    assert slot.take(0.0) is None
    assert slot.dropped == 4
    slot.put(0)  # what is false is still a value
    assert slot.take(0.0) == 0


def test_a_closed_slot_gives_what_is_left_and_then_nothing() -> None:
    slot: Slot[str] = Slot()
    slot.put("last")
    slot.close()
    finished = [slot.finished]
    assert slot.take(60.0) == "last"
    finished.append(slot.finished)
    assert finished == [False, True]
    assert slot.take(60.0) is None  # and does not wait


def test_closing_wakes_who_waits() -> None:
    slot: Slot[str] = Slot()
    taken: list[str | None] = []
    thread = threading.Thread(target=lambda: taken.append(slot.take(60.0)))
    thread.start()
    slot.close()
    thread.join(60)
    assert taken == [None]


def test_a_slow_reader_sees_rising_numbers_and_the_last() -> None:
    slot: Slot[int] = Slot()
    seen: list[int] = []

    def read() -> None:
        while not slot.finished:
            if (value := slot.take(1.0)) is not None:
                seen.append(value)

    thread = threading.Thread(target=read)
    thread.start()
    for number in range(5000):
        slot.put(number)
    slot.close()
    thread.join(60)
    assert seen == sorted(set(seen))
    assert seen[-1] == 4999
    assert len(seen) + slot.dropped == 5000


# --- inbox ---------------------------------------------------------------------------------------


def observed(camera: str, at_s: float) -> Observed:
    return Observed(Observation(camera, at_s, None))


def reading(at_s: float) -> TemperatureRead:
    return TemperatureRead(TemperatureReading(at_s, 36.2))


def drained(inbox: Inbox) -> list[Input]:
    found: list[Input] = []
    while (happened := inbox.take(0.0)) is not None:
        found.append(happened)
    return found


FAULT, CLEARED, STOP = (
    FaultRaised(Part("door:d"), "x"),
    FaultCleared(Part("door:d"), "agent"),
    Stop("why"),
)


@pytest.mark.parametrize(
    ("posted", "taken"),
    [
        ([observed("a", 1), observed("a", 2)], [observed("a", 2)]),
        ([reading(1), reading(2)], [reading(2)]),
        ([observed("a", 1), observed("b", 1)], [observed("a", 1), observed("b", 1)]),
        ([observed("a", 1), reading(1)], [observed("a", 1), reading(1)]),
        # In the place of the old one, so that no camera pushes the other's back for ever.
        (
            [observed("a", 1), observed("b", 1), observed("a", 2)],
            [observed("a", 2), observed("b", 1)],
        ),
        ([FAULT, FAULT], [FAULT, FAULT]),
        ([Tick(), Tick(), STOP, STOP], [Tick(), Tick(), STOP, STOP]),
        # A face must not be judged before the fault that was there first.
        (
            [observed("a", 1), FAULT, observed("a", 2), observed("a", 3)],
            [observed("a", 1), FAULT, observed("a", 3)],
        ),
        ([reading(1), CLEARED, reading(2)], [reading(1), CLEARED, reading(2)]),
    ],
)
def test_observations_and_readings_coalesce_and_nothing_else(
    posted: list[Input], taken: list[Input]
) -> None:
    inbox = Inbox()
    for happened in posted:
        inbox.post(happened)
    assert drained(inbox) == taken
    assert inbox.coalesced == len(posted) - len(taken)


steps = st.lists(
    st.sampled_from(["a", "b", "reading", "fault", "tick", "take"]), min_size=1, max_size=60
)


@given(steps=steps)
def test_whatever_comes_nothing_is_lost_or_overtaken(steps: list[str]) -> None:
    inbox = Inbox()
    numbered = itertools.count(1)
    posted: list[tuple[int, Input]] = []
    taken: list[Input] = []
    for step in steps:
        number = next(numbered)
        if step == "take":
            taken += [happened for happened in [inbox.take(0.0)] if happened is not None]
            continue
        happened: Input
        if step in {"a", "b"}:
            happened = observed(step, number)
        elif step == "reading":
            happened = reading(number)
        else:
            happened = FaultRaised(Part("door:d"), str(number))
        inbox.post(happened)
        posted.append((number, happened))
    taken += drained(inbox)
    at = {id(happened): number for number, happened in posted}
    order = [at[id(happened)] for happened in taken]
    assert len(set(order)) == len(order)
    faults = [happened for _, happened in posted if isinstance(happened, FaultRaised)]
    assert [happened for happened in taken if isinstance(happened, FaultRaised)] == faults
    # Around each fault: what came before it was taken before it, what came after it after.
    for i, happened in enumerate(taken):
        if isinstance(happened, FaultRaised):
            assert max(order[: i + 1]) == order[i]
            assert min(order[i:]) == order[i]
    for camera in ("a", "b"):
        times = [
            happened.observation.captured_s
            for happened in taken
            if isinstance(happened, Observed) and happened.observation.camera == camera
        ]
        assert times == sorted(times)
        newest = [number for number, step in enumerate(steps, 1) if step == camera]
        assert not newest or times[-1] == newest[-1]
    assert len(taken) + inbox.coalesced == len(posted)


def test_a_fast_camera_does_not_fill_the_inbox() -> None:
    inbox = Inbox()
    for number in range(10_000):
        inbox.post(observed("a", number))
    inbox.post(STOP)
    assert drained(inbox) == [observed("a", 9999), STOP]


def test_who_waits_is_woken_and_a_signal_handler_may_post() -> None:
    inbox = Inbox()
    taken: list[Input | None] = []
    thread = threading.Thread(target=lambda: taken.append(inbox.take(60.0)))
    thread.start()
    inbox.post(STOP)
    thread.join(60)
    assert taken == [STOP]
    with inbox._condition:  # as a handler that interrupts ``take`` in its own thread
        inbox.post(FAULT)
    assert inbox.take(-1.0) == FAULT
    assert inbox.take(-1.0) is None

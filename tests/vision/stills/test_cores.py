"""Many photographs on all cores: the answers of one core, in its order."""

import threading

import pytest

from agent.vision.stills.cores import Lent, cores, each_in_order


@pytest.mark.parametrize("workers", [0, 1, 2, 7, 100])
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_answers_come_in_the_order_of_the_items(workers: int, count: int) -> None:
    assert list(each_in_order(lambda n: n * n, range(count), workers)) == [
        n * n for n in range(count)
    ]


@pytest.mark.parametrize("workers", [1, 4])
def test_what_fails_fails_at_its_place(workers: int) -> None:
    def work(number: int) -> int:
        if number in (3, 5):
            raise ValueError(str(number))
        return number

    found: list[int] = []
    with pytest.raises(ValueError, match=r"^3$"):
        found.extend(each_in_order(work, range(9), workers))
    assert found == [0, 1, 2]


def test_a_tool_serves_one_thread_at_a_time() -> None:
    opened: list[threading.Lock] = []
    together = threading.Barrier(3)

    def open_tool() -> threading.Lock:
        opened.append(threading.Lock())
        return opened[-1]

    def use(tool: threading.Lock, number: int) -> int:
        assert tool.acquire(blocking=False)
        if number < 3:
            together.wait(60)  # three are at work at once
        tool.release()
        return number

    assert list(each_in_order(Lent(open_tool, use), range(20), 3)) == list(range(20))
    assert len(opened) == 3


def test_a_tool_comes_back_from_what_fails() -> None:
    opened: list[int] = []

    def open_tool() -> int:
        opened.append(1)
        return 1

    def use(_tool: int, number: int) -> int:
        if number == 0:
            raise ValueError
        return number

    lent = Lent(open_tool, use)
    with pytest.raises(ValueError):  # noqa: PT011 - it has no text
        lent(0)
    assert lent(1) == 1
    assert len(opened) == 1


def test_there_is_a_core() -> None:
    assert cores() >= 1

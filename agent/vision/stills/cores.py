"""Many photographs on all cores, with the answers of one core in its order."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")
Tool = TypeVar("Tool")


def cores() -> int:
    """How many this process may run on."""
    return len(os.sched_getaffinity(0))


class Lent(Generic[Tool, Item, Answer]):
    """A function of a tool and an item as one of the item: no tool serves two threads at once.

    The decoders, the detectors and the networks run outside the interpreter's lock, so threads
    suffice. There are as many tools as threads have met here, each opened when it was first needed.
    """

    def __init__(self, open_tool: Callable[[], Tool], use: Callable[[Tool, Item], Answer]) -> None:
        self._open = open_tool
        self._use = use
        self._idle: SimpleQueue[Tool] = SimpleQueue()

    def __call__(self, item: Item) -> Answer:
        """What the function makes of the item."""
        try:
            tool = self._idle.get_nowait()
        except Empty:
            tool = self._open()
        try:
            return self._use(tool, item)
        finally:
            self._idle.put(tool)


def each_in_order(
    work: Callable[[Item], Answer], items: Sequence[Item], workers: int
) -> Iterator[Answer]:
    """What ``work`` makes of each item, in the items' order.

    What it raises is raised at its place, and what was not begun by then is left.
    """
    if workers <= 1 or len(items) <= 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(min(workers, len(items))) as pool:
        yield from pool.map(work, items)

"""A journal and an outbox in a process that is killed: ``python outbox_kills.py``.

For each line "send CALLS PORT:JOURNAL" a new process appends some events, sends what waits and ends
when the broker has all; killed at so many calls of whatever thread. A line "id" for each event that
the journal took. "drain" is the same without new events.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from outbox_parts import Sender, event
from store_parts import _say, forked_kills

from agent import logs
from agent.adapters.store.record.journal import SqliteJournal

EVENTS = 10


def killed_anywhere(calls: int, deed: Callable[[], object]) -> None:
    """Do ``deed``, killed at so many calls of all its threads; else say how many they made."""
    left = calls

    def count(_frame: object, happened: str, _argument: object) -> None:
        nonlocal left
        if happened in ("call", "c_call"):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    threading.setprofile(count)
    sys.setprofile(count)
    deed()
    sys.setprofile(None)
    threading.setprofile(None)
    _say(calls - left)


def _deed(name: str, calls: str, where: str) -> None:
    port, _, path = where.partition(":")

    def work() -> None:
        journal = SqliteJournal(Path(path), lambda _: event(), source="/gate/lakeside/g3/north-1")
        sender = Sender(journal, int(port))
        for number in range(EVENTS if name == "send" else 0):
            one = event(number)
            journal.append(one)
            # In one piece: a kill between a word and its end would leave half a line.
            os.write(1, f"{one.id}\n".encode())
            sender.outbox.notify()
        while journal.pending():
            time.sleep(0.01)
        sender.close()
        journal.close()

    killed_anywhere(int(calls), work)


if __name__ == "__main__":
    logs.configure("error")
    forked_kills(_deed)

"""A journal, an outbox and a broker's client, as the agent wires them, for the tests of sending."""

import itertools
import os
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

from agent.adapters.broker.mqtt import BrokerCallbacks, BrokerSettings, PahoBroker
from agent.app.threads.record.outbox import Outbox
from agent.domain.record.events import Event, EventType
from agent.domain.record.pace import Pace
from agent.domain.record.published import Trace
from agent.domain.record.status import offline
from agent.domain.record.topics import Topics
from agent.domain.record.uuid7 import Uuid7Source

TOPICS = Topics("lakeside", "g3", "north-1")
IDS = Uuid7Source(os.urandom)
NOW = datetime(2026, 5, 6, 12, tzinfo=UTC)


def event(number=0):
    data = {"number": number}
    return Event(IDS.make(NOW), EventType.ACCESS_DENIED, NOW, True, "north-entry", data)


class Sender:
    """A journal, an outbox and a broker's client, as the agent wires them."""

    def __init__(self, journal, port, *, per_s=0.0, **settings):
        self.journal = journal
        self.skipped_s = 0.0
        self.refusals: list[str] = []
        self.connects: list[int] = []
        self.goodbyes: list[str] = []
        self.outbox = Outbox(
            journal,
            TOPICS,
            pace=Pace(per_s, lambda: time.monotonic() + self.skipped_s),
            trace=Trace.MINIMAL,
            refused=self.refusals.append,
            accepted=lambda: self.refusals.append("accepted"),
        )
        will = {"will_topic": TOPICS.status, "will": offline("lost")}
        self.broker = PahoBroker(
            BrokerSettings(
                "127.0.0.1",
                port,
                "sender",
                **{**will, "own_events": TOPICS.own_events, **settings},
            ),
            BrokerCallbacks(self._connected, self.goodbyes.append, self.outbox.acknowledged),
        )
        self.thread = threading.Thread(target=self.outbox.work, args=(self.broker,))
        self.thread.start()
        self.broker.start()

    def _connected(self):
        self.connects.append(1)
        self.outbox.notify()

    def close(self):
        self.outbox.stop()
        self.thread.join(60)
        self.broker.close(2.0)
        assert not self.thread.is_alive()


def first_arrivals(subscriber):
    seen: dict[str, int] = {}
    for body in subscriber.events():
        seen.setdefault(body["id"], int(body["sequence"]))
    return list(seen.values())


@contextmanager
def working(outbox: Outbox, broker):
    """Its thread runs meanwhile, and ends whatever happens."""
    thread = threading.Thread(target=outbox.work, args=(broker,))
    thread.start()
    try:
        yield
    finally:
        outbox.stop()
        thread.join(60)


def outbox_of(journal, refusals: list[str], *, trace=Trace.MINIMAL, pace=None) -> Outbox:
    return Outbox(
        journal,
        TOPICS,
        pace=pace or Pace(0.0, time.monotonic),
        trace=trace,
        refused=refusals.append,
        accepted=lambda: refusals.append("accepted"),
    )


class Silent:
    """A broker that takes what it is given, and answers nothing."""

    def __init__(self, window=4):
        self.window = window
        self.largest_bytes: int | None = None
        self.sent: list[bytes] = []
        self.mids = itertools.count(1)

    def say(self, topic, payload):
        raise AssertionError("an event is never only said")

    def connected(self):
        return True

    def publish(self, topic, payload, *, retain=False, kind=""):
        self.sent.append(payload)
        return next(self.mids)

    def close(self, timeout_s):
        pass

"""The heartbeat: by the minute of a virtual clock, at a simulated broker, as the contract says."""

import json
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from asyncapi import complaints, payload
from gate_parts import REGISTRY

from agent.adapters.broker.simulated import SimulatedBroker, SimulatedClient
from agent.adapters.manual_clock import ManualClock
from agent.adapters.store.record.journal import SqliteJournal
from agent.app.open.files.stores import open_journal
from agent.app.open.site import instant, make_event, site_of
from agent.app.threads.record.heartbeat import Heartbeat, Vitals, space_of
from agent.controller.effects import SetStatus
from agent.domain.record.events import EventType
from agent.domain.record.health import Space
from agent.domain.record.wear import Day, Wear
from agent.errors import StoreError

TOPIC = "gate/lakeside/g3/north-1/health"
RISK = {"stage": "calm", "threshold": -0.49, "fmr": 5e-4, "attempts": 2, "left": 0.93}


class Kiosk:
    """A heartbeat, the broker that it speaks to, and what came there."""

    def __init__(self, folder: Path, journal: SqliteJournal, period_s: float = 60.0) -> None:
        self.clock = ManualClock()
        self.came: list[dict[str, Any]] = []
        self.broker = SimulatedBroker(
            self.later,
            lambda _topic, body: self.came.append(json.loads(body)),
            random.Random(3),
        )
        self.answers: list[tuple[int, str | None]] = []
        self.client = SimulatedClient(
            self.broker, lambda *one: self.answers.append(one), lambda: None, lambda: None
        )
        self.journal = journal
        self.stands = SetStatus()
        self.warm = {"cpu-thermal": 51.12}
        self.vitals = Vitals(
            self.journal,
            lambda: self.stands,
            lambda: REGISTRY,
            lambda: space_of(folder),
            lambda: self.warm,
        )
        self.heart = self.make(self.vitals, period_s)

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        self.clock.after(delay_s, call)

    def make(self, vitals: Vitals, period_s: float = 60.0) -> Heartbeat:
        return Heartbeat(vitals, self.clock, boot_id="boot", period_s=period_s)

    def live(self, seconds: float) -> None:
        """Let time pass as its thread does: from one round to the next."""
        end_s = self.clock.now().monotonic_s + seconds
        while (now_s := self.clock.now().monotonic_s) < end_s:
            pause_s = self.heart.round(self.client, TOPIC)
            assert pause_s > 0.0
            self.clock.advance(min(pause_s, end_s - now_s))


@pytest.fixture
def kiosk(tmp_path: Path):
    with open_journal(site_of(tmp_path, None)) as journal:
        yield Kiosk(tmp_path, journal)


def test_it_comes_at_the_start_and_then_each_minute(kiosk: Kiosk) -> None:
    kiosk.live(180.5)
    assert [one["uptime_s"] for one in kiosk.came] == [0.0, 60.0, 120.0, 180.0]
    assert kiosk.answers == []


def test_it_says_what_the_contract_describes(kiosk: Kiosk, tmp_path: Path) -> None:
    kiosk.journal.append(make_event(EventType.AGENT_STARTED, {}, instant(site_of(tmp_path, None))))
    kiosk.stands = SetStatus(
        {"voice:files": "gone", "camera:front": "no frame"},
        false_grants={
            "north-entry": {**RISK, "expected_last_day": 0.0016},
            "south-entry": {**RISK, "expected_last_day": 0.0004},
        },
    )
    kiosk.live(1.0)
    (said,) = kiosk.came
    assert complaints(said, payload("health")) == []
    assert said["faults"] == ["camera:front", "voice:files"]
    assert said["queue"] == {"epoch": kiosk.journal.epoch, "last_sequence": 1, "unpublished": 1}
    assert said["disk"]["free_bytes"] <= said["disk"]["total_bytes"]
    assert said["temperatures_c"] == {"cpu-thermal": 51.1}
    assert (said["holders"], said["references"]) == (2, 2)
    assert said["expected_false_grants_last_day"] == 0.002
    assert said["time"] == "2026-05-06T12:00:00.000Z"
    assert said["clock"] == {
        "state": "settled",
        "confirmed": "2026-05-06T12:00:00.000Z",
        "claimed": None,
    }


def test_beyond_the_cards_budget_every_second_one_comes_and_says_so(kiosk: Kiosk) -> None:
    day = Day(date(2026, 5, 6), written=60_000_000, logged=1)
    wear = Wear(day, 50_000_000, measured=True)
    kiosk.heart = kiosk.make(replace(kiosk.vitals, wear=lambda: wear))
    kiosk.live(240.5)
    assert [one["uptime_s"] for one in kiosk.came] == [0.0, 120.0, 240.0]
    assert complaints(kiosk.came[0], payload("health")) == []
    assert (
        kiosk.came[0]["written"] | {"bytes": 60_000_001, "over": True} == (kiosk.came[0]["written"])
    )


def test_while_the_broker_is_away_there_is_none_and_none_waits(kiosk: Kiosk) -> None:
    kiosk.live(1.0)
    kiosk.broker.go()
    kiosk.live(600.0)
    assert len(kiosk.came) == 1
    kiosk.broker.come_back()
    kiosk.live(2.0)
    assert [one["uptime_s"] for one in kiosk.came] == [0.0, 601.0]
    kiosk.live(60.0)
    assert len(kiosk.came) == 3


def test_one_that_meets_a_break_is_gone_and_the_next_comes(kiosk: Kiosk) -> None:
    kiosk.heart.round(kiosk.client, TOPIC)
    kiosk.broker.go()
    kiosk.clock.advance(1.0)
    kiosk.broker.come_back()
    kiosk.clock.advance(1.0)
    assert kiosk.came == []
    kiosk.live(60.0)
    assert len(kiosk.came) == 1


def test_a_journal_and_a_disk_that_are_silent_are_left_out(kiosk: Kiosk) -> None:
    class Locked:
        epoch = "7f1c2a9e04b8d6c5"

        def last_sequence(self) -> int:
            raise StoreError("the journal is locked")

        def pending(self) -> int:
            return 0

    def silent() -> Space:
        raise OSError(5, "Input/output error")

    kiosk.heart = kiosk.make(
        replace(kiosk.vitals, stream=Locked(), space=silent, temperatures_c=dict)
    )
    kiosk.live(1.0)
    (said,) = kiosk.came
    assert (said["queue"], said["disk"], said["temperatures_c"]) == (None, None, {})
    assert complaints(said, payload("health")) == []


def test_a_clock_that_nobody_set_is_told(kiosk: Kiosk) -> None:
    kiosk.clock.step_utc(-1e8, trusted=False)
    kiosk.live(1.0)
    assert kiosk.came[0]["clock_synced"] is False
    assert complaints(kiosk.came[0], payload("health")) == []


def test_a_step_of_the_clock_makes_none_more_and_none_less(kiosk: Kiosk) -> None:
    kiosk.live(90.0)
    kiosk.clock.step_utc(86_400.0)
    kiosk.live(60.5)
    assert [one["uptime_s"] for one in kiosk.came] == [0.0, 60.0, 120.0]


def test_its_thread_ends_at_once(kiosk: Kiosk) -> None:
    thread = threading.Thread(target=kiosk.heart.work, args=(kiosk.client, TOPIC))
    thread.start()
    kiosk.heart.stop()
    thread.join(60)
    assert not thread.is_alive()

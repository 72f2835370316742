"""The retained status, as it is put together, against its description."""

import json
import queue
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asyncapi import complaints, payload
from gate_parts import REGISTRY

from agent.adapters.manual_clock import ManualClock
from agent.app.open.files.stores import open_journal
from agent.app.open.site import instant, make_event, site_of
from agent.app.threads.record.status import StatusBoard
from agent.controller.effects import SetStatus
from agent.domain.hours.reckoning import Reckoning
from agent.domain.record.events import EventType
from agent.domain.record.status import FaceStatus, offline


def test_before_the_controller_says_anything_no_clock_is_simply_believed(
    tmp_path: Path,
) -> None:
    known = Reckoning.since(datetime(2026, 5, 6, tzinfo=UTC))
    with open_journal(site_of(tmp_path, None)) as journal:
        board = StatusBoard(
            journal,
            lambda: REGISTRY,
            ManualClock(utc=datetime(2026, 4, 1, tzinfo=UTC)),
            boot_id="boot",
            faces=FaceStatus(without_pad=True),
            time=known,
        )
        assert board.read()["clock"]["state"] == "behind"
        assert board.read()["clock_synced"] is False


def test_the_status_is_what_is_described(tmp_path: Path) -> None:
    site = site_of(tmp_path, None)
    with open_journal(site) as journal:
        journal.append(make_event(EventType.AGENT_STARTED, {"version": "1"}, instant(site)))
        board = StatusBoard(
            journal,
            lambda: REGISTRY,
            ManualClock(utc=datetime(2026, 5, 6, tzinfo=UTC)),
            boot_id="boot",
            faces=FaceStatus(without_pad=True),
            time=Reckoning(),
        )
        points = (
            {"north-entry": "free_passage"},
            {"north-entry": "normal"},
            {"north-entry": "fire"},
        )
        risk = {"stage": "calm", "threshold": -0.49, "fmr": 5e-4, "attempts": 2, "left": 0.93}
        risk["expected_last_day"] = 0.0016
        board.set(SetStatus({"camera:front": "no frame"}, *points, {"north-entry": risk}))
        status = json.loads(json.dumps(board.read()))
    assert complaints(status, payload("status.online")) == []
    assert complaints({**status, "faults": {"x": 1}}, payload("status.online")) != []
    for word in ("stopped", "lost"):
        assert complaints(offline(word), payload("status.offline")) == []


def test_a_thin_status_waits_but_a_broker_that_is_back_is_told_at_once(tmp_path: Path) -> None:
    said: queue.Queue[dict[str, Any]] = queue.Queue()

    class Told:
        """A broker that takes what is published."""

        def connected(self) -> bool:
            return True

        def publish(self, _topic: str, payload: bytes, **_options: object) -> int:
            said.put(json.loads(payload))
            return 1

    with open_journal(site_of(tmp_path, None)) as journal:
        board = StatusBoard(
            journal,
            lambda: REGISTRY,
            ManualClock(utc=datetime(2026, 5, 6, tzinfo=UTC)),
            boot_id="boot",
            faces=FaceStatus(without_pad=True),
            time=Reckoning(),
        )
        board.thin_while(lambda: True)
        thread = threading.Thread(target=board.work, args=(Told(), "status"))
        thread.start()
        try:
            assert said.get(timeout=60)["faults"] == {}
            board.set(SetStatus({"disk": "full"}))
            board.refresh()
            assert said.get(timeout=60)["faults"] == {"disk": "full"}
        finally:
            board.stop()
            thread.join(60)
        assert said.empty()

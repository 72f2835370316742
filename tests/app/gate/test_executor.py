"""The order of deeds where a store fails: what moves an output comes before what is owed a disk."""

from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from agent.app.gate.executor import Executor, Outlets, Stores
from agent.controller.effects import Indicate, Latch, Record, Secure, SetStatus
from agent.controller.inputs import FaultCleared, FaultRaised
from agent.domain.access.part import Part
from agent.domain.door.door_mode import DoorLatch, Latches, Mode
from agent.domain.record.events import EventDraft, EventType
from agent.errors import StoreError

LOCKED = Latch(Latches({"lane": DoorLatch(Mode.LOCKED_DOWN)}))
NORMAL = Latch(Latches())


class Bench:
    """Stands for door, latches and inbox; says in which order they were used."""

    def __init__(self):
        self.done: list[object] = []
        self.fails = True
        self.executor = Executor(
            {"lane": self},  # type: ignore[dict-item] # all that is asked of a door here
            self,  # type: ignore[arg-type] # all that is asked of a journal here
            Stores(None, self, None),  # type: ignore[arg-type] # no pass is used
            Outlets(self.done.append, {SetStatus: self.done.append, Indicate: self.done.append}),
            new_id=lambda _draft: "1",
        )

    def submit(self, event):
        self.done.append(event)

    def secure(self):
        self.done.append("secure")

    def save(self, latches):
        self.done.append(latches)
        if self.fails:
            raise StoreError("locked")


def test_what_is_owed_to_the_disk_waits_until_the_output_has_moved():
    bench = Bench()
    bench.executor.execute([LOCKED])
    assert [type(one) for one in bench.done] == [Latches, FaultRaised]
    bench.done.clear()
    bench.fails = False
    bench.executor.execute([Secure("lane")])
    assert bench.done == ["secure", LOCKED.latches, FaultCleared(Part("latches"), "agent")]
    bench.done.clear()
    bench.executor.execute([Secure("lane")])
    assert bench.done == ["secure"]


def test_a_newer_word_takes_the_place_of_the_one_that_is_owed():
    bench = Bench()
    bench.executor.execute([LOCKED])
    bench.done.clear()
    bench.executor.execute([NORMAL, SetStatus()])
    # Tried once: what it failed with now is not tried again at once.
    assert [one for one in bench.done if isinstance(one, Latches)] == [NORMAL.latches]
    bench.fails = False
    bench.executor.execute([SetStatus()])
    assert bench.done[-2] == NORMAL.latches


@pytest.mark.parametrize(
    ("kind", "data", "level"),
    [
        (EventType.ACCESS_NOT_TAKEN, {"door": "lane", "holder": "r-1042"}, "info"),
        (EventType.PASSBACK_FORGIVEN, {"holder": "r-1042", "by": "uid:0 root"}, "info"),
        (EventType.DOOR_MODE_CHANGED, {"door": "lane", "mode": "normal"}, "info"),
        (EventType.FAULT_RAISED, {"part": "tamper:box"}, "warning"),
        (EventType.DOOR_FORCED, {"door": "lane"}, "warning"),
        (EventType.DOOR_HELD_OPEN, {"door": "lane"}, "warning"),
    ],
)
def test_the_log_has_trouble_as_a_warning_and_nobodys_holder_id(
    kind: EventType, data: dict[str, Any], level: str
):
    bench = Bench()
    draft = EventDraft(kind, datetime(2026, 11, 25, tzinfo=UTC), True, "north-entry", data)
    with capture_logs() as logs:
        bench.executor.execute([Record(draft)])
    told = {key: value for key, value in data.items() if key != "holder"}
    expected = {"event": kind.value, "log_level": level, "access_point": "north-entry", **told}
    assert logs == [expected]
    assert [event.data for event in bench.done] == [data]  # type: ignore[attr-defined] # events only

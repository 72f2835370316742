"""What could not be written down is owed: in its order, behind the deeds, and never forgotten."""

from datetime import UTC, datetime
from typing import Any

import pytest

from agent.app.gate.executor import Executor, Outlets, Stores
from agent.controller.effects import Latch, Learn, Move, Secure
from agent.controller.inputs import FaultCleared, FaultRaised, Input
from agent.domain.access.part import Part
from agent.domain.credential.holder import HolderId
from agent.domain.door.antipassback import Position
from agent.domain.door.door_mode import DoorLatch, Latches, Mode
from agent.domain.skin.baseline import Baseline
from agent.errors import StoreError

ANNA, LIN = HolderId("anna"), HolderId("lin.2")
INSIDE = Position("garden", 1.0, "boot", datetime(2026, 5, 6, tzinfo=UTC), utc_trusted=True)
LOCKED = Latch(Latches({"door": DoorLatch(Mode.LOCKED_DOWN)}))
NORMAL = Latch(Latches())


class Disk:
    def __init__(self):
        self.works, self.written, self.log = True, [], []

    def _take(self, *what):
        self.log.append("tried")
        if not self.works:
            raise StoreError("database or disk is full")
        self.written.append(what)

    def save(self, latches):
        self._take("latches", latches)

    def move(self, holder, position):
        self._take("move", holder, position)

    def learn(self, baseline):
        self._take("learn", baseline)


class Door:
    def __init__(self, log):
        self.log = log

    def secure(self):
        self.log.append("secured")


class Stage:
    def __init__(self):
        self.disk = Disk()
        self.posted: list[Input] = []
        nobody: Any = None
        self.executor = Executor(
            {"door": Door(self.disk.log)},  # type: ignore[dict-item] # all that is asked of it
            nobody,
            Stores(nobody, self.disk, self.disk),  # type: ignore[arg-type] # as above
            Outlets(self.posted.append, {}),
            new_id=nobody,
        )

    def do(self, *effects):
        self.executor.execute(effects)


@pytest.fixture
def stage():
    return Stage()


def test_what_the_disk_takes_is_written_at_once(stage):
    stage.do(LOCKED, Move(ANNA, INSIDE))
    assert [what[0] for what in stage.disk.written] == ["latches", "move"]
    assert stage.posted == []


def test_what_it_does_not_take_is_written_later_the_last_word_of_each(stage):
    stage.disk.works = False
    stage.do(LOCKED, Move(ANNA, INSIDE), Move(LIN, INSIDE))
    stage.do(NORMAL, Move(ANNA, None), Learn(Baseline()))
    assert {type(one) for one in stage.posted} == {FaultRaised}
    stage.disk.works = True
    stage.do(Secure("door"))
    assert stage.disk.written == [
        ("move", LIN, INSIDE),
        ("latches", NORMAL.latches),
        ("move", ANNA, None),
        ("learn", Baseline()),
    ]
    assert stage.posted[-1] == FaultCleared(Part("latches"), "agent")
    stage.do(Secure("door"))
    assert len(stage.disk.written) == 4


def test_to_forgive_everybody_is_the_last_word_about_each(stage):
    stage.disk.works = False
    stage.do(Move(ANNA, INSIDE), Move(None, None), Move(LIN, INSIDE))
    stage.disk.works = True
    stage.do(Secure("door"))
    assert stage.disk.written == [("move", None, None), ("move", LIN, INSIDE)]


def test_the_door_is_first(stage):
    stage.disk.works = False
    stage.do(LOCKED)
    stage.disk.log.clear()
    stage.do(Secure("door"))
    assert stage.disk.log == ["secured", "tried"]


def test_nothing_to_do_tries_nothing(stage):
    stage.disk.works = False
    stage.do(LOCKED)
    stage.disk.log.clear()
    stage.do()
    assert stage.disk.log == []

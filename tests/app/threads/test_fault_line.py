"""A part's fault is said once and taken back once, whatever its thread sees how often."""

import pytest

from agent.app.threads.fault_line import FaultLine
from agent.controller.inputs import FaultCleared, FaultRaised, Input
from agent.domain.access.part import PartKind
from agent.errors import UnavailableError

PART = PartKind.CAMERA.part("front")
CLEARED = FaultCleared(PART, "agent")


class Line:
    def __init__(self, *, may_stand_already: bool = False):
        self.posted: list[Input] = []
        self.fault = FaultLine(PART, self.posted.append, may_stand_already=may_stand_already)


def test_a_fault_is_raised_once_by_its_first_word_and_cleared_once():
    line = Line()
    line.fault.works()
    assert line.posted == []
    line.fault.failed("no frame")
    line.fault.failed("no camera")
    assert line.posted == [FaultRaised(PART, "no frame")]
    line.fault.works()
    line.fault.works()
    assert line.posted[1:] == [CLEARED]
    line.fault.failed("no frame again")
    assert line.posted[2:] == [FaultRaised(PART, "no frame again")]


@pytest.mark.parametrize(
    ("says", "posted"),
    [
        ("+", [CLEARED]),
        ("++", [CLEARED]),
        ("-", [FaultRaised(PART, "x")]),
        ("--+", [FaultRaised(PART, "x"), CLEARED]),
        ("+-", [CLEARED, FaultRaised(PART, "x")]),
    ],
)
def test_one_that_may_stand_already_is_cleared_by_the_first_good_word(says, posted):
    line = Line(may_stand_already=True)
    for word in says:
        if word == "+":
            line.fault.works()
        else:
            line.fault.failed("x")
    assert line.posted == posted


@pytest.mark.parametrize("may_stand_already", [False, True])
def test_it_fails_from_the_first_bad_word_to_the_next_good_one(may_stand_already):
    line = Line(may_stand_already=may_stand_already)
    seen = [line.fault.failing]
    line.fault.failed("x")
    seen.append(line.fault.failing)
    line.fault.works()
    assert [*seen, line.fault.failing] == [False, True, False]


@pytest.mark.parametrize(
    ("why", "detail"),
    [
        ("two\nlines", "two\nlines"),
        (UnavailableError("it is gone\nplug it in"), "it is gone"),
        (OSError(), "OSError"),
    ],
)
def test_of_an_error_one_line_is_told(why, detail):
    line = Line()
    line.fault.failed(why)
    assert line.posted == [FaultRaised(PART, detail)]

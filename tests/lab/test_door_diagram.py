"""The page shows the table that the code walks."""

import pytest
from places import ROOT

from agent.domain.door.access_point import DoorInput, State
from agent.lab.door_diagram import diagram, page, table

PAGE = ROOT / "docs" / "access-point.md"


def test_the_page_is_drawn_from_the_code():
    assert page(PAGE.read_text()) == PAGE.read_text(), "run scripts/draw"


def test_every_state_is_in_both_and_every_input_in_the_table():
    for state in State:
        assert state.value in diagram()
        assert state.value in table().splitlines()[0]
    rows = [line.split("`")[1] for line in table().splitlines()[2:]]
    assert rows == [happened.value for happened in DoorInput]


def test_a_page_without_its_marks_is_refused():
    with pytest.raises(ValueError, match="marks of the diagram"):
        page("# Nothing here\n")

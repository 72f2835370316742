"""The page shows the table of the state folder that the code goes by."""

import pytest
from places import ROOT

from agent.app.open.files.state import ROWS
from agent.lab.state_table import page, table

PAGE = ROOT / "docs" / "service.md"


def test_the_page_is_drawn_from_the_code():
    assert page(PAGE.read_text()) == PAGE.read_text(), "run scripts/draw"


def test_every_row_is_drawn():
    names = [line.split("`")[1].rstrip("/") for line in table().splitlines()[2:]]
    assert names == [row.name for row in ROWS]


def test_no_cell_is_torn():
    assert {line.replace("|---", "| ").count("|") for line in table().splitlines()} == {6}


def test_a_page_without_its_marks_is_refused():
    with pytest.raises(ValueError, match="marks of the state"):
        page("# Nothing here\n")

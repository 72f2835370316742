"""The page shows the signs that the code goes by."""

import pytest
from places import ROOT

from agent.domain.access.signs import Before
from agent.lab.sign_table import WHEN, page, table

PAGE = ROOT / "docs" / "telling.md"


def test_the_page_is_drawn_from_the_code() -> None:
    assert page(PAGE.read_text()) == PAGE.read_text(), "run scripts/draw"


def test_every_state_is_drawn() -> None:
    assert set(WHEN) == set(Before)
    assert len(table().splitlines()) == len(Before) + 2
    assert {line.replace("|---", "| ").count("|") for line in table().splitlines()} == {5}


def test_a_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks of the signs"):
        page("# Nothing here\n")

"""Tables and records at terminals of several widths, and where there is none."""

import csv
import io
import sys
from collections.abc import Callable

import pytest
from rich.cells import cell_len
from screens import WIDTHS, terminal

from agent.cli.terminal.sheet import sheet
from agent.cli.terminal.style import Cell, Meaning, styled
from agent.cli.terminal.table import line, record, table

COLUMNS = ("id", "name", "category", "references", "why")
ROWS = [
    ("r-1042", "李雨", Cell("resident", Meaning.GOOD), 3, "so many words that they need a fold"),
    ("v-77", "Ana \x1b[31mBold", Cell("visitor", Meaning.BAD), None, "[bold]short[/bold]"),
]

Shown = Callable[..., str]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    """What a terminal shows of what a block says."""

    def run(columns: int, said: Callable[[], None], *, no_colour: str = "") -> str:
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("NO_COLOR", no_colour)
        with terminal(columns) as (stream, seen), monkeypatch.context() as swapped:
            swapped.setattr(sys, "stdout", stream)
            said()
        return b"".join(seen).decode().replace("\r\n", "\n")

    return run


@pytest.mark.parametrize("width", [20, 30, *WIDTHS])
def test_nothing_is_wider_than_the_terminal_and_nothing_is_lost(shown: Shown, width: int) -> None:
    for said in (
        lambda: table(COLUMNS, ROWS),
        lambda: record(dict(zip(COLUMNS, ROWS[0]))),  # noqa: B905 - equally long
        lambda: line(*ROWS[0], hang=8),
    ):
        seen = shown(width, said, no_colour="1")
        assert max(map(cell_len, seen.splitlines())) <= width
        assert {"r-1042", "李雨", "resident", "words", "fold"} <= set(seen.split())


def test_what_does_not_fit_becomes_a_record_a_row(shown: Shown) -> None:
    seen = shown(30, lambda: table(COLUMNS, ROWS), no_colour="1")
    blocks = seen.strip().split("\n\n")
    assert [block.split()[:2] for block in blocks] == [["id", "r-1042"], ["id", "v-77"]]


def test_a_line_is_folded_under_itself(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    seen = shown(30, lambda: line(*ROWS[0], hang=8), no_colour="1")
    assert seen.splitlines() == [
        "r-1042  李雨  resident  3  so",
        "        many words that they",
        "        need a fold",
    ]
    indented = shown(30, lambda: line("  a word that is said and the rest of it"), no_colour="1")
    assert indented.splitlines() == ["  a word that is said and the", "    rest of it"]
    assert "\x1b[32mresident" in shown(30, lambda: line(*ROWS[0], hang=8))
    line(*ROWS[0])
    assert capsys.readouterr().out == (
        "r-1042  李雨  resident  3  so many words that they need a fold\n"
    )


def test_a_table_has_another_form_where_it_is_narrow(
    shown: Shown, capsys: pytest.CaptureFixture[str]
) -> None:
    def said() -> None:
        table(COLUMNS, ROWS, narrow=lambda: line("two people"))

    assert shown(30, said) == "two people\n"
    assert "李雨" in shown(160, said)
    said()
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(ROWS)


def test_a_terminal_without_abilities_is_as_wide_as_it_is(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> None:
        monkeypatch.setenv("TERM", "dumb")
        table(COLUMNS, ROWS)

    assert max(map(cell_len, shown(40, said).splitlines())) <= 40


def test_colour_means_something_and_can_be_turned_off(shown: Shown) -> None:
    coloured = shown(80, lambda: table(COLUMNS, ROWS))
    assert "\x1b[32mresident" in coloured
    assert "\x1b[31mvisitor" in coloured
    assert "\x1b" not in shown(80, lambda: table(COLUMNS, ROWS), no_colour="1")


def test_no_markup_and_no_control_character_comes_through(shown: Shown) -> None:
    seen = shown(160, lambda: table(COLUMNS, ROWS), no_colour="1")
    assert r"Ana \x1b[31mBold" in seen
    assert "[bold]short[/bold]" in seen


def test_elsewhere_a_row_is_one_line_without_colour(capsys: pytest.CaptureFixture[str]) -> None:
    table(COLUMNS, [(*ROWS[0][:4], "long " * 100)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "\x1b" not in lines[1]


def test_no_row_is_said(shown: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(80, lambda: table(COLUMNS, [], empty="nobody")) == "nobody\n"
    table(COLUMNS, [], empty="nobody")
    assert capsys.readouterr().out.split() == list(COLUMNS)


def test_a_dumb_terminal_gets_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(80) as (stream, _):
        for term, expected in (("dumb", "x"), ("", "x"), ("xterm", "\x1b[31mx\x1b[0m")):
            monkeypatch.setenv("TERM", term)
            monkeypatch.delenv("NO_COLOR", raising=False)
            assert styled("x", Meaning.BAD, stream) == expected


def test_a_sheet_is_csv_and_no_formula(capsys: pytest.CaptureFixture[str]) -> None:
    sheet(COLUMNS, [("r-1", "=cmd|' /C calc'!A0", Cell("a,b", Meaning.BAD), None, -3)])
    found = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert found == [list(COLUMNS), ["r-1", "'=cmd|' /C calc'!A0", "a,b", "", "-3"]]

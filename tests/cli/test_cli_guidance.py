"""What stands on the terminal of whoever enrols at the camera."""

import re
import sys
from dataclasses import replace

import pytest
from rich.cells import cell_len
from screens import WIDTHS, terminal

from agent.cli.people.guidance import guidance
from agent.operations.people.guide import Guide, Hint, Step

BEGUN = Guide(30.0)
STAGES = (
    replace(BEGUN, hint=Hint.LESS_LIGHT),
    replace(BEGUN, hint=Hint.HOLD),
    replace(BEGUN, step=Step.ONE_SIDE, hint=Hint.TURN_MORE, taken=(7,)),
    replace(BEGUN, step=Step.TIMED_OUT),
)


@pytest.mark.parametrize("width", [30, *WIDTHS])
def test_the_line_fits_and_says_by_colour_that_it_is_good(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.delenv("NO_COLOR", raising=False)
    with terminal(width) as (stream, seen), monkeypatch.context() as swapped:
        swapped.setattr(sys, "stderr", stream)
        with guidance(as_json=False) as watch:
            for before, after in zip((BEGUN, *STAGES), STAGES, strict=False):
                watch(before, after, None)
    shown = b"".join(seen).decode()
    drawn = [line for line in re.split(r"\r(?:\x1b\[K|\n)", shown) if line]
    assert drawn[0].startswith("1 of 3: look straight")
    assert drawn[1].startswith("\x1b[32m1 of 3")
    assert "photograph 1 of 3 taken" in drawn[2]
    assert drawn[-1] == "\x1b[31mthe time is over\x1b[0m"
    # A line that wraps could not be rewritten.
    assert max(cell_len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in drawn) < width

"""Screens of measurements at three widths, of figures that are given."""

from collections.abc import Callable
from functools import partial

import pytest
from golden import held
from measure_parts import (
    BENCH,
    CARRIED,
    ONE_MISSED,
    OPERATING_POINT,
    SEVERAL_MISSED,
    SIMULATED,
    TABLE,
    VIOLATED,
    identities,
    judged,
    packs,
    pad,
    pairs,
)
from screens import WIDTHS, shown_by

from agent.cli.measure import bench_text, evaluate_text, simulate

SCREENS: dict[str, Callable[[], object]] = {
    "bench-met": partial(bench_text.show, judged(BENCH)),
    "bench-one-missed": partial(bench_text.show, judged(ONE_MISSED)),
    "bench-several-missed": partial(bench_text.show, judged(SEVERAL_MISSED)),
    "simulate": partial(simulate.show, SIMULATED),
    "simulate-violated": partial(simulate.show, VIOLATED),
    "evaluate-pairs": lambda: evaluate_text.show(pairs()),
    "evaluate-identities": lambda: evaluate_text.show(identities()),
    "evaluate-packs": lambda: evaluate_text.show(packs()),
    "evaluate-operating-point": partial(
        evaluate_text.show_operating_point, OPERATING_POINT, TABLE, None
    ),
    "evaluate-operating-point-carried": partial(
        evaluate_text.show_operating_point, CARRIED, TABLE, "gate.toml"
    ),
    "evaluate-pad": lambda: evaluate_text.show_pad(pad()),
}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", SCREENS)
def test_a_measurement(monkeypatch: pytest.MonkeyPatch, name: str, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    held(shown_by(SCREENS[name], monkeypatch, width), f"{name}-{width}.txt")


def test_groups_that_nothing_can_be_said_of_are_not_left_out_in_silence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = identities()
    groups = {
        label: {**group, "rates": dict.fromkeys(group["rates"])}
        for label, group in found["by"]["groups"].items()
    }
    evaluate_text.show({**found, "by": {"column": "age", "groups": groups}})
    told = capsys.readouterr().out
    assert told.endswith("\nby age: not even the pairs of all carry a rate to compare groups at\n")


def test_a_limit_that_is_missed_is_red_and_one_that_is_met_green(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    shown = shown_by(SCREENS["bench-one-missed"], monkeypatch, 160)
    assert "\x1b[31mmissed" in shown
    assert "\x1b[32mmet" in shown
    assert "\x1b[31m1 of 5 limits is missed" in shown

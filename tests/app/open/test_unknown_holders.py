"""Whose rule takes a pass about somebody whom the registry does not know: config to controller."""

from pathlib import Path

import pytest
from config_parts import GOOD, warnings
from places import ROOT

from agent.app.open.settings import kiosk_settings
from agent.config import load_config

RULES = """
[[rule]]
categories = ["visitor"]
[[rule]]
categories = ["courier", "visitor"]
[[rule]]
categories = ["visitor", "staff"]
[[rule]]
categories = ["staff"]
accept_unknown_holders = true
[[rule]]
categories = ["courier"]
accept_unknown_holders = false
"""


def believing(tmp_path: Path, table: str = "") -> list[bool]:
    """Whether each of ``RULES`` does."""
    path = tmp_path / "gate.toml"
    path.write_text(
        GOOD.partition("[[rule]]")[0] + RULES + "[face]\naccept_no_pad = true\n" + table
    )
    rules = kiosk_settings(load_config(path).config, "boot").rules
    return [rule.believes_unknown for rule in rules]


def test_by_default_those_who_come_and_go(tmp_path: Path) -> None:
    assert believing(tmp_path) == [True, True, False, True, False]


def test_the_key_of_before_holds_for_rules_without_their_own(tmp_path: Path) -> None:
    assert believing(tmp_path, "[pass]\naccept_unknown_holders = true\n") == [
        *(True, True, True, True, False)
    ]
    assert believing(tmp_path, "[pass]\naccept_unknown_holders = false\n") == [
        *(False, False, False, True, False)
    ]


@pytest.mark.parametrize("word", ["true", "false"])
def test_and_is_warned_of(tmp_path: Path, word: str) -> None:
    text = (ROOT / "config" / "gate.example.toml").read_text()
    for said in (None, f"[pass]\naccept_unknown_holders = {word}\n"):
        path = tmp_path / "gate.toml"
        path.write_text(text if said is None else text.replace("[pass] ", f"{said}#"))
        found = [one for one in warnings(load_config(path)) if "accept_unknown_holders" in one]
        assert len(found) == (said is not None)
        assert all(f"accept_unknown_holders = {word} is now a key of [[rule]]" in x for x in found)

"""The worked values of two pages, made again in another language from the pages alone."""

from other_language import in_node
from places import ROOT

from agent.lab.command_page import COMMANDS, REPLIES


def test_another_language_finds_the_same_bytes() -> None:
    checked = in_node("vectors.mjs", ROOT / "docs/commands.md", ROOT / "docs/events.md")
    assert checked == [
        "command key",
        "kiosk's signing key",
        *(f"command: {name}" for name in COMMANDS),
        *(f"reply: {name}" for name in REPLIES),
        "kiosk",
        "event",
        "numbers",
        "checkpoint",
    ]

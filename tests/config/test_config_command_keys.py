"""[[command_key]]: rights that are none are told, and those that should be meant."""

from pathlib import Path

import pytest
from config_parts import COMMANDER, GOOD, warnings

from agent.config import load_config
from agent.domain.record.command import Verb
from agent.errors import ConfigError

KEY = COMMANDER.replace("verbs", "until = 2027-12-31\nverbs")


def written(folder: Path, text: str) -> Path:
    path = folder / "gate.toml"
    path.write_text(GOOD + text)
    (folder / "office.pem.pub").write_text("")
    return path


def test_without_a_broker_no_command_comes(tmp_path: Path) -> None:
    path = written(tmp_path, KEY)
    text = path.read_text()
    first, last = text.index("[broker]"), text.index("[[input]]")
    path.write_text(text[:first] + text[last:])
    assert any("without [broker] no signed command" in one for one in warnings(load_config(path)))


def said(folder: Path, text: str) -> list[str]:
    file = load_config(written(folder, text))
    return [one for one in warnings(file) if "command_key" in one or ".pub" in one]


def test_a_key_has_its_verbs_everywhere_and_until_it_ends(tmp_path: Path) -> None:
    (key,) = load_config(written(tmp_path, KEY)).config.command_key
    assert key.verbs == (Verb.UNLOCK, Verb.HEALTH)
    assert key.access_points == ()
    assert str(key.until) == "2027-12-31"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (KEY + KEY, ["'office' is named twice", "is another key's file already"]),
        (KEY.replace("unlock", "unlok"), ['should be "unlock", ']),
        (KEY.replace('["unlock", "health"]', "[]"), ["verbs"]),
        (KEY + 'access_points = ["nort"]', ["there is no 'nort'"]),
        (KEY.replace("2027-12-31", '"soon"'), ["until"]),
    ],
)
def test_what_is_no_right_is_refused(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, text))
    for one in words:
        assert one in str(caught.value)


def test_a_key_that_ends_needs_no_word(tmp_path: Path) -> None:
    assert said(tmp_path, KEY) == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (COMMANDER, "has no end (until)"),
        (KEY.replace("office.pem.pub", "none.pub"), "none.pub is not there"),
        (
            KEY.replace('"unlock", ', "") + 'access_points = ["north-entry"]\n',
            "none of its verbs is about access points",
        ),
    ],
)
def test_what_should_be_meant_is_told(tmp_path: Path, text: str, word: str) -> None:
    assert any(word in one for one in said(tmp_path, text)), said(tmp_path, text)

"""A rule's challenge: whom it may ask."""

from pathlib import Path

import pytest
from config_parts import GOOD, warnings

from agent.app.open.settings import kiosk_settings
from agent.config import load_config
from agent.domain.access.challenge import Side
from agent.errors import ConfigError

ASKS = "challenge = true"


def written(folder: Path, *lines: str) -> Path:
    """The good config, its first rule with these lines."""
    path = folder / "gate.toml"
    path.write_text(GOOD.replace("[[rule]]\n", "[[rule]]\n" + "\n".join(lines) + "\n", 1))
    return path


def test_none_is_asked_unless_the_rule_says_so(tmp_path):
    assert not any(rule.challenge for rule in load_config(written(tmp_path)).config.rule)


def test_the_rule_asks_and_the_side_is_drawn(tmp_path):
    settings = kiosk_settings(load_config(written(tmp_path, ASKS)).config, "boot")
    assert settings.rules[0].challenge
    draw = settings.draw_side
    assert draw is not None
    assert {draw() for _ in range(64)} == set(Side)


@pytest.mark.parametrize("factors", ['["pass"]', '["id_document", "pass+id_document"]'])
def test_nothing_can_turn_where_no_factors_have_a_face(tmp_path, factors):
    with pytest.raises(ConfigError) as refused:
        load_config(written(tmp_path, f"factors = {factors}", ASKS))
    assert any("challenge" in one and "face" in one for one in refused.value.findings)


def test_a_rule_that_opens_without_a_face_too_says_so(tmp_path):
    config = load_config(written(tmp_path, 'factors = ["pass+face", "pass"]', ASKS))
    (found,) = [one for one in warnings(config) if "(challenge)" in one]
    assert "by pass without any face" in found
    config = load_config(written(tmp_path, 'factors = ["pass+face"]', ASKS))
    assert not [one for one in warnings(config) if "(challenge)" in one]

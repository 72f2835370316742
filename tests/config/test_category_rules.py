"""Rules of a category from outside: held to the config that they are to stand in."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import ROOT

from agent.config.category_rules import rules_of_category
from agent.config.load import config_in
from agent.domain.access.community_rules import LONGEST_RULES

CONFIG = config_in((ROOT / "config/gate.example.toml").read_text(), Path("gate.toml")).config


def test_they_are_read_as_the_configs_own_and_for_the_category_alone() -> None:
    (rule,) = rules_of_category(
        CONFIG, "resident", '[{"factors": ["pass+face"], "factor_window_s": 20}]'
    )
    assert (rule.categories, rule.factors, rule.factor_window_s) == (
        ("resident",),
        ("pass+face",),
        20,
    )
    assert rules_of_category(CONFIG, "never-heard-of", "[]") == ()


def test_each_may_have_its_schedule_and_access_points() -> None:
    point = CONFIG.access_point[0].id
    span = '{"days": ["mon"], "from": "08:00", "until": "9:30"}'
    text = '[{"access_points": ["%s"], "schedule": [' + span + "]}, {}]"
    with pytest.raises(ValueError, match=r"rule 1\.schedule"):
        rules_of_category(CONFIG, "courier", text % point)
    first, second = rules_of_category(CONFIG, "courier", text.replace("9:30", "09:30") % point)
    assert (first.access_points, second.access_points) == ((point,), ())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting"),
        ("{}", "list of objects"),
        ("[1]", "list of objects"),
        ('[{"factors": ["smile"]}]', "rule 1.factors"),
        ('[{}, {"factor": ["face"]}]', "rule 2.factor"),
        ('[{"access_points": ["moon"]}]', "there is no 'moon'"),
        ('[{"schedule": "never-made"}]', "never-made"),
        ('[{"categories": ["staff"]}]', "do not name categories"),
        ("[" + ",".join(["{}"] * 17) + "]", "16 rules"),
        (" " * (LONGEST_RULES + 1), "characters"),
        ("[" * 1000, "deep"),
    ],
)
def test_what_the_kiosk_cannot_keep_is_refused_with_the_place(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        rules_of_category(CONFIG, "courier", text)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200) | st.text(alphabet='[]{}":,factors0pass+', max_size=200))
def test_nothing_but_a_value_error_comes_of_any_text(text: str) -> None:
    with contextlib.suppress(ValueError):
        rules_of_category(CONFIG, "courier", text)

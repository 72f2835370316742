"""Archive categories: each one table, of which its rule is made, and nothing told twice."""

from pathlib import Path

import pytest
from places import ROOT

from agent.app.open.settings import kiosk_settings
from agent.config import GateConfig
from agent.config.category_rules import rules_of_category
from agent.config.eleven import ELEVEN
from agent.config.load import config_in
from agent.errors import ConfigError
from agent.operations.config.describe import risks, summary

EXAMPLE = (ROOT / "config/gate.example.toml").read_text()
OWN = '[[category]]\nid = "choir"\nalternative = "pass"\nfactors = ["face", "pass"]\n'
BEGINS = "\n[registers]\ndefaults = true\n"


def read(more: str) -> GateConfig:
    return config_in(EXAMPLE + more, Path("gate.toml")).config


def test_eleven_are_there_by_default_and_admit_nobody_by_that() -> None:
    config = read("")
    assert [one.id for one in config.categories] == [
        *("resident", "tenant", "migrant_worker", "returnee_inside", "returnee_outside"),
        *("home_isolation", "isolation_ended", "key_region", "staff", "courier", "visitor"),
    ]
    assert config.rules == config.rule


def test_by_one_word_they_pass_by_the_rules_of_their_tables() -> None:
    config = read(BEGINS)
    named = {name for rule in config.rule for name in rule.categories}
    made = {rule.categories[0]: rule for rule in config.rules[len(config.rule) :]}
    factors = {one.id: one.factors for one in ELEVEN if one.factors and one.id not in named}
    assert {name: rule.factors for name, rule in made.items()} == factors
    assert made["returnee_outside"].health_certificate
    refused = {"home_isolation", "key_region"}
    assert not refused & {one for rule in config.rules for one in rule.categories}


def test_one_of_the_communitys_own_makes_a_rule_for_the_gate() -> None:
    config = read(OWN)
    (rule,) = [one for one in kiosk_settings(config, "boot").rules if "choir" in one.categories]
    assert [sorted(one) for one in rule.factors] == [["face"], ["pass"]]
    assert rule.access_points == frozenset()
    assert summary(config)["archive_categories"] == ["choir"]
    assert "choir" in summary(config)["categories"]


def test_one_of_the_same_id_stands_in_the_place_of_the_default() -> None:
    config = read('[[category]]\nid = "tenant"\nzh = "租客"\nalternative = "staffed"\n')
    assert [one.zh for one in config.categories if one.id == "tenant"] == ["租客"]
    assert len(config.categories) == len(ELEVEN)


@pytest.mark.parametrize(
    ("more", "where", "said"),
    [
        ('[[category]]\nid = "choir"\n', "category[0].alternative", "is missing"),
        (OWN + OWN, "category[1].id", "named twice"),
        (OWN.replace('"choir"', '"resident"'), "category[0].factors", "told twice"),
        (OWN.replace(', "pass"', ', "pass+face"'), "category[0].alternative", "the only way in"),
        (OWN.replace('"pass"\n', '"id_document"\n'), "category[0].alternative", "id_document"),
        (OWN.replace("factors", "#"), None, ""),
        (OWN.replace("factors", "health_certificate = true\n#"), "category[0].health", "goes with"),
        (OWN + 'schedule = "night"\n', "category[0].schedule", "there is no"),
        (OWN + "temperature_limit_c = 55.0\n", "category[0].temperature_limit_c", "42"),
        (OWN + 'ledger = "choirs"\n', "category[0].ledger", "returnees"),
        ('[registers]\ncommunity_code = "幸福里"\n', "registers.community_code", ""),
    ],
)
def test_what_is_wrong_is_told_at_its_place(more: str, where: str | None, said: str) -> None:
    if where is None:
        assert read(more).rules == read("").rules
        return
    with pytest.raises(ConfigError) as caught:
        read(more)
    (line,) = [one for one in str(caught.value).splitlines() if where in one]
    assert said in str(caught.value)
    assert "rule[" not in line


def test_a_pass_alone_is_warned_of_where_the_category_says_so() -> None:
    file = config_in(EXAMPLE + OWN, Path("gate.toml"))
    assert ("category", 0, "factors", 1) in [one[0] for one in risks(file)]


def test_rules_that_the_community_gave_stand_in_the_place_of_the_categorys_own() -> None:
    config = read(OWN)
    (rule,) = rules_of_category(config, "choir", '[{"factors": ["pass"]}]')
    assert rule.factors == ("pass",)


def test_a_category_of_the_default_may_be_declared_with_a_face_and_somebody_at_the_gate() -> None:
    config = read('[[category]]\nid = "staffs"\nalternative = "staffed"\nfactors = ["face"]\n')
    assert config.rules[-1].categories == ("staffs",)

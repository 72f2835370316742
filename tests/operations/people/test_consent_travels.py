"""A holder's consent to the transmission of their face goes along from kiosk to kiosk."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from store_parts import BY, NOW, holder, open_registry

from agent.domain.credential.holder import Consent
from agent.errors import RefusedError
from agent.operations.people.holders import Change, as_json, change
from agent.operations.people.transfer import export_lines, parse_lines, write

CONSENT = Consent("2026-1", datetime(2026, 11, 1, tzinfo=UTC))
GIVEN = {"transmission": {"notice": "2026-1", "at": "2026-11-01T00:00:00.000Z"}}
ANNA = holder("anna", consent=CONSENT)


@pytest.fixture
def registry(tmp_path):
    made = open_registry(tmp_path / "registry.sqlite")
    made.put(ANNA, by=BY, now=NOW)
    return made


def line(**more):
    return json.dumps({"id": "anna", "name": "Lin Yu", "category": "resident", **more})


def imported(registry, text):
    write(parse_lines([text], "people", None), registry, by=BY, now=NOW)
    return registry.holders()[0].consent


def test_it_is_exported_and_imported(registry, tmp_path) -> None:
    (said,) = export_lines(registry.holders(), (), None)
    assert json.loads(said)["consent"] == GIVEN == as_json(ANNA, {})["consent"]
    other = open_registry(tmp_path / "other.sqlite")
    assert imported(other, said) == CONSENT
    (silent,) = export_lines([holder("bert")], (), None)
    assert "consent" not in json.loads(silent)


def test_a_line_that_says_nothing_of_it_leaves_it_and_null_takes_it_back(registry) -> None:
    assert imported(registry, line(category="staff")) == CONSENT
    assert imported(registry, line(consent=None)) is None


def test_a_change_at_the_desk_leaves_it(registry) -> None:
    after, changed = change(registry, "anna", Change(category="staff"), by=BY, now=NOW)
    assert (changed, after.consent) == (True, CONSENT)
    assert registry.holders() == [replace(ANNA, category="staff")]


@pytest.mark.parametrize(
    "consent",
    [
        True,
        {},
        {"transmission": True},
        {"transmission": {"notice": "2026-1"}},
        {"transmission": {"notice": "a b", "at": "2026-11-01T00:00:00Z"}},
        {"transmission": {"notice": 1, "at": "2026-11-01T00:00:00Z"}},
        {"transmission": {"notice": "2026-1", "at": "2026-11-01T00:00:00"}},
        {"transmission": {"notice": "2026-1", "at": None}},
    ],
)
def test_what_is_no_consent_is_refused(registry, consent) -> None:
    with pytest.raises(RefusedError, match="people:1"):
        imported(registry, line(consent=consent))
    assert registry.holders() == [ANNA]

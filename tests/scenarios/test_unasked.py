"""What no rule asks for is in no event: how warm somebody was, though a thermometer looks on."""

from dataclasses import replace

import pytest
from gate_parts import LIN
from thermal_parts import LIMIT, Warm

from agent.controller.effects import Record
from agent.domain.access.rule import Rule


@pytest.mark.parametrize("skin_c", [36.5, 39.9, None])
def test_what_no_rule_asks_for_is_in_no_event_and_in_no_baseline(skin_c):
    gate = Warm(replace(LIMIT, temperature_limit_c=None), Rule(frozenset({"visitor"})))
    gate.meet(LIN, skin_c)
    gate.meet("a stranger", skin_c, 2.0, known=False)
    assert gate.outcomes() == ["granted", "NoMatch"]
    said = [one.draft.data for one in gate.log if isinstance(one, Record)]
    assert [(one["temperature_c"], one["temperature"]) for one in said] == [(None, None)] * 2
    assert gate.kiosk.baseline.people == ()


def test_a_stranger_is_not_measured_where_a_rule_asks_for_others():
    gate = Warm(LIMIT)
    gate.meet("a stranger", 36.5, 2.0, known=False)
    assert gate.outcomes() == ["NoMatch"]
    assert (gate.last()["temperature_c"], gate.last()["temperature"]) == (None, None)

"""What each kind of input needs: the one table, and those that must agree with it."""

import re

import pytest
from places import ROOT

from agent.config.tables.faults import FaultsConfig
from agent.domain.door.signal import Signal

PAGE = (ROOT / "docs" / "inputs.md").read_text()


@pytest.mark.parametrize("signal", Signal)
def test_every_kind_says_what_its_levels_mean(signal: Signal):
    assert signal.traits.active != signal.traits.inactive


@pytest.mark.parametrize("signal", Signal)
def test_a_kind_of_one_direction_belongs_to_a_door(signal: Signal):
    assert signal.traits.needs_door or not signal.traits.needs_direction


@pytest.mark.parametrize("signal", [signal for signal in Signal if signal.traits.denies])
def test_what_may_keep_the_gate_closed_may_be_named_in_the_config(signal: Signal):
    assert FaultsConfig.model_validate({"deny": [signal.value]}).deny == (signal.value,)


def test_the_page_tells_each_kind_and_how_to_wire_it():
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE)) >= set(Signal)
    told = re.search(r"guards: ([\w, ]+?)  +asks: ([\w, ]+)$", PAGE, flags=re.MULTILINE)
    assert told is not None
    assert set(told[1].split(", ")) == {one for one in Signal if one.traits.guards}
    assert set(told[2].split(", ")) == {one for one in Signal if not one.traits.guards}

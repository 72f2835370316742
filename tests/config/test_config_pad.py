"""What the config owes where attack detection is, is not, or was not looked for."""

from collections.abc import Collection
from pathlib import Path

import pytest
from config_parts import GOOD, warnings

from agent.config import FaceConfig, load_config
from agent.config.relations import whole_of
from agent.errors import ConfigError

ACCEPTED, REFUSED = "accept_no_pad = true", "accept_no_pad = false"
BESIDE = 'factors = ["pass+face"]'
PASSES = 'factors = ["pass"]'


def written(folder: Path, general: str, *rules: str) -> Path:
    """The good config with these lines in its two rules."""
    text = GOOD.replace(ACCEPTED, general)
    for one in rules:
        text = text.replace("[[rule]]\n", f"[[-rule]]\n{one}\n", 1)
    path = folder / "gate.toml"
    path.write_text(text.replace("[[-rule]]", "[[rule]]"))
    return path


def refused(path: Path, pad: Collection[str] | None) -> list[str]:
    try:
        load_config(path, pad)
    except ConfigError as error:
        return [one.partition(": ")[2] for one in error.findings]
    return []


@pytest.mark.parametrize("factors", ["", BESIDE])
def test_no_face_counts_without_attack_detection_unless_that_is_accepted(tmp_path, factors):
    path = written(tmp_path, REFUSED, factors, factors)
    what = "face alone" if not factors else "a face beside a pass or document"
    (found,) = refused(path, ())
    assert found.startswith(f"face.accept_no_pad: the rules open by {what}, and no presentation")
    assert "gate-agent models install" in found
    assert refused(path, ("antispoof",)) == []
    assert refused(path, None) == []
    assert refused(written(tmp_path, ACCEPTED, factors, factors), ()) == []


def test_a_rule_may_accept_it_or_not(tmp_path):
    yes, no = f"{BESIDE}\n{ACCEPTED}", f"{BESIDE}\n{REFUSED}"
    assert refused(written(tmp_path, REFUSED, yes, yes), ()) == []
    assert refused(written(tmp_path, REFUSED, yes, PASSES), ()) == []
    (found,) = refused(written(tmp_path, ACCEPTED, yes, no), ())
    assert found.startswith("rule[1].accept_no_pad: the rules open by a face beside")
    assert refused(written(tmp_path, ACCEPTED, yes, no), ("minifasnet",)) == []


@pytest.mark.parametrize(
    ("general", "rules", "pad", "said"),
    [
        (ACCEPTED, ("", ""), None, ["face alone", "[face]", "unless a pack"]),
        (ACCEPTED, ("", ""), (), ["face alone", "[face]"]),
        (ACCEPTED, (BESIDE, BESIDE), (), ["a face beside a pass or document", "[face]"]),
        (REFUSED, (f"{BESIDE}\n{ACCEPTED}", PASSES), (), ["a face beside", "[[rule]]"]),
        (ACCEPTED, ("", ""), ("antispoof",), []),
        (ACCEPTED, (PASSES, PASSES), (), []),
        (REFUSED, ("", ""), None, []),
    ],
)
def test_a_photograph_that_may_pass_is_warned_of(tmp_path, general, rules, pad, said):
    file = load_config(written(tmp_path, general, *rules), pad)
    found = [one[1] for one in FaceConfig.warnings(whole_of(file.config, pad=pad))]
    assert len(found) == bool(said)
    assert all(word in found[0] for word in said)
    assert [one for one in warnings(file, pad) if "photograph of a resident" in one] == found


@pytest.mark.parametrize("value", ["0.0", "1.0", "nan"])
def test_a_threshold_that_refuses_or_passes_all_is_none(tmp_path, value):
    path = written(tmp_path, f"{ACCEPTED}\npad_threshold = {value}")
    assert refused(path, None)[0].startswith("face.pad_threshold: ")

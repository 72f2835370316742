"""[face.operating_point] in a config: what is refused of it, and where it is named."""

from pathlib import Path

import pytest
from config_parts import GOOD, MEASURED

from agent.config import load_config
from agent.errors import ConfigError


def loaded(tmp_path: Path, old: str, new: str) -> list[str]:
    path = tmp_path / "gate.toml"
    assert old in MEASURED
    path.write_text(GOOD + MEASURED.replace(old, new))
    try:
        load_config(path)
    except ConfigError as error:
        return [finding.partition(": ")[2] for finding in error.findings]
    return []


def test_what_was_measured_is_a_table_of_the_config(tmp_path: Path) -> None:
    assert loaded(tmp_path, "retail", "dlib") == []


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("0.52", "0.40", "face.operating_point.curve[1]: fmr must fall and threshold rise"),
        ("fmr = 1e-4", "fmr = 1e-2", "face.operating_point.curve[1]: fmr must fall"),
        ("0.52", "inf", "face.operating_point.curve[1].threshold: "),
        ("0.52", "nan", "face.operating_point.curve[1].threshold: "),
        ("0.52", "1.5", "face.operating_point.curve[1].threshold: "),
        (", { fmr = 1e-4, threshold = 0.52 }", "", "face.operating_point.curve: has one point"),
        ("fmr = 1e-2", "fmr = 1.0", "face.operating_point.curve[0].fmr: is less than 1"),
        ("persons = 40", "persons = 3", "face.operating_point.persons: is less than the 4"),
        ("persons", "person", "face.operating_point.person: is no known key; did you mean"),
    ],
)
def test_what_is_no_curve_is_refused_at_its_place(
    tmp_path: Path, old: str, new: str, wanted: str
) -> None:
    assert any(finding.startswith(wanted) for finding in loaded(tmp_path, old, new))

"""What ``gallery check`` answers, as JSON and in its relations."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from community_parts import gallery as faces_of
from community_parts import people

from agent.app.open.thresholds import curve_of, people_thresholds
from agent.domain.access.registry import Registry
from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.gallery_safety import holders_too_close
from agent.domain.sight.impostor_bound import site_bound
from agent.domain.sight.operating_point import (
    CurvePoint,
    OperatingPoint,
    ThresholdCurve,
    operating_point,
)
from agent.domain.sight.thresholds import Group, thresholds
from agent.errors import UnavailableError
from agent.operations.people.gallery_check import check_gallery
from agent.operations.people.gallery_plot import WIDTH, plot_lines
from agent.vision.packs.manifest import read_manifest

POINT = OperatingPoint(-0.5, 1e-3, extrapolated=False, sufficient=True)


def gallery(references: int, **more: Any) -> Registry:
    """A registry of so many references, of whose holders nothing more is asked."""
    return Registry(1, {}, references, POINT, frozenset(), "p", "1", **more)


def checked(*rows: tuple[str, float]) -> dict[str, Any]:
    """A gallery of holders on a line, so that scores can be told by eye."""
    templates = np.array([[place, 0.0] for _, place in rows], dtype=np.float32)
    names = [HolderId(name) for name, _ in rows]
    index = ReferenceIndex(names, templates.reshape(-1, 2), Metric.EUCLIDEAN)
    found: dict[str, Any] = json.loads(
        json.dumps(check_gallery(index, gallery(len(index)), 0.05), allow_nan=False)
    )
    return found


def test_who_stands_too_close_is_named() -> None:
    found = checked(("a", 0.0), ("a", 2.0), ("b", 2.25), ("c", 2.5), ("d", 5.0))
    assert found["close_pairs"] == [
        {"one": "a", "other": "b", "score": -0.25},
        {"one": "b", "other": "c", "score": -0.25},
        {"one": "a", "other": "c", "score": -0.5},
    ]
    assert (found["holders"], found["references"], found["ambiguous_holders"]) == (4, 5, 3)
    assert (found["impostor"]["pairs"], found["impostor"]["highest"]) == (9, -0.25)
    assert found["false_grant_rate"]["observed"] == 0.75


def test_the_bound_is_never_below_what_is_expected() -> None:
    rates = [
        checked(*[(f"h{i:04d}", float(i)) for i in range(size)])["false_grant_rate"]
        for size in (2, 10, 100, 1_000, 3_000)
    ]
    for rate in rates:
        assert 0.0 <= rate["observed"] <= rate["expected"] <= rate["upper_bound"] <= 1.0
    bounds = [rate["upper_bound"] for rate in rates[:3]]
    assert bounds == sorted(bounds, reverse=True)
    assert rates[-1]["upper_bound"] == rates[-1]["expected"] == pytest.approx(1 - 0.999**3000)


def test_each_reference_is_a_comparison() -> None:
    one = checked(*[(f"h{i}", float(i)) for i in range(10)])
    five = checked(*[(f"h{i}", i + part / 100) for i in range(10) for part in range(5)])
    rates = [found["false_grant_rate"]["expected"] for found in (one, five)]
    assert rates == [pytest.approx(1 - 0.999**10), pytest.approx(1 - 0.999**50)]


def test_the_day_carries_so_many_attempts() -> None:
    curve = ThresholdCurve((CurvePoint(1e-2, -0.57), CurvePoint(1e-3, -0.5)))
    names = [HolderId(f"h{i}") for i in range(10)]
    index = ReferenceIndex(names, np.eye(10, dtype=np.float32), Metric.EUCLIDEAN)
    day = check_gallery(index, gallery(10, curve=curve), 0.05)["false_grants_per_day"]
    assert day["max"] == 0.05
    assert day["attempts_at_threshold"] == pytest.approx(5.0, rel=0.01)
    assert day["attempts_at_strictest"] == pytest.approx(5_000, rel=0.01)
    assert day["strictest_fmr"] == pytest.approx(1e-6)
    assert day["strictest_threshold"] > -0.5
    assert check_gallery(index, gallery(0), 0.05)["false_grants_per_day"] == {
        "max": 0.05,
        "attempts_at_threshold": None,
        "attempts_at_strictest": None,
        "strictest_threshold": None,
        "strictest_fmr": None,
    }


def test_one_holder_excludes_nothing() -> None:
    found = checked(("a", 0.0), ("a", 0.1))
    rate = {"expected": pytest.approx(2e-3, rel=1e-2), "observed": None, "upper_bound": 1.0}
    assert found["false_grant_rate"] == {**rate, "confidence": 0.95}
    assert (found["impostor"], found["close_pairs"]) == (None, [])


def test_nobody_is_granted_falsely_by_an_empty_gallery() -> None:
    found = checked()
    assert (found["holders"], found["impostor"]) == (0, None)
    rate = {"expected": 0.0, "observed": None, "upper_bound": None, "confidence": 0.95}
    assert found["false_grant_rate"] == rate


def community(count: int, shared: float, ceiling: float | None = None) -> dict[str, Any]:
    """What is said of so many simulated people, by a pack of two measured groups."""
    pack = ThresholdCurve((CurvePoint(1e-3, 0.385), CurvePoint(1e-4, 0.44)), 78_000)
    worst = Group("others", ThresholdCurve((CurvePoint(1e-3, 0.562), CurvePoint(1e-4, 0.6))))
    index = faces_of(people(np.random.default_rng(4), count, "normal", shared))
    known = thresholds(pack, (worst,), site_bound(index), ceiling)
    registry = replace(
        gallery(count, curve=known.curve, thresholds=known),
        operating=operating_point(known.curve, count),
    )
    found: dict[str, Any] = json.loads(json.dumps(check_gallery(index, registry, 0.05, 0.01)))
    return found


@pytest.mark.parametrize(
    ("count", "shared", "decided_by"), [(2, 0.3, "prior"), (30, 0.3, "site"), (30, 0.0, "pack")]
)
def test_it_says_who_decides_the_threshold_and_why(
    count: int, shared: float, decided_by: str
) -> None:
    found = community(count, shared)
    decision = found["decision"]
    assert decision["decided_by"] == decided_by
    assert decision["why"]
    assert found["threshold"] >= decision["pack"]
    assert (decision["people"] is None) is (count < 4)
    assert [point["threshold"] for point in decision["curve"]] == sorted(
        point["threshold"] for point in decision["curve"]
    )
    if decision["people"] is not None:
        assert decision["people"]["fitted"] <= decision["people"]["bound"]
        assert decision["people"]["fit"]["verdict"] == "holds"


def test_it_says_what_becomes_of_it_as_the_gallery_grows() -> None:
    found = community(30, 0.3)
    now, twice, tenfold = found["growth"]
    assert [one["holders"] for one in (now, twice, tenfold)] == [30, 60, 300]
    assert now["threshold"] == found["threshold"] < twice["threshold"] < tenfold["threshold"]
    assert now["false_grant_rate"] == pytest.approx(found["false_grant_rate"]["expected"])
    assert tenfold["false_grant_rate_at_this_threshold"] == pytest.approx(0.095, abs=0.005)
    assert tenfold["false_grant_rate"] == pytest.approx(0.01, abs=1e-4)
    served = found["face_alone_serves"]
    # 30 people show nothing at so small a rate, and the curve beside them is a fit of theirs.
    assert (served["measured_references"], served["measured_holders"]) == (0, 0)
    assert served["extrapolated"]
    assert 300 < served["holders"] == served["references"]


def test_people_who_are_too_alike_are_told_how_few_the_face_alone_serves() -> None:
    few, many = (community(60, shared, 0.573) for shared in (0.6, 0.2))
    assert few["face_alone_serves"]["holders"] < 60 < many["face_alone_serves"]["holders"]
    assert (few["sufficient"], many["sufficient"]) == (False, True)


@pytest.mark.parametrize(("count", "shared"), [(2, 0.3), (30, 0.3), (200, 0.5)])
def test_the_picture_of_characters_fits_a_terminal(count: int, shared: float) -> None:
    for columns, most in ((10_000, WIDTH), (WIDTH, WIDTH), (60, 60), (50, 50), (10, 50)):
        lines = list(plot_lines(community(count, shared), columns))
        assert 3 < len(lines) < 45
        assert all(len(line) <= most and line.isascii() for line in lines)
        assert sum("threshold" in line for line in lines) == 1
    assert list(plot_lines(checked())) == []


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_the_picture_is_drawn_into_a_file(tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("matplotlib", reason="the extra demo is not installed")
    draw = import_module("agent.operations.people.gallery_picture").draw
    for number, found in enumerate((community(30, 0.3), checked())):
        draw(found, tmp_path / f"{number}{suffix}")
        head = (tmp_path / f"{number}{suffix}").read_bytes()[:5]
        assert head in (b"\x89PNG\r", b"<?xml")
    with pytest.raises(UnavailableError, match="cannot be written"):
        draw(checked(), tmp_path / "missing" / f"a{suffix}")


def test_eighteen_people_whom_a_pack_separates_badly_are_not_all_too_close() -> None:
    """As `dlib` sees East Asian faces: impostor scores -0.55 +- 0.08."""
    manifest = read_manifest("dlib")
    random = np.random.default_rng(2)
    index = faces_of(random.normal(size=(18, 24)) * 0.55 / np.sqrt(48.0), Metric.EUCLIDEAN)
    by_pack = operating_point(curve_of(manifest), 18)
    known = people_thresholds(manifest, index)
    point = operating_point(known.curve, 18)
    assert len(holders_too_close(index, by_pack.threshold)) > 6
    assert holders_too_close(index, point.threshold) == frozenset()
    assert point.sufficient
    # And it says for how many it would still do.
    assert 18 < known.references_served(0.01) < 20_000

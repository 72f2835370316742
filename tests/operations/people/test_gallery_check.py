"""What ``gallery check`` answers, as JSON and in its relations."""

import json
from typing import Any

import numpy as np
import pytest

from agent.domain.access.registry import Registry
from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.operating_point import CurvePoint, OperatingPoint, ThresholdCurve
from agent.operations.people.gallery_check import check_gallery

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

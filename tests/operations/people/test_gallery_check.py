"""What ``gallery check`` answers, as JSON and in its relations."""

import json
from typing import Any

import numpy as np
import pytest

from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.operating_point import OperatingPoint
from agent.operations.people.gallery_check import check_gallery

POINT = OperatingPoint(-0.5, 1e-3, extrapolated=False, sufficient=True)


def checked(*rows: tuple[str, float]) -> dict[str, Any]:
    """A gallery of holders on a line, so that scores can be told by eye."""
    templates = np.array([[place, 0.0] for _, place in rows], dtype=np.float32)
    names = [HolderId(name) for name, _ in rows]
    index = ReferenceIndex(names, templates.reshape(-1, 2), Metric.EUCLIDEAN)
    found: dict[str, Any] = json.loads(
        json.dumps(check_gallery(index, POINT, "p"), allow_nan=False)
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


def test_one_holder_excludes_nothing() -> None:
    found = checked(("a", 0.0), ("a", 0.1))
    rate = {"expected": pytest.approx(1e-3), "observed": None, "upper_bound": 1.0}
    assert found["false_grant_rate"] == {**rate, "confidence": 0.95}
    assert (found["impostor"], found["close_pairs"]) == (None, [])


def test_nobody_is_granted_falsely_by_an_empty_gallery() -> None:
    found = checked()
    assert (found["holders"], found["impostor"]) == (0, None)
    rate = {"expected": 0.0, "observed": None, "upper_bound": None, "confidence": 0.95}
    assert found["false_grant_rate"] == rate

"""What an evaluation is written down as: a manifest's table that is one."""

import tomllib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from agent.domain.sight.comparison import Metric
from agent.domain.sight.operating_point import CurvePoint, ThresholdCurve
from agent.domain.sight.resampling import PairPersons
from agent.errors import RefusedError
from agent.lab.evaluate.faces import Measured
from agent.lab.evaluate.report import manifest_lines
from agent.vision.packs.manifest import Comparison


def measured(genuine: Sequence[float], impostor: Sequence[float]) -> Measured:
    return Measured("p", Metric.EUCLIDEAN, 9, ("a.jpg",), np.array(genuine), np.array(impostor), {})


def normal(pairs: int) -> Measured:
    random = np.random.default_rng(3)
    return measured(
        random.normal(-0.4, 0.07, 500).tolist(), random.normal(-0.9, 0.09, pairs).tolist()
    )


def table(found: Measured) -> Comparison:
    text = "\n".join(manifest_lines(found))
    return Comparison.model_validate(tomllib.loads(text)["comparison"])


@pytest.mark.parametrize(
    ("pairs", "fmrs", "basis"),
    [
        (500, [1e-2], "provisional"),
        (9_999, [1e-2, 1e-3], "provisional"),
        (10_000, [1e-2, 1e-3], "measured"),
        (50_000, [1e-2, 1e-3, 1e-4], "measured"),
    ],
)
def test_a_manifest_takes_what_was_measured(pairs: int, fmrs: list[float], basis: str) -> None:
    found = normal(pairs)
    comparison = table(found)
    assert (comparison.metric, comparison.basis) == ("euclidean", basis)
    assert comparison.impostor_pairs == pairs
    assert [point.fmr for point in comparison.curve] == fmrs
    points = tuple(CurvePoint(p.fmr, p.threshold, p.fnmr) for p in comparison.curve)
    assert ThresholdCurve(points, pairs).last_measured_fmr == fmrs[-1]
    for point in comparison.curve:
        assert point.fnmr is not None
        assert (found.impostor >= point.threshold).mean() <= point.fmr
        assert (found.genuine < point.threshold).mean() <= point.fnmr + 2e-3


def test_an_fnmr_has_its_bounds_by_persons_beside_it() -> None:
    random = np.random.default_rng(4)
    found = normal(600_000)
    owners = np.repeat(np.arange(50), 10)
    pairs = random.integers(0, 50, (600_000, 2))
    curve = table(replace(found, persons=PairPersons(owners, pairs))).curve
    assert [point.fmr for point in curve] == [1e-2, 1e-3, 1e-4, 1e-5]
    for point in curve:
        assert point.fnmr is not None
        assert point.fnmr_bounds is not None
        assert point.fnmr_bounds[0] <= point.fnmr < point.fnmr_bounds[1]
    assert {point.fnmr_bounds for point in table(normal(50_000)).curve} == {None}


def test_thresholds_that_round_to_one_make_one_point() -> None:
    # The two highest of 50,000 lie within a ten-thousandth.
    impostor = np.linspace(-0.50005, -0.50001, 50_000)
    comparison = table(measured([-0.1], impostor.tolist()))
    assert [(point.fmr, point.threshold) for point in comparison.curve] == [(1e-2, -0.5)]


@pytest.mark.parametrize("impostor", [[], [-1.0] * 499, [-np.inf] * 1000])
def test_too_few_pairs_make_no_manifest(impostor: list[float]) -> None:
    with pytest.raises(RefusedError, match="impostor pairs make no curve"):
        list(manifest_lines(measured([-0.1], impostor)))

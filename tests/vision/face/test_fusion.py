"""The best frames as one template: on the scale of single comparisons, whatever was averaged."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.domain.sight.comparison import Metric, score
from agent.vision.face.fusion import MOST, Best

SEEDS = st.integers(0, 2**32 - 1)


def templates(seed, count, unit):
    random = np.random.default_rng(seed)
    rows = random.normal(0, 1, 16) + random.normal(0, 0.5, (count, 16))
    reference = random.normal(0, 1, 16)
    if unit:
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        reference /= np.linalg.norm(reference)
    return rows.astype(np.float32), reference.astype(np.float32)


def fused(rows, metric, goodness=None):
    best = Best()
    for number, row in enumerate(rows):
        best = best.with_newest(row, 1.0 if goodness is None else goodness[number], number / 10)
    return best.fused(metric)


@given(SEEDS, st.integers(2, MOST))
def test_a_mean_by_distance_stands_where_its_frames_do_on_average(seed, count):
    rows, reference = templates(seed, count, unit=False)
    together = fused(rows, Metric.EUCLIDEAN)
    found = together.on_scale(score(reference, together.template, Metric.EUCLIDEAN))
    singles = [score(reference, row, Metric.EUCLIDEAN) for row in rows]
    assert found == pytest.approx(-np.sqrt(np.mean(np.square(singles))), rel=1e-4)
    assert found <= max(singles) + 1e-5


@given(SEEDS, st.integers(2, MOST))
def test_a_mean_by_angle_stands_where_its_frames_do_on_average(seed, count):
    rows, reference = templates(seed, count, unit=True)
    together = fused(rows, Metric.COSINE)
    bare = score(reference, together.template, Metric.COSINE)
    singles = [score(reference, row, Metric.COSINE) for row in rows]
    if bare > 0.0:
        assert together.on_scale(bare) == pytest.approx(np.mean(singles), abs=1e-5)
    assert together.on_scale(bare) <= max(*singles, 0.0) + 1e-5


def test_one_frame_is_no_mean():
    rows, _ = templates(1, 1, unit=False)
    assert fused(rows, Metric.EUCLIDEAN) is None
    assert Best().fused(Metric.COSINE) is None


def test_the_best_are_kept_and_old_ones_are_not():
    rows, _ = templates(2, 8, unit=False)
    goodness = [0.9, 0.1, 0.8, 0.2, 0.7, 0.6, 0.3, 0.5]
    best = Best()
    for number, row in enumerate(rows):
        best = best.with_newest(row, goodness[number], number / 10)
    assert [one.goodness for one in best.kept] == [0.9, 0.8, 0.7, 0.6, 0.5]
    later = best.with_newest(rows[0], 0.1, 2.15)
    assert [one.goodness for one in later.kept] == [0.8, 0.7, 0.6, 0.5, 0.1]
    back = later.with_newest(rows[1], 0.2, 1.0)
    assert [one.goodness for one in back.kept] == [0.8, 0.7, 0.6, 0.5, 0.2]

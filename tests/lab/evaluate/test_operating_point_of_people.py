"""What the people of a folder ask for, on templates whose answer is known."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from agent.domain.sight.comparison import Metric
from agent.errors import RefusedError
from agent.lab.evaluate import operating_point
from agent.lab.evaluate.faces import FaceSet, Measured
from agent.lab.evaluate.operating_point import Found, evaluate_operating_point, persons_needed
from agent.vision.packs.manifest import read_manifest

RETAIL = read_manifest("retail")
COMPONENTS = RETAIL.embedder.components


def faces(persons: int, photographs: int, common: float) -> FaceSet:
    """People about a common direction, the more alike the longer it is."""
    random = np.random.default_rng(11)
    centres = random.normal(size=(persons, COMPONENTS)) + common
    rows = np.repeat(centres, photographs, axis=0)
    rows = rows + random.normal(0.0, 0.4, rows.shape)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    owners = np.repeat(np.arange(persons), photographs)
    names = tuple(f"p{owner:02d}/{i}.png" for i, owner in enumerate(owners))
    return FaceSet(names, owners, rows.astype(np.float32))


def of(images: FaceSet, monkeypatch: pytest.MonkeyPatch, fmr: float | None = None) -> Found:
    failed = tuple(np.array(images.names)[~np.isfinite(images.templates[:, 0])].tolist())
    measured = Measured(
        "retail", Metric.COSINE, len(images.names), failed, np.zeros(0), np.zeros(0), {},
        images_of=images,
    )  # fmt: skip
    monkeypatch.setattr(operating_point, "measured_identities", lambda *_: (RETAIL, measured))
    return evaluate_operating_point(
        Path("faces"), Path(), "retail", fmr, 0.01, date(2026, 11, 27), lambda *_: None
    )


def test_the_people_ask_for_more_the_more_alike_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    apart = of(faces(20, 4, 0.3), monkeypatch)
    alike = of(faces(20, 4, 0.9), monkeypatch)
    assert apart.values["fmr"] == alike.values["fmr"] == pytest.approx(0.01 / 20)
    assert apart.values["people_ask_for"] < alike.values["people_ask_for"]
    # Never below the pack's own curve, whoever they are.
    assert apart.values["threshold"] == apart.values["pack_asks_for"]
    assert alike.values["threshold"] == alike.values["people_ask_for"]
    held = alike.values["held_out"]
    assert (held["photographs"], held["persons"], held["persons_refused"]) == (40, 20, 0)
    assert held["persons_refused_upper"] == pytest.approx(1.0 - 0.05 ** (1 / 20))
    assert held["impostor"] == 40 * 19
    # 760 comparisons carry no FMR of 5e-4, so there is no FNMR at it.
    assert (held["fnmr"], held["fnmr_upper"], held["impostor_needed"]) == (None, None, 6000)


def test_an_fnmr_is_told_where_the_comparisons_carry_its_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = faces(20, 4, 0.3)
    images.templates[3] = images.templates[4]  # one further photograph is somebody else's
    held = of(images, monkeypatch, 4e-3).values["held_out"]
    assert (held["impostor"], held["impostor_needed"]) == (760, 750)
    assert held["fnmr"] == pytest.approx(1 / 40)
    assert held["fnmr"] < held["fnmr_upper"] < held["persons_refused_upper"]
    assert of(images, monkeypatch, 3.9e-3).values["held_out"]["fnmr"] is None


def test_the_table_says_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    images = faces(20, 2, 0.6)
    images.templates[0] = np.nan
    found = of(images, monkeypatch, 1e-3)
    table = found.table
    assert (table.pack, table.version, table.persons) == ("retail", "1", 20)
    assert table.impostor_pairs == 190
    assert found.values["failed_to_acquire"] == ["p00/0.png"]
    assert found.values["held_out"] is None
    assert found.values["extrapolated"]
    fmrs = [point.fmr for point in table.curve]
    thresholds = [point.threshold for point in table.curve]
    assert 1e-3 in fmrs
    assert fmrs == sorted(fmrs, reverse=True)
    assert thresholds == sorted(set(thresholds))
    assert fmrs[-1] >= table.measured_to * 1e-3


def test_too_few_persons_are_refused_with_how_many_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(RefusedError, match=r"3 persons carry no FMR of 0\.0033: it takes 4"):
        of(faces(3, 2, 0.3), monkeypatch)
    needed = persons_needed(1e-5)
    assert needed * (needed - 1) // 2 >= 500 > (needed - 1) * (needed - 2) // 2
    with pytest.raises(RefusedError, match=f"20 persons carry no FMR of 1e-05: it takes {needed}"):
        of(faces(20, 2, 0.3), monkeypatch, 1e-5)


def test_a_bound_that_nobody_need_believe_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    images = faces(4, 2, 0.3)
    images.templates[2:4] = images.templates[0:2]  # two of four persons are one
    with pytest.raises(RefusedError, match="believed to"):
        of(images, monkeypatch)


def test_people_whom_the_pack_does_not_tell_apart_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    images = faces(12, 4, 0.3)
    images.templates[:] = faces(48, 1, 0.3).templates  # no two photographs are of one person
    with pytest.raises(RefusedError, match="of their own"):
        of(images, monkeypatch)
    images.templates[:] = np.where(images.persons % 2, 1.0, -1.0)[:, None] * images.templates[:1]
    with pytest.raises(RefusedError, match="no face reaches"):
        of(images, monkeypatch)


def test_nobody_acquired_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    images = faces(5, 2, 0.3)
    images.templates[:] = np.nan
    with pytest.raises(RefusedError, match="no photograph"):
        of(images, monkeypatch)


def test_further_photographs_raise_what_the_fit_says(monkeypatch: pytest.MonkeyPatch) -> None:
    images = faces(40, 6, 0.3)
    before = of(images, monkeypatch, 1e-2).values["curve"][1]
    # Every further photograph is partly a stranger's: the references know nothing of that.
    late = np.flatnonzero(np.arange(len(images.persons)) % 6 >= 2)
    mixed = images.templates[late] + 0.6 * images.templates[(late + 6) % len(images.persons)]
    images.templates[late] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    after = of(images, monkeypatch, 1e-2).values["curve"][1]
    assert before["fmr"] == after["fmr"] == 0.01
    assert after["threshold"] > before["threshold"] + 0.1

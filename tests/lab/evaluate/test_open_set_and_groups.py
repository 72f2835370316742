"""Identification by gallery size and rates by group, on templates whose answer is known."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from agent.domain.sight.comparison import Metric, ReferenceIndex
from agent.domain.sight.gallery_safety import upper_bound
from agent.errors import RefusedError, UnavailableError
from agent.lab.evaluate.faces import FaceSet, Measured, Method, evaluate_identities
from agent.lab.evaluate.groups import by_group, read_labels
from agent.lab.evaluate.identification import open_set
from agent.lab.evaluate.plots import check_plot, draw

COMPONENTS = 32


def faces(persons: int, photographs: int, spread: float) -> FaceSet:
    random = np.random.default_rng(7)
    centres = random.normal(size=(persons, COMPONENTS))
    rows = np.repeat(centres, photographs, axis=0)
    rows = rows + random.normal(0.0, spread, rows.shape)
    owners = np.repeat(np.arange(persons), photographs)
    names = tuple(f"p{owner:02d}/{i}.png" for i, owner in enumerate(owners))
    return FaceSet(names, owners, rows.astype(np.float32))


def at(threshold: float | None) -> Callable[[ReferenceIndex], float | None]:
    return lambda _index: threshold


def test_who_is_named_hangs_on_the_threshold() -> None:
    images = faces(14, 4, 0.3)
    clear = open_set(images, Metric.COSINE, at(0.7))
    assert [row["gallery"] for row in clear] == [5, 10]
    for row in clear:
        assert (row["fpir"], row["fnir"], row["misnamed"]) == (0.0, 0.0, 0.0)
        assert row["mated"] == row["draws"] * row["gallery"] * 2
        assert row["unmated"] == row["draws"] * (14 - row["gallery"]) * 4
    assert {row["fpir"] for row in open_set(images, Metric.COSINE, at(-1.0))} == {1.0}
    strict = open_set(images, Metric.COSINE, at(1.1))
    assert {row["fnir"] for row in strict} == {1.0}
    assert {row["misnamed"] for row in strict} == {0.0}


def test_a_gallery_too_large_for_a_face_alone_has_no_figures() -> None:
    (row, _) = open_set(faces(14, 4, 0.3), Metric.COSINE, at(None))
    assert (row["draws"], row["fpir"], row["fnir"], row["threshold"]) == (0, None, None, None)


def test_a_failure_to_acquire_is_not_enrolled_and_names_nobody() -> None:
    images = faces(14, 4, 0.3)
    images.templates[::4] = np.nan
    (row, _) = open_set(images, Metric.COSINE, at(0.7))
    assert row["fnir"] == pytest.approx(0.5)  # of two further photographs one failed
    assert row["fpir"] == 0.0


@pytest.mark.parametrize("persons", [0, 1, 7])
def test_a_set_too_small_for_any_gallery_has_no_row(persons: int) -> None:
    assert open_set(faces(persons, 4, 0.3), Metric.COSINE, at(0.5)) == []


@pytest.fixture
def measured(tmp_path: Path) -> Measured:
    """Twelve persons in two groups; those of the second are alike."""
    random = np.random.default_rng(3)
    alike = random.normal(size=COMPONENTS)
    for number in range(12):
        folder = tmp_path / "set" / f"p{number:02d}"
        folder.mkdir(parents=True)
        centre = random.normal(size=COMPONENTS) + (2.0 * alike if number >= 6 else 0.0)
        for i in range(10):
            (folder / f"{i}.png").write_bytes(
                (centre + random.normal(0.0, 0.15, COMPONENTS)).astype(np.float32).tobytes()
            )
    method = Method(
        "p", Metric.COSINE, lambda path: np.frombuffer(path.read_bytes(), np.float32), {}
    )
    return evaluate_identities(tmp_path / "set", method, lambda *_: None)


def test_a_group_of_people_who_are_alike_shows(measured: Measured, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    rows = [f"p{number:02d},{'two' if number >= 6 else 'one'}" for number in range(11)]
    labels.write_text("\n".join(["person, group", *rows]))
    found = by_group(measured, read_labels(labels, "group"), "group")
    assert found["column"] == "group"
    groups = found["groups"]
    assert {name: group["persons"] for name, group in groups.items()} == {
        "(none)": 1,
        "one": 6,
        "two": 5,
    }
    one, two = (groups[name]["rates"]["1e-2"] for name in ("one", "two"))
    assert two["fmr"] > 1e-2 > one["fmr"]
    assert two["own_threshold"] > one["own_threshold"]
    assert (one["persons_refused"], groups["one"]["images"]) == (0, 60)
    assert 0.0 < one["persons_refused_upper"] < 0.5
    # One person alone has no impostor pairs within their group.
    assert (groups["(none)"]["impostor"], groups["(none)"]["rates"]["1e-2"]["fmr"]) == (0, None)
    assert groups["one"]["rates"]["1e-4"] is None


def test_a_groups_fnmr_stands_beside_its_own_fmr_or_not_at_all(measured: Measured) -> None:
    labels = {f"p{number:02d}": "few" if number < 2 else "many" for number in range(12)}
    groups = by_group(measured, labels, "group")["groups"]
    # 6,600 pairs of all carry 1e-3; the 4,500 within one group do, the 100 within the other not.
    assert (groups["few"]["impostor"], groups["many"]["impostor"]) == (100, 4500)
    few, many = (groups[name]["rates"]["1e-3"] for name in ("few", "many"))
    assert few["threshold"] == many["threshold"]
    assert (few["fmr"], few["fnmr"], few["fnmr_upper"]) == (None, None, None)
    assert (few["persons_refused"], few["persons_refused_upper"]) == (0, upper_bound(0, 2))
    assert many["fnmr"] <= many["fnmr_upper"]
    assert (many["fnmr"], many["fnmr_upper"]) == (0.0, upper_bound(0, 10))


def test_labels_that_do_not_fit_are_refused(measured: Measured, tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("person,group\nsomebody,one\n")
    with pytest.raises(RefusedError, match="no person of the labels"):
        by_group(measured, read_labels(file, "group"), "group")
    with pytest.raises(RefusedError, match="lacks the column 'sex'"):
        read_labels(file, "sex")
    file.write_bytes(b"\x00\xff\xfe\x00")
    with pytest.raises(RefusedError):
        read_labels(file, "group")
    with pytest.raises(UnavailableError):
        read_labels(tmp_path / "gone.csv", "group")


@pytest.mark.parametrize("suffix", ["png", "svg", "PNG"])
def test_a_picture_is_drawn(measured: Measured, tmp_path: Path, suffix: str) -> None:
    pytest.importorskip("matplotlib")
    file = tmp_path / f"plot.{suffix}"
    check_plot(file)
    draw([measured, measured], file)
    start = file.read_bytes()[:300]
    assert b"\x89PNG" in start if suffix != "svg" else b"<svg" in file.read_bytes()


@pytest.mark.parametrize("scores", [[], [0.5], [-np.inf]])
def test_a_picture_of_nothing_is_a_picture(tmp_path: Path, scores: list[float]) -> None:
    pytest.importorskip("matplotlib")
    nothing = Measured("p", Metric.COSINE, 0, (), np.array(scores), np.array(scores), {})
    draw([nothing], tmp_path / "plot.png")


def test_a_picture_of_another_kind_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"\.png or \.svg"):
        check_plot(tmp_path / "plot.jpg")

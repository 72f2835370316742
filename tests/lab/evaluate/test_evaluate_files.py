"""Evaluation of image files, their scores beside a loop over every pair.

The template is the image's own pixels: what is measured here is the counting, on files that OpenCV
reads. What a pack makes of faces is in ``tests/real``.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.credentials.passes.quantised import dequantise, quantise
from agent.domain.sight.comparison import Metric, score
from agent.domain.sight.error_rates import fnmr_at, threshold_at
from agent.domain.sight.image import Template
from agent.errors import ImageError, RefusedError, UnavailableError
from agent.lab.evaluate import faces as evaluate
from agent.lab.evaluate.faces import Measured, Method, evaluate_identities, evaluate_pairs
from agent.vision.stills.images import read_image

LIMITS = {"min_face_px": 16}
BLANK = 200
"""An image of this grey all over stands for one without a face."""


def template_of(path: Path) -> Template | None:
    pixels = read_image(path)[::4, ::4, 0].astype(np.float32).ravel() / 255.0
    return None if (pixels == np.float32(BLANK / 255.0)).all() else pixels


def silent(stage: str, done: int, total: int) -> None:
    assert stage
    assert 0 <= done <= total


@pytest.fixture(params=Metric)
def method(request: pytest.FixtureRequest) -> Method:
    return Method("pixels", request.param, template_of, LIMITS)


@pytest.fixture
def photograph() -> Callable[..., Path]:
    random = np.random.default_rng(2)
    faces: dict[str, np.ndarray] = {}

    def write(path: Path, person: str | None) -> Path:
        """A noisy picture of the person; of nobody where None."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if person is None:
            image = np.full((32, 32), BLANK, dtype=np.uint8)
        else:
            face = faces.setdefault(person, random.uniform(60, 180, (32, 32)))
            image = (face + random.normal(0, 25, (32, 32))).clip(0, 255).astype(np.uint8)
        assert cv2.imwrite(str(path), image)
        return path

    return write


def strict(measured: Measured) -> dict[str, object]:
    """As a strict reader of JSON has it."""

    def refuse(word: str) -> None:
        raise AssertionError(word)

    text = json.dumps(measured.as_json(), allow_nan=False)
    found: dict[str, object] = json.loads(text, parse_constant=refuse)
    return found


def test_identities_are_compared_each_with_each(
    tmp_path: Path, method: Method, photograph: Callable[..., Path]
) -> None:
    suffixes = ("png", "pgm", "JPG", "bmp", "tif", "webp")
    files = [
        photograph(tmp_path / person / f"{i}.{suffixes[i % 6]}", person)
        for person in ("ann", "bob", "cem")
        for i in range(7)
    ]
    files.append(photograph(tmp_path / "bob" / "more" / "blank.png", None))
    (tmp_path / "cem" / "broken.jpg").write_bytes(b"no image")
    files.append(tmp_path / "cem" / "broken.jpg")
    # None of these is a photograph of a person.
    (tmp_path / "cem" / "README.txt").write_text("notes")
    (tmp_path / "ann" / "._0.png").write_bytes(b"a Mac was here")
    photograph(tmp_path / "sheet.png", "ann")

    measured = evaluate_identities(tmp_path, method, silent)
    found = strict(measured)
    assert found["images"] == len(files) == 23
    assert found["failed_to_acquire"] == ["bob/more/blank.png", "cem/broken.jpg"]

    genuine: list[float] = []
    impostor: list[float] = []
    for a, b in combinations(files, 2):
        value = -np.inf
        if {a, b}.isdisjoint(files[-2:]):
            one, other = template_of(a), template_of(b)
            assert one is not None
            assert other is not None
            value = score(one, other, method.metric)
        same = a.relative_to(tmp_path).parts[0] == b.relative_to(tmp_path).parts[0]
        (genuine if same else impostor).append(value)
    assert np.sort(measured.genuine) == pytest.approx(np.sort(genuine))
    assert np.sort(measured.impostor) == pytest.approx(np.sort(impostor))
    assert (found["genuine"], found["impostor"]) == (21 + 28 + 28, 176)
    # Everybody who was acquired is told apart, so only the failures count: 7 of bob's 28 pairs
    # and 7 of cem's.
    assert fnmr_at(measured.genuine, threshold_at(measured.impostor, 1e-2)) == 14 / 77
    # 176 pairs carry no rate that a gate works at.
    assert found["fnmr"] == dict.fromkeys(("1e-2", "1e-3", "1e-4"))
    assert found["impostor_needed"] == {"1e-2": 300, "1e-3": 3_000, "1e-4": 30_000}
    assert found["persons"] == 3
    assert found["accuracy"] == (253 - 14) / 253
    assert (found["pack"], found["acquisition"]) == ("pixels", LIMITS)


def test_pairs_are_compared_as_listed(
    tmp_path: Path,
    method: Method,
    photograph: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = [f"{person}/{i}.png" for person in "ab" for i in range(3)]
    for name in names:
        photograph(tmp_path / name, name[0])
    photograph(tmp_path / "blank.png", None)
    lines = [(one, other, one[0] == other[0]) for one, other in combinations(names, 2)]
    lines += [("a/0.png", "blank.png", True), ("blank.png", "b/0.png", False)]
    listing = tmp_path / "pairs.csv"
    rows = "".join(f"{a},{b},{'Yes' if same else 'no'}\n" for a, b, same in lines)
    listing.write_text(f"file_x,file_y,decision\n{rows}")

    whole = evaluate_pairs(tmp_path, listing, method, silent)
    found = strict(whole)
    assert (found["images"], found["failed_to_acquire"]) == (7, ["blank.png"])
    assert (found["genuine"], found["impostor"]) == (7, 10)
    assert found["accuracy"] == 16 / 17
    assert fnmr_at(whole.genuine, threshold_at(whole.impostor, 1e-2)) == 1 / 7
    assert found["persons"] == 2  # the blank one is said to be a's
    assert (whole.genuine[-1], whole.impostor[-1]) == (-np.inf, -np.inf)
    for pair, value in zip(
        [line for line in lines if line[2]], whole.genuine.tolist(), strict=True
    ):
        one, other = (template_of(tmp_path / name) for name in pair[:2])
        if one is not None and other is not None:
            assert value == pytest.approx(score(one, other, method.metric))

    monkeypatch.setattr(evaluate, "_BLOCK_PAIRS", 4)
    parts = evaluate_pairs(tmp_path, listing, method, silent)
    assert parts.genuine.tolist() == whole.genuine.tolist()
    assert parts.impostor.tolist() == whole.impostor.tolist()


def test_a_file_without_a_suffix_is_an_image_by_its_first_bytes(
    tmp_path: Path, method: Method, photograph: Callable[..., Path]
) -> None:
    for i in range(2):
        photograph(tmp_path / "ann" / f"{i}.png", "ann").rename(tmp_path / "ann" / f"{i}")
    assert strict(evaluate_identities(tmp_path, method, silent))["images"] == 2


def test_where_nothing_is_acquired_figures_are_null(
    tmp_path: Path, method: Method, photograph: Callable[..., Path]
) -> None:
    for person in "ab":
        for i in range(2):
            photograph(tmp_path / person / f"{i}.png", None)
    found = strict(evaluate_identities(tmp_path, method, silent))
    assert (found["genuine"], found["impostor"], found["auc"]) == (2, 4, 0.5)
    # Every answer is "no match", and four of six are right.
    assert (found["accuracy"], found["accuracy_threshold"]) == (4 / 6, None)
    assert set(found["threshold"].values()) == {None}  # type: ignore[attr-defined] # JSON values


def test_a_template_with_a_hole_is_a_failure_to_acquire(
    tmp_path: Path, photograph: Callable[..., Path]
) -> None:
    def holed(path: Path) -> Template | None:
        template = template_of(path)
        if template is not None and path.stem == "1":
            template[3] = np.nan
        return template

    for i in range(3):
        photograph(tmp_path / "a" / f"{i}.png", "a")
    method = Method("pixels", Metric.COSINE, holed, LIMITS)
    found = strict(evaluate_identities(tmp_path, method, silent))
    assert found["failed_to_acquire"] == ["a/1.png"]


def test_only_what_is_no_image_is_a_failure_to_acquire(
    tmp_path: Path, photograph: Callable[..., Path]
) -> None:
    def broken(path: Path) -> Template | None:
        if path.stem == "0":
            raise ImageError("unreadable_image", "broken")
        raise OSError("the disk is gone")

    for i in range(2):
        photograph(tmp_path / "a" / f"{i}.png", "a")
    with pytest.raises(OSError, match="disk"):
        evaluate_identities(tmp_path, Method("p", Metric.COSINE, broken, {}), silent)


def test_folders_without_people_are_refused(
    tmp_path: Path, method: Method, photograph: Callable[..., Path]
) -> None:
    with pytest.raises(UnavailableError, match="no folder"):
        evaluate_identities(tmp_path / "gone", method, silent)
    with pytest.raises(RefusedError, match="holds no folders of images"):
        evaluate_identities(tmp_path, method, silent)
    photograph(tmp_path / "loose.png", "a")
    photograph(tmp_path / ".hidden" / "0.png", "a")
    photograph(tmp_path / "a" / "0.png", "a")
    with pytest.raises(RefusedError, match="holds no folders of images"):
        evaluate_identities(tmp_path, method, silent)


@pytest.mark.parametrize("leads_to", [".", "a", "a/deeper"])
def test_nobody_is_counted_twice_by_a_link(
    tmp_path: Path, method: Method, photograph: Callable[..., Path], leads_to: str
) -> None:
    """As another person he was his own impostor."""
    for i in range(2):
        photograph(tmp_path / "a" / f"{i}.png", "a")
        photograph(tmp_path / "a" / "deeper" / f"{i}.png", "a")
    (tmp_path / "link").symlink_to(tmp_path / leads_to)
    with pytest.raises(RefusedError, match="counted twice") as refused:
        evaluate_identities(tmp_path, method, silent)
    assert refused.value.reason == "counted_twice"


def test_progress_ends_with_all_of_it(
    tmp_path: Path, method: Method, photograph: Callable[..., Path]
) -> None:
    for i in range(4):
        photograph(tmp_path / "a" / f"{i}.png", "a")
    said: list[tuple[str, int, int]] = []
    evaluate_identities(tmp_path, method, lambda *step: said.append(step))
    assert said == [("images", done, 4) for done in range(5)]


@pytest.mark.parametrize("bits", [8, 4, 1])
def test_references_in_few_bits_are_compared_as_a_pass_carries_them(
    tmp_path: Path, photograph: Callable[..., Path], method: Method, bits: int
) -> None:
    for person in ("a", "b"):
        for number in range(2):
            photograph(tmp_path / person / f"{number}.png", person)
    few = evaluate_identities(tmp_path, replace(method, reference_bits=bits), silent)
    whole = [template_of(tmp_path / name) for name in ("a/0.png", "a/1.png")]
    assert whole[0] is not None
    assert whole[1] is not None
    carried = dequantise(quantise(whole[0], bits), bits, len(whole[0]))
    assert few.genuine[0] == pytest.approx(score(whole[1], carried, method.metric), abs=1e-5)
    assert strict(few)["reference_bits"] == bits
    assert strict(evaluate_identities(tmp_path, method, silent))["reference_bits"] is None


def test_too_few_pairs_for_a_report_are_refused_before_the_work(
    tmp_path: Path, photograph: Callable[..., Path]
) -> None:
    def never(path: Path) -> Template | None:
        raise AssertionError(path)

    for person, count in (("a", 3), ("b", 2), ("c", 1)):
        for i in range(count):
            photograph(tmp_path / person / f"{i}.png", person)
    listing = tmp_path / "pairs.csv"
    listing.write_text("file_x,file_y,decision\na/0.png,b/0.png,no\na/0.png,a/1.png,yes\n")
    # 3 x 2 + 3 x 1 + 2 x 1 pairs of two people.
    method = Method("p", Metric.COSINE, never, {}, least_impostor_pairs=12)
    with pytest.raises(RefusedError, match=r"^11 impostor pairs"):
        evaluate_identities(tmp_path, method, silent)
    with pytest.raises(RefusedError, match=r"^1 impostor pairs"):
        evaluate_pairs(tmp_path, listing, method, silent)
    method = Method("p", Metric.COSINE, lambda _path: np.ones(4, np.float32), {}, None, 11)
    assert len(evaluate_identities(tmp_path, method, silent).impostor) == 11


def test_all_cores_find_what_one_finds_in_its_order(
    tmp_path: Path, photograph: Callable[..., Path], method: Method
) -> None:
    for person in ("ada", "bob", "cem"):
        for number in range(4):
            photograph(tmp_path / person / f"{number}.png", None if number == 3 else person)
    seen: list[int] = []
    one = evaluate_identities(tmp_path, method, silent)
    all_cores = replace(method, workers=4)
    other = evaluate_identities(tmp_path, all_cores, lambda _, done, __: seen.append(done))
    assert other.as_json() == one.as_json()
    assert np.array_equal(other.genuine, one.genuine)
    assert np.array_equal(other.impostor, one.impostor)
    assert seen == sorted(seen)
    assert seen[-1] == 12


def test_a_probe_is_compared_with_a_reference_where_they_differ(
    tmp_path: Path, photograph: Callable[..., Path]
) -> None:
    def sides(path: Path) -> tuple[Template, Template]:
        number = float(path.stem)
        return np.array([number, 0.0], np.float32), np.array([number, 3.0], np.float32)

    for person, number in (("ada", 0), ("ada", 4), ("bob", 8)):
        photograph(tmp_path / person / f"{number}.png", person)
    found = evaluate_identities(tmp_path, Method("p", Metric.EUCLIDEAN, sides, {}), silent)
    assert found.genuine.tolist() == pytest.approx([-5.0])
    assert sorted(found.impostor.tolist()) == pytest.approx([-(73.0**0.5), -5.0])

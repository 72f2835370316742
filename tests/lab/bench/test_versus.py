"""Peers side by side: a peer's process, its row, the protocol, and the page that is written."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.domain.sight.comparison import Metric
from agent.errors import UnavailableError
from agent.lab.bench import versus
from agent.lab.bench.page import Machine, page
from agent.lab.bench.peer import PEERS, Peer, find_peer
from agent.lab.bench.peer_process import peer_process
from agent.lab.bench.peer_scripts import _LOOP
from agent.lab.bench.versus import equal_error_rate, peer_rows

SCENE = np.full((8, 8, 3), 100, dtype=np.uint8)
MEAN = "look = lambda image: None if image.max() == 0 else [image.mean(), 1.0]\nserve(look)"


def of(script: str) -> Peer:
    return Peer((sys.executable, "-c", _LOOP + script), Metric.EUCLIDEAN, "a mean")


def rows(monkeypatch: pytest.MonkeyPatch, script: str, images: Path | None = None):
    monkeypatch.setattr(versus, "find_peer", lambda *_: of(script))
    return peer_rows(["opencv"], Path(), SCENE, 2.0, images, {}, lambda *_: None)["opencv"]


def test_a_peer_is_timed_and_measured_by_the_protocol_of_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for person, greys in {"a": (10, 12, 0), "b": (200, 203)}.items():
        (tmp_path / person).mkdir()
        for number, grey in enumerate(greys):
            image = np.full((64, 64, 3), grey, dtype=np.uint8)
            cv2.imwrite(str(tmp_path / person / f"{number}.png"), image)
    row = rows(monkeypatch, MEAN, tmp_path)
    assert row["speedup"] == pytest.approx(row["median_ms"] / 2.0)
    assert "limit" not in row
    found = row["accuracy"]
    assert (found["images"], found["persons"], found["failed_to_acquire"]) == (5, 2, 1)
    assert (found["genuine"], found["impostor"]) == (4, 6)
    assert set(found["fnmr"].values()) == {None}  # six pairs carry no rate


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("import no_such_package", "No module named 'no_such_package'"),
        ("serve(lambda image: None)", "finds no face"),
        ("serve(lambda image: 1 / 0)", "division by zero"),
    ],
)
def test_a_peer_that_fails_says_why_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, script: str, why: str
) -> None:
    row = rows(monkeypatch, script)
    assert why in row["unavailable"]
    assert set(row) == {"unavailable", "fix"}


def test_a_peer_that_dies_between_two_images_is_told_from_one_without_a_face() -> None:
    script = "def look(image):\n    sys.exit('gone')\nserve(look)"
    with (
        peer_process("other", of(script).command, {}) as process,
        pytest.raises(UnavailableError, match="other cannot be measured: gone"),
    ):
        process.look(SCENE)


def test_what_is_not_installed_is_named_with_its_fix(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DEEPFACE_HOME", raising=False)
    for name in ("opencv", "insightface", "deepface"):
        with pytest.raises(UnavailableError, match=f"{name} cannot be measured") as raised:
            find_peer(name, tmp_path)
        assert raised.value.fix
    assert set(PEERS) == {"face_recognition", "opencv", "insightface", "deepface"}


def test_the_equal_error_rate_lies_where_both_errors_meet() -> None:
    assert equal_error_rate(np.array([0.8, 0.9]), np.array([0.1, 0.2])) == 0.0
    genuine, impostor = np.array([0.2, 0.6, 0.7, 0.8]), np.array([0.1, 0.3, 0.3, 0.65])
    assert equal_error_rate(genuine, impostor) == pytest.approx(0.25)
    assert equal_error_rate(np.zeros(0), impostor) is None


ACCURACY = {
    "eer": 0.004,
    "fnmr": {"1e-2": 0.01, "1e-4": None},
    "fnmr_interval": {"1e-2": [0.0, 0.02], "1e-4": None},
    "failed_to_acquire": 2,
    "impostor": 400,
    "impostor_needed": {"1e-2": 300, "1e-4": 30_000},
}
BENCH = {
    "pack": "retail",
    "image": "640x480",
    "face_px": 150,
    "stages": {
        "detect": {"median_ms": 1.5, "p99_ms": 2.0, "bare_ms": 1.25, "ratio": 1.2},
        "compare_1m": {"median_ms": 9.0, "p99_ms": 9.5, "ratio": 0.27, "limit": 0.4,
                       "memory_ratio": 1.01, "memory_limit": 1.3},
    },
    "face_path": {"median_ms": 5.0, "p99_ms": 6.0, "bare_ms": 4.8, "ratio": 1.04},
    "ratios": {"face_path_to_bare": 1.04},
    "limits": {"face_path_to_bare": 1.1},
    "accuracy": ACCURACY,
    "peers": {
        "face_recognition": {"median_ms": 80.0, "speedup": 16.0, "limit": 10.0, "what": "HOG",
                             "accuracy": ACCURACY},
        "deepface": {"unavailable": "no weights", "fix": None},
    },
}  # fmt: skip


def test_the_page_has_each_figure_beside_its_limit() -> None:
    machine = Machine("2026-11-27", "aarch64", 4, {"numpy": "2"}, (0.2, 1.5))
    text = "\n".join(page([BENCH, {**BENCH, "pack": "dlib", "peers": {}}], machine, "40 people"))
    for row in (
        "| machine | aarch64, 4 cores |",
        "| face_path_to_bare | 1.04 | 1.1 |",
        "| compare_1m: ratio | 0.27 | 0.4 |",
        "| compare_1m: memory ratio | 1.01 | 1.3 |",
        "| retail | 5 | - | - | - | 0.40% | 1.00% (0.00% to 2.00%) | - | 2 |",
        "| face_recognition | 80 | 16.0 times | 16.0 times | 10 | 0.40% |",
        "| deepface | - | - | - | - | - | - | - | - |",
        "\nAn FMR of 1e-4 takes 30000 impostor pairs; there are 400.\n",
        "- `deepface`: no weights",
    ):
        assert row in text
    bare = {**BENCH, "peers": {}}
    del bare["accuracy"]
    assert "EER" not in "\n".join(page([bare], machine, None))

"""Measurements whose figures are given, as the commands find them: nothing is timed here."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from agent.domain.sight.comparison import Metric
from agent.domain.sight.resampling import PairPersons
from agent.lab.bench.verdict import verdict
from agent.lab.evaluate.faces import FaceSet, Measured
from agent.lab.evaluate.groups import by_group
from agent.lab.evaluate.identification import open_set
from agent.lab.evaluate.pad import PadMeasured

PERSONS, PHOTOGRAPHS = 20, 6

STAGES = {
    "detect": {"median_ms": 1.912, "p99_ms": 2.4, "bare_ms": 1.731, "ratio": 1.105},
    "embed": {"median_ms": 6.204, "p99_ms": 7.15, "bare_ms": 6.11, "ratio": 1.015},
    "compare_1m": {"median_ms": 21.4, "p99_ms": 24.9, "bare_ms": 61.1, "ratio": 0.35, "limit": 0.4,
                   "memory_ratio": 1.02, "memory_limit": 1.3},
    "decide": {"median_ms": 0.012, "p99_ms": 0.03},
}  # fmt: skip
BENCH: dict[str, Any] = {
    "pack": "retail",
    "stages": STAGES,
    "face_path": {"median_ms": 8.2, "p99_ms": 9.9, "bare_ms": 7.9, "ratio": 1.04},
    "ratios": {"face_path_to_bare": 1.04, "compare_1m_to_numpy": 0.35},
    "limits": {"face_path_to_bare": 1.1, "compare_1m_to_numpy": 0.4,
               "start_to_first_decision_s": 2.0},
    "start_to_first_decision_s": 1.402,
}  # fmt: skip
ACCURACY = {
    "eer": 0.0041, "accuracy": 0.9962, "impostor": 78_000,
    "impostor_needed": {"1e-2": 300, "1e-3": 3000, "1e-4": 30_000},
    "fnmr": {"1e-2": 0.0014, "1e-3": 0.0061, "1e-4": 0.0139},
    "fnmr_upper": {"1e-2": 0.0052, "1e-3": 0.0144, "1e-4": 0.0311},
    "failed_to_acquire": 0,
}  # fmt: skip
ONE_MISSED = {**BENCH, "start_to_first_decision_s": 2.3}
SEVERAL_MISSED = {
    **ONE_MISSED,
    "ratios": {"face_path_to_bare": 1.31, "compare_1m_to_numpy": 0.35},
    "accuracy": ACCURACY,
    "peers": {
        "face_recognition": {"median_ms": 64.1, "speedup": 7.82, "limit": 10.0,
                             "what": "dlib's HOG and ResNet", "accuracy": ACCURACY},
        "deepface": {"unavailable": "deepface cannot be measured: it is not installed",
                     "fix": "pip install deepface"},
    },
}  # fmt: skip
SIMULATED: dict[str, Any] = {
    "arrivals": 208, "granted": 121, "denied": 71, "openings": 163, "events": 2411,
    "faults": 23, "restarts": 9, "seed": 7, "simulated_s": 7212.0, "wall_s": 2.5,
    "people_without_a_sign": 0,
    "probes": {"slides": 12, "codes": 3}, "false_grants": {"expected": 0.002, "seen": 0},
    "arrivals_by_outcome": {"granted": 118, "denied": 66, "way_stood_free": 13,
                            "left_unjudged": 9, "still_there": 2},
    "arrivals_by_hour": [0] * 7 + [131, 77] + [0] * 15,
    "faults_by_kind": {"camera_lost": 4, "broker_lost": 7, "tamper": 2, "crash": 10},
    "violations": [],
}  # fmt: skip
VIOLATED = {
    **SIMULATED,
    "violations": [
        {"time": 812.4, "invariant": "opened_without_cause", "output": "door",
         "inputs": [{"time": 811.9, "what": "stands", "holder": "h-12"},
                    {"time": 812.4, "what": "released", "output": "door"}]},
    ],
}  # fmt: skip


def judged(found: Mapping[str, Any]) -> dict[str, Any]:
    """With the verdict on its limits."""
    return {**found, "verdict": verdict(found)}


@cache
def measured(pack: str, noise: float) -> Measured:
    """Twenty persons, each photograph compared with each; of the last one a photograph failed."""
    random = np.random.default_rng(5)
    owners = np.repeat(np.arange(PERSONS), PHOTOGRAPHS)
    rows = random.normal(size=(PERSONS, 24))[owners]
    rows = rows + random.normal(0.0, noise, rows.shape)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows[-1] = np.nan
    one, other = np.triu_indices(len(owners), 1)
    scores = np.nan_to_num((rows[one] * rows[other]).sum(axis=1), nan=-np.inf)
    same = owners[one] == owners[other]
    pairs = PairPersons(owners[one][same], np.stack((owners[one], owners[other]), 1)[~same])
    names = tuple(f"p{owner:02d}/{i}.jpg" for i, owner in enumerate(owners))
    images = FaceSet(names, owners, rows.astype(np.float32))
    return Measured(
        pack, Metric.COSINE, len(names), names[-1:], scores[same], scores[~same], {},
        persons=pairs, images_of=images,
    )  # fmt: skip


def told(found: Measured, licence: str, *, free: bool) -> dict[str, Any]:
    """As JSON, with a cost that is given."""
    beside = {"ms_per_image": 8.31, "licence": licence, "free_for_commercial_use": free}
    return {**found.as_json(), **beside}


def pairs() -> Mapping[str, Any]:
    """Of one pack, 1:1."""
    return told(measured("retail", 0.75), "Apache-2.0", free=True)


@cache
def identities(young: str = "under 30") -> Mapping[str, Any]:
    """With identification, and by groups, the smaller of which carries no rate."""
    found = measured("retail", 0.75)
    assert found.images_of is not None
    galleries = open_set(found.images_of, Metric.COSINE, lambda _: 0.62)
    labels = {f"p{number:02d}": young if number < 3 else "older" for number in range(PERSONS)}
    return {
        **told(found, "Apache-2.0", free=True),
        "open_set": galleries,
        "by": by_group(found, labels, "age"),
    }


def packs() -> Mapping[str, Any]:
    """Two packs side by side."""
    others = (told(measured("buffalo_s", 0.4), "non-commercial", free=False),)
    return {"packs": [pairs(), *others]}


def pad() -> Mapping[str, Any]:
    """Attack detection, with a kind of attack without pictures."""
    living: dict[str, float | None] = dict.fromkeys(map(str, range(40)), 0.9)
    screens: dict[str, float | None] = dict.fromkeys(map(str, range(12)), 0.1)
    kinds = {
        "bona_fide": {**living, "a.jpg": 0.2, "b.jpg": None},
        "print": {},
        "screen": {**screens, "a.jpg": 0.8},
    }
    return PadMeasured(("minifasnet", "antispoof"), "retail", 0.5, kinds).as_json()


OPERATING_POINT: dict[str, Any] = {
    "pack": "retail", "version": "1", "fmr": 0.0005, "threshold": 0.5021, "extrapolated": True,
    "pack_asks_for": 0.4713, "without_it": 0.5852, "persons": 20, "photographs": 80,
    "failed_to_acquire": ["p03/2.jpg"], "impostor_pairs": 190, "look_alike_pairs": 1,
    "fit": "holds",
    "held_out": {
        "photographs": 39, "fnmr": None, "fnmr_upper": None, "persons": 20, "persons_refused": 1,
        "persons_refused_upper": 0.2161, "impostor": 741, "impostor_needed": 6000, "accepted": 0,
    },
}  # fmt: skip
TABLE = ("[face.operating_point]", 'pack = "retail"', "persons = 20")
CARRIED = {
    **OPERATING_POINT,
    "fmr": 0.005,
    "held_out": {**OPERATING_POINT["held_out"], "fnmr": 1 / 39, "fnmr_upper": 0.0812,
                 "impostor_needed": 600},
}  # fmt: skip

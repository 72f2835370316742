"""Our own way and the peers' side by side: speed on one image, accuracy on a set of persons.

One protocol for all: every photograph with every other, a failure to acquire a non-match
(``lab.evaluate``); the same decoded pixels; each at the defaults that its own users get.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.domain.sight.error_rates import Scores
from agent.domain.sight.image import Image, Template
from agent.errors import UnavailableError
from agent.lab.bench.peer import find_peer
from agent.lab.bench.peer_process import PeerProcess, peer_process
from agent.lab.evaluate.faces import Measured, Method, Progress, evaluate_identities
from agent.lab.evaluate.open import measured_identities
from agent.vision.stills.images import read_image

_WARM_UP, _ROUNDS = 3, 15
_LIMITS = {"face_recognition": 10.0}
"""At least so many times as fast as that peer."""


def peer_rows(
    names: Sequence[str],
    state: Path,
    scene: Image,
    ours_ms: float,
    images: Path | None,
    environment: Mapping[str, str],
    progress: Progress,
) -> dict[str, dict[str, Any]]:
    """A row of JSON values a peer; one that cannot be had says ``unavailable`` and ``fix``."""
    rows = {}
    for name in names:
        try:
            rows[name] = _row(name, state, scene, ours_ms, images, environment, progress)
        except UnavailableError as error:
            said, _, fix = str(error).partition("\nFix: ")
            rows[name] = {"unavailable": said, "fix": fix or None}
    return rows


def own_accuracy(folder: Path, state: Path, pack: str, progress: Progress) -> dict[str, Any]:
    """The installed pack's figures by the same protocol."""
    return accuracy(measured_identities(folder, state, pack, progress)[1])


def accuracy(measured: Measured) -> dict[str, Any]:
    """What is set side by side; null where the pairs do not carry it."""
    found = measured.as_json()
    told = (
        *("images", "persons", "genuine", "impostor", "auc", "accuracy"),
        *("impostor_needed", "fnmr", "fnmr_interval", "fnmr_upper"),
    )
    return {
        **{name: found[name] for name in told},
        "eer": equal_error_rate(measured.genuine, measured.impostor),
        "failed_to_acquire": len(measured.failed_to_acquire),
    }


def equal_error_rate(genuine: Scores, impostor: Scores) -> float | None:
    """The error where FNMR and FMR are nearest to each other, their mean; None without pairs."""
    if not len(genuine) or not len(impostor):
        return None
    values = np.unique(np.concatenate([genuine, impostor]))
    refused = np.searchsorted(np.sort(genuine), values, side="left") / len(genuine)
    accepted = 1.0 - np.searchsorted(np.sort(impostor), values, side="left") / len(impostor)
    best = int(np.abs(refused - accepted).argmin())
    return float(refused[best] + accepted[best]) / 2.0


def _row(
    name: str,
    state: Path,
    scene: Image,
    ours_ms: float,
    images: Path | None,
    environment: Mapping[str, str],
    progress: Progress,
) -> dict[str, Any]:
    peer = find_peer(name, state)
    with peer_process(name, peer.command, environment) as process:
        ms = _median_ms(process, scene, name)
        row: dict[str, Any] = {"median_ms": ms, "speedup": ms / ours_ms}
        if name in _LIMITS:
            row["limit"] = _LIMITS[name]
        row["what"] = peer.what
        if images is not None:
            method = Method(name, peer.metric, _template_of(process), {})
            row["accuracy"] = accuracy(evaluate_identities(images, method, progress))
    return row


def _median_ms(process: PeerProcess, scene: Image, name: str) -> float:
    looks = [process.look(scene) for _ in range(_WARM_UP + _ROUNDS)][_WARM_UP:]
    if any(look.template is None for look in looks):
        raise UnavailableError(f"{name} finds no face in the portrait that is measured with")
    return float(np.median([look.ms for look in looks]))


def _template_of(process: PeerProcess) -> Callable[[Path], Template | None]:
    return lambda path: process.look(read_image(path)).template

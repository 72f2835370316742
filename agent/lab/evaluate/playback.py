"""How attack detection and the cues beside it take faces that are played back: a simulation.

The production code looks at made-up frames (``playback_scenes``): detector, landmarks, watcher, the
installed models and each cue, and of a second's frames one value as an attempt has it. Rates are
ISO/IEC 30107-3's, of a model or cue by itself: APCER, the share of one kind of attack that it takes
for a face; BPCER, the share of living faces that it takes for an attack; both of those about which
it said something. Where it said nothing (``cannot_tell``) it stops nobody.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agent.domain.sight.cues import Cues, together
from agent.domain.sight.image import Image
from agent.domain.sight.pad import over_frames
from agent.domain.sight.track import FaceSample
from agent.lab.evaluate.playback_scenes import FPS, Portrait, Shown, frames

MODELS = "models"
CUES = ("liveness", "screen")

Look = Callable[[Iterator[tuple[float, Image]]], Sequence[FaceSample]]
"""The samples of the last track in a second of frames, each with its time."""


@dataclass(frozen=True, slots=True)
class PlaybackMethod:
    """What looks, and below which value it says attack."""

    packs: tuple[str, ...]
    face_pack: str
    look: Look
    thresholds: dict[str, float]


def evaluate_playback(
    portraits: Sequence[Portrait],
    rounds: int,
    seed: int,
    method: PlaybackMethod,
    advance: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """The rates of each, for every portrait shown ``rounds`` times in every way.

    ``advance`` is told how many of how many seconds were looked at.
    """
    chance = np.random.default_rng(seed)
    found: dict[Shown, list[dict[str, float | None]]] = {one: [] for one in Shown}
    missed = dict.fromkeys(Shown, 0)
    total, done = len(Shown) * len(portraits) * rounds, 0
    for shown in Shown:
        for _ in range(rounds):
            for portrait in portraits:
                timed = ((i / FPS, one) for i, one in enumerate(frames(shown, portrait, chance)))
                samples = method.look(timed)
                if samples:
                    found[shown].append(_values(samples))
                else:
                    missed[shown] += 1
                done += 1
                if advance is not None:
                    advance(done, total)
    looked = [MODELS, *CUES] if method.packs else [*CUES]
    return {
        "simulated": True,
        "packs": list(method.packs),
        "face_pack": method.face_pack,
        "portraits": len(portraits),
        "seed": seed,
        "presentations": {one.value: len(found[one]) for one in Shown},
        "failed_to_acquire": {one.value: missed[one] for one in Shown},
        "by": {name: _rates(name, found, method.thresholds[name]) for name in looked},
    }


def _values(samples: Sequence[FaceSample]) -> dict[str, float | None]:
    cues: Cues = together([one.cues for one in samples])
    pads = [one.pad_score for one in samples if one.pad_score is not None]
    return {MODELS: over_frames(pads), "liveness": cues.liveness, "screen": cues.screen}


def _rates(
    name: str, found: dict[Shown, list[dict[str, float | None]]], threshold: float
) -> dict[str, Any]:
    def told(shown: Shown) -> list[float]:
        return [value for one in found[shown] if (value := one[name]) is not None]

    living = [value for one in Shown if one.living for value in told(one)]
    return {
        "threshold": threshold,
        "bpcer": _share(sum(value < threshold for value in living), len(living)),
        "apcer": {
            one.value: _share(sum(v >= threshold for v in told(one)), len(told(one)))
            for one in Shown
            if not one.living
        },
        "cannot_tell": {
            one.value: _share(len(found[one]) - len(told(one)), len(found[one])) for one in Shown
        },
    }


def _share(some: int, of: int) -> float | None:
    return round(some / of, 4) if of else None


def table_rows(found: dict[str, Any]) -> list[tuple[str, ...]]:
    """For people: a row a kind, and for each that looks its error and how often it said nothing."""
    rows = []
    for shown in Shown:
        row = [shown.value, str(found["presentations"][shown.value])]
        for rates in found["by"].values():
            wrong = rates["bpcer"] if shown.living else rates["apcer"][shown.value]
            row += [_percent(wrong), _percent(rates["cannot_tell"][shown.value])]
        rows.append((*row, "simulated"))
    return rows


def columns(found: dict[str, Any]) -> tuple[str, ...]:
    """The heads of ``table_rows``: of living faces the error is BPCER, of attacks APCER."""
    looks = [head for name in found["by"] for head in (f"{name}: wrong", "cannot tell")]
    return ("shown", "seconds", *looks, "")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"

"""Simulated communities: templates of people about what all of them have in common.

A template is a direction that the group shares and the person's own part, whose components fall off
as those of embeddings do: so impostor scores scatter by some 0.1 about ``shared``, and some people
resemble many. ``heavy`` scales each person's part by chance (some resemble or differ far more than
a normal distribution has it); ``mixed`` holds 30 % of people who are much more alike.
"""

import numpy as np
import numpy.typing as npt

from agent.domain.credential.holder import HolderId
from agent.domain.sight.comparison import Metric, ReferenceIndex

Rows = npt.NDArray[np.float64]
_COMPONENTS = 256
_FALL = -0.72


def people(random: np.random.Generator, count: int, kind: str, shared: float = 0.25) -> Rows:
    """``count`` people of a community of this kind, a row of length 1 each."""
    weights = (1.0 + np.arange(_COMPONENTS)) ** _FALL
    own = random.normal(size=(count, _COMPONENTS)) * np.sqrt(weights / weights.sum())
    common = np.zeros((2, _COMPONENTS))
    common[0, -1] = common[1, -2] = 1.0
    if kind == "heavy":
        own *= np.sqrt(random.gamma(4.0, 0.25, size=(count, 1)))
    part = np.full(count, shared)
    group = np.zeros(count, dtype=int)
    if kind == "mixed":
        group = (random.random(count) < 0.3).astype(int)
        part = np.where(group == 1, shared + 0.2, shared)
    rows = np.sqrt(part)[:, None] * common[group] + np.sqrt(1.0 - part)[:, None] * own
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def gallery(rows: Rows, metric: Metric = Metric.COSINE) -> ReferenceIndex:
    """One reference a person."""
    names = [HolderId(f"h{number:05d}") for number in range(len(rows))]
    return ReferenceIndex(names, rows.astype(np.float32), metric)

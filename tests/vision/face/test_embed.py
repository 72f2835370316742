"""Whom the mirror image counts for."""

from typing import Any

import numpy as np
import pytest

from agent.vision.face.embed import FaceEmbedder
from agent.vision.packs.manifest import Embedder

FACE = np.random.default_rng(1).integers(0, 256, (20, 20, 3), np.uint8)


class Model:
    """Sixteen means over upright stripes: a mirror image has them the other way round."""

    def __init__(self, *, batches: bool) -> None:
        self.takes_batches = batches
        self.input_shape = ["n" if batches else 1, 3, 20, 20]
        self.runs: list[int] = []

    def run(self, batch):
        self.runs.append(len(batch))
        assert self.takes_batches or len(batch) == 1
        return batch[:, 0, :, 2:18].mean(axis=1)


def embedder(mirror: str, *, batches: bool = True) -> tuple[Any, Model]:
    settings = Embedder.model_validate(
        {
            "file": "m.onnx",
            "width_px": 20,
            "height_px": 20,
            "channels": "bgr",
            "components": 16,
            "mean": (0, 0, 0),
            "scale": (1, 1, 1),
            "mirror": mirror,
            "unit_length": True,
            "alignment": {"kind": "dlib-chip", "padding": 0.25},
        }
    )
    model: Any = Model(batches=batches)
    made = FaceEmbedder(settings, model)
    model.runs.clear()
    return made, model


def unit(values: np.ndarray) -> np.ndarray:
    return np.asarray(values / np.linalg.norm(values))


ALONE = FACE[:, 2:18, 0].mean(axis=0)
MEAN = (ALONE + ALONE[::-1]) / 2


@pytest.mark.parametrize("batches", [True, False])
@pytest.mark.parametrize(
    ("mirror", "probe", "reference", "runs_a_probe", "runs_a_reference"),
    [
        ("both", MEAN, MEAN, 2, 2),
        ("references", ALONE, MEAN, 1, 2),
        ("none", ALONE, ALONE, 1, 1),
    ],
)
def test_the_mirror_image_counts_where_the_manifest_says(
    batches, mirror, probe, reference, runs_a_probe, runs_a_reference
) -> None:
    made, model = embedder(mirror, batches=batches)
    assert np.allclose(made.embed(FACE), unit(probe), atol=1e-6)
    assert sum(model.runs) == runs_a_probe
    model.runs.clear()
    found = made.templates(FACE)
    assert np.allclose(found[0], unit(probe), atol=1e-6)
    assert np.allclose(found[1], unit(reference), atol=1e-6)
    assert sum(model.runs) == runs_a_reference

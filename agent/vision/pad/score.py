"""How likely one frame's face is bona fide, by the installed attack detection packs."""

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from agent.domain.sight.image import DetectedFace, Image
from agent.domain.sight.pad import PadPart, fused
from agent.errors import ModelPackError
from agent.vision.packs.onnx import FloatArray, OnnxModel
from agent.vision.packs.packs import InstalledPadPack
from agent.vision.packs.pad_manifest import PadModel
from agent.vision.pad.crop import crop
from agent.vision.pad.face_box import FloatBox, LocatedBy, pad_box


class PadScorer(Protocol):
    """Looks at a located face for what a picture of one shows; not safe for two threads at once."""

    def score(self, image: Image, face: DetectedFace) -> float | None:
        """0 to 1, higher is more alive; NaN where a model failed; None where nobody looks."""


class PackModel:
    """One network of a pack: crop, feed, run, all as the manifest says."""

    def __init__(self, settings: PadModel, model: OnnxModel) -> None:
        """Check the model against its manifest.

        Raises:
            ModelPackError: it takes another shape than the manifest says, or gives another.
        """
        self.settings = settings
        self._model = model
        wanted = [3, settings.height_px, settings.width_px]
        if list(model.input_shape[1:]) != wanted:
            raise ModelPackError(f"{settings.file} takes {model.input_shape}, not batch x {wanted}")
        empty = np.zeros((1, *wanted), dtype=np.float32)
        given = list(model.run(empty).shape)
        if given != [1, settings.classes]:
            raise ModelPackError(f"{settings.file} gives {given}, not [1, {settings.classes}]")

    def prepared(self, image: Image, box: FloatBox) -> FloatArray:
        """The input for the face in ``box``: 1 x 3 x height x width."""
        settings = self.settings
        seen = crop(image, box, settings.crop, settings.width_px, settings.height_px)
        if settings.channels == "rgb":
            seen = np.asarray(cv2.cvtColor(seen, cv2.COLOR_BGR2RGB), dtype=np.uint8)
        mean = np.array(settings.mean, dtype=np.float32)
        scale = np.array(settings.scale, dtype=np.float32)
        return ((seen.astype(np.float32) - mean) * scale).transpose(2, 0, 1)[None].copy()

    def run(self, batch: FloatArray) -> FloatArray:
        """The bare model."""
        return self._model.run(batch)

    def probability(self, image: Image, box: FloatBox) -> float:
        """Of a bona fide face; NaN where the model gives no numbers."""
        given = self.run(self.prepared(image, box))[0].astype(np.float64)
        if self.settings.output_kind == "logits":
            given = softmax(given)
        return float(given[self.settings.bona_fide_class])


class PackPad:
    """The models of one pack; its probability is the mean of theirs."""

    def __init__(self, pack: InstalledPadPack, threads: int = 1) -> None:
        """Load its models, whose hashes the pack has verified.

        Raises:
            ModelPackError: a model cannot be loaded, or is not what the manifest says.
        """
        self.manifest = pack.manifest
        self.models = tuple(
            PackModel(model, OnnxModel(pack.path(model.file), threads))
            for model in pack.manifest.pad.model
        )

    @property
    def name(self) -> str:
        """The pack's."""
        return self.manifest.name

    @property
    def version(self) -> str:
        """The pack's."""
        return self.manifest.version

    def part(self, image: Image, box: FloatBox) -> PadPart:
        """What the pack says of the face in ``box``."""
        found = [model.probability(image, box) for model in self.models]
        pad = self.manifest.pad
        return PadPart(self.name, sum(found) / len(found), pad.threshold.score, pad.bound)


class FusedPad:
    """Implements ``PadScorer`` by all packs that are installed, or chosen.

    A cue of another kind than a model would be one more part.
    """

    def __init__(self, packs: Sequence[PackPad], landmarks: LocatedBy) -> None:
        """``landmarks`` says how the faces that are judged were located."""
        self.packs = tuple(packs)
        self._landmarks = landmarks

    def parts(self, image: Image, face: DetectedFace) -> list[PadPart]:
        """What each says."""
        box = pad_box(face, self._landmarks)
        return [pack.part(image, box) for pack in self.packs]

    def score(self, image: Image, face: DetectedFace) -> float | None:
        """Fused; NaN where a model failed, None without a pack."""
        return fused(self.parts(image, face))


def softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Probabilities; NaN for what holds NaN or infinity."""
    with np.errstate(invalid="ignore"):
        raised = np.exp(logits - logits.max())
        return np.asarray(raised / raised.sum(), dtype=np.float64)

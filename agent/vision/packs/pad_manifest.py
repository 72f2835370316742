"""The manifest of a pack that detects presentation attacks (PAD, ISO/IEC 30107).

Its models look at the face and what is about it, each at its own distance; the pack's score is the
mean of their probabilities for a bona fide presentation, 0 to 1, higher is more alive.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from agent.vision.packs.manifest_base import Basis, FileName, ManifestTable, PackManifest, Three

Share = Annotated[float, Field(ge=0, le=1)]


class PadCrop(ManifestTable):
    """What a model sees of the image: about the centre of the face's box, ``scale`` times as large.

    ``box`` keeps the sides of the face's box, ``square`` takes the longer one for both. Where that
    reaches beyond the image, ``clamp`` makes it smaller and moves it until it lies within, and
    ``reflect`` mirrors the image at its border without repeating the outermost pixels (OpenCV's
    BORDER_REFLECT_101). ``resize`` is OpenCV's interpolation of that name to the model's input.
    """

    shape: Literal["box", "square"]
    scale: float = Field(ge=1, le=8)
    border: Literal["clamp", "reflect"]
    resize: Literal["linear", "area"]


class PadModel(ManifestTable):
    """A network from a crop to the classes it tells apart, and how it wants to be fed.

    Its one input: batch x 3 x ``height_px`` x ``width_px`` float32 in the order ``channels``, each
    value ``(pixel - mean) * scale`` with pixels from 0 to 255. Its output ``output``: batch x
    ``classes``, logits that want a softmax or probabilities that had it; ``bona_fide_class`` counts
    from 0.
    """

    file: FileName
    width_px: int = Field(ge=16, le=1024)
    height_px: int = Field(ge=16, le=1024)
    channels: Literal["rgb", "bgr"]
    mean: Three
    scale: Three
    crop: PadCrop
    output: str
    output_kind: Literal["logits", "probabilities"]
    classes: int = Field(ge=2, le=64)
    bona_fide_class: int = Field(ge=0)

    @model_validator(mode="after")
    def _class_is_one_of_them(self) -> "PadModel":
        if self.bona_fide_class >= self.classes:
            raise ValueError("bona_fide_class counts from 0 and must be under classes")
        return self


class PadThreshold(ManifestTable):
    """The least score that counts as bona fide, and what was measured there.

    ``bpcer`` is the share of the ``bona_fide`` presentations taken for attacks, ``apcer`` that of
    the ``attacks`` taken for bona fide (the worst kind's, after ISO/IEC 30107-3); None where nobody
    measured it.
    """

    score: Share
    basis: Basis
    measured_on: str
    bona_fide: int = Field(ge=0)
    attacks: int = Field(ge=0)
    bpcer: Share | None = None
    apcer: Share | None = None
    measured_for: tuple[str, ...]
    not_measured_for: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _rates_have_counts(self) -> "PadThreshold":
        if (self.bpcer is not None and not self.bona_fide) or (
            self.apcer is not None and not self.attacks
        ):
            raise ValueError("a rate without presentations that it was counted on")
        return self


class Pad(ManifestTable):
    """The models, fused by the mean of their probabilities, and the threshold on it.

    ``bound`` is the greatest evidence, in log-odds, that the pack may bring for or against a face
    where several packs are fused (``agent.domain.sight.pad``): the median of its log-odds on bona
    fide photographs, named in ``bound_measured_on``.
    """

    model: tuple[PadModel, ...] = Field(min_length=1)
    bound: float = Field(gt=0, le=16)
    bound_measured_on: str
    threshold: PadThreshold


class PadManifest(PackManifest):
    """A whole manifest of an attack detection pack."""

    kind: ClassVar = "pad"
    pad: Pad

    @model_validator(mode="after")
    def _files_are_declared(self) -> "PadManifest":
        if missing := self.undeclared(model.file for model in self.pad.model):
            raise ValueError(f"no such [[file]]: {', '.join(missing)}")
        return self

    @property
    def measured(self) -> PadThreshold:
        """What was measured, on whom, and on whom not."""
        return self.pad.threshold

"""The manifest of a face pack: how to feed its models, and what was measured with them.

Thresholds live here and nowhere in code, each with the measurement that chose it.
"""

import tomllib
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from agent.domain.credential.near import did_you_mean
from agent.domain.sight.image import FivePoints
from agent.errors import ConfigError, ModelPackError
from agent.vision.packs.manifest_base import Basis, FileName, ManifestTable, PackManifest, Three
from agent.vision.packs.pad_manifest import PadManifest
from agent.vision.packs.place import CHOSEN, manifest_dir

Point = tuple[float, float]
Share = Annotated[float, Field(ge=0, le=1)]


class HaarDetector(ManifestTable):
    """OpenCV's cascade from the installed wheel.

    ``smallest_face_px`` is in pixels of the image. The image is searched at the scale at which such
    a face is ``search_px`` wide: the cascade knows a face by 20 pixels, and more only cost time.
    """

    kind: Literal["haar"]
    cascade: FileName
    scale_factor: float = Field(gt=1, le=2)
    min_neighbours: int = Field(ge=0)
    search_px: int = Field(default=30, ge=20)
    smallest_face_px: int = Field(ge=20)


class YunetDetector(ManifestTable):
    """YuNet, which brings five landmarks of its own.

    ``smallest_face_px`` is in pixels of the image, which is searched at the scale at which such a
    face is ``search_px`` wide, and never enlarged.
    """

    kind: Literal["yunet"]
    file: FileName
    least_score: float = Field(ge=0, le=1)
    overlap: float = Field(ge=0, le=1, description="of two boxes above which the weaker goes")
    search_px: int = Field(default=36, ge=8)
    smallest_face_px: int = Field(ge=10)


class InsightfaceDetector(ManifestTable):
    """The detector and all else of an insightface model of this name."""

    kind: Literal["insightface"]
    model: FileName


class Landmarks(ManifestTable):
    """Where a face's points come from: ``dlib5`` from ``file``, ``detector`` from the detector."""

    kind: FivePoints
    file: FileName | None = None

    @model_validator(mode="after")
    def _file_of_a_predictor(self) -> "Landmarks":
        if (self.kind is FivePoints.DLIB) != (self.file is not None):
            raise ValueError("file is for kind = 'dlib5', and needed there")
        return self


class ChipAlignment(ManifestTable):
    """dlib's face chip: a similarity onto dlib's mean shape, ``padding`` of a face each side."""

    kind: Literal["dlib-chip"]
    padding: float = Field(ge=0, le=1)


class TemplateAlignment(ManifestTable):
    """A similarity onto ``points`` (x, y) in the input's pixels.

    The order is right eye, left eye, nose, right and left corner of the mouth, right and left being
    the person's: the right eye stands on the left of the image.
    """

    kind: Literal["points"]
    points: tuple[Point, Point, Point, Point, Point]


class Embedder(ManifestTable):
    """A network from an aligned face to a template, and how it wants to be fed.

    Its one input: batch x 3 x ``height_px`` x ``width_px`` float32 in the order ``channels``, each
    value ``(pixel - mean) * scale`` with pixels from 0 to 255. Its one output: batch x
    ``components``. ``mirror`` says of which a template is the mean of the outputs for chip and
    mirror image: ``both`` probes and references, ``references`` alone (half the time a frame), or
    ``none``; the batch may be free or fixed at one. With
    ``unit_length`` the template is then divided by its length.
    """

    file: FileName
    width_px: int = Field(ge=16, le=1024)
    height_px: int = Field(ge=16, le=1024)
    channels: Literal["rgb", "bgr"]
    mean: Three
    scale: Three
    components: int = Field(ge=16, le=4096)
    mirror: Literal["both", "references", "none"]
    unit_length: bool
    alignment: Annotated[ChipAlignment | TemplateAlignment, Field(discriminator="kind")]


class ManifestCurvePoint(ManifestTable):
    """At this share of impostor comparisons accepted (``fmr``), the least score that accepts.

    ``fnmr`` is the share of genuine comparisons refused there, photographs without a template among
    them, None where nobody published it so; ``fnmr_bounds`` are its 90 % bounds, persons as units.
    """

    fmr: float = Field(gt=0, lt=1)
    threshold: float = Field(description="a score: higher is more alike")
    fnmr: float | None = Field(default=None, ge=0, le=1)
    fnmr_bounds: tuple[Share, Share] | None = None


def _rising(curve: tuple[ManifestCurvePoint, ...]) -> tuple[ManifestCurvePoint, ...]:
    if any(a.fmr <= b.fmr or a.threshold >= b.threshold for a, b in pairwise(curve)):
        raise ValueError("curve: fmr must fall and threshold rise from point to point")
    return curve


Curve = Annotated[tuple[ManifestCurvePoint, ...], Field(min_length=1), AfterValidator(_rising)]


_MEDIAN = "the score that half of one person's own comparisons miss"


class ComparisonGroup(ManifestTable):
    """What was measured on one group of people, beside the pack's own curve.

    Whoever stands at a gate may be of any group: the worst of them is what is expected of people
    of whom nothing is known yet. ``persons`` are its independent units. ``basis`` is that of the
    pack, or ``fitted`` where the points are quantiles of a distribution that was.
    """

    name: str = Field(min_length=1)
    measured_on: str
    persons: int = Field(ge=2)
    basis: Literal["measured", "published", "provisional", "fitted"]
    impostor_pairs: int = Field(default=0, ge=0)
    genuine_median: float | None = Field(default=None, description=_MEDIAN)
    curve: Curve


class Comparison(ManifestTable):
    """How templates compare and what a score means.

    The score is minus the Euclidean distance, or the cosine; higher is more alike. ``basis`` says
    whose figures these are: ours (``measured``), the model's authors' (``published``), or too few
    pairs to trust (``provisional``). ``persons`` are the independent units behind the pairs, None
    where they are not published.
    """

    metric: Literal["euclidean", "cosine"]
    basis: Basis
    measured_on: str
    impostor_pairs: int = Field(ge=0)
    persons: int | None = Field(default=None, ge=2)
    genuine_median: float | None = Field(default=None, description=_MEDIAN)
    measured_for: tuple[str, ...]
    not_measured_for: tuple[str, ...]
    curve: Curve
    group: tuple[ComparisonGroup, ...] = ()


class Manifest(PackManifest):
    """A whole manifest of a face pack."""

    kind: ClassVar = "face"
    detector: Annotated[
        HaarDetector | YunetDetector | InsightfaceDetector, Field(discriminator="kind")
    ]
    landmarks: Landmarks
    embedder: Embedder
    comparison: Comparison

    @model_validator(mode="after")
    def _files_are_declared(self) -> "Manifest":
        used = [self.embedder.file, self.landmarks.file, getattr(self.detector, "file", None)]
        if missing := self.undeclared(used):
            raise ValueError(f"no such [[file]]: {', '.join(missing)}")
        return self

    @property
    def measured(self) -> Comparison:
        """What was measured, on whom, and on whom not."""
        return self.comparison


def manifest_names() -> list[str]:
    """The packs of every kind that have a manifest, by name."""
    return sorted(path.stem for path in manifest_dir().glob("*.toml"))


def read_manifest(name: str) -> Manifest:
    """The manifest of the face pack ``name``.

    Raises:
        ModelPackError: there is none of this name, or it is of another kind.
        ConfigError: the file is no manifest; every finding at once.
    """
    manifest = read_any_manifest(name)
    if not isinstance(manifest, Manifest):
        raise ModelPackError(
            f"The model pack {name!r} tells attacks and recognises no face",
            f"name one of these: {', '.join(_names_of(Manifest)) or 'none'};"
            f" {name} works by itself once it is installed",
        )
    return manifest


def read_pad_manifest(name: str) -> PadManifest:
    """The manifest of the attack detection pack ``name``.

    Raises:
        ModelPackError: there is none of this name, or it is of another kind.
        ConfigError: the file is no manifest; every finding at once.
    """
    manifest = read_any_manifest(name)
    if not isinstance(manifest, PadManifest):
        raise ModelPackError(
            f"The model pack {name!r} recognises faces and tells no attack",
            f"name one of these: {', '.join(_names_of(PadManifest)) or 'none'}",
        )
    return manifest


def offered_names() -> list[str]:
    """The packs that a person may choose from: all but those for tests, and but broken files."""
    return sorted(_names_of(Manifest) + _names_of(PadManifest))


def pad_pack_names() -> list[str]:
    """The packs that tell attacks, by name; a file that is no manifest is none of them."""
    return _names_of(PadManifest)


def read_any_manifest(name: str) -> Manifest | PadManifest:
    """The manifest of the pack ``name``; one with a table ``[pad]`` tells attacks.

    Raises:
        ModelPackError: there is none of this name.
        ConfigError: the file is no manifest; every finding at once.
    """
    known = manifest_names()
    if name == CHOSEN:
        raise ModelPackError(
            "No model pack is named, and none was chosen here",
            'gate-agent models choose NAME (gate-agent models list), or pack = "NAME" under [face]',
        )
    if name not in known:
        offered = offered_names()
        raise ModelPackError(
            f"There is no model pack {name!r}{did_you_mean(name, offered)};"
            f" there are: {', '.join(offered) or 'none'}",
            "gate-agent models list",
        )
    path = manifest_dir() / f"{name}.toml"
    manifest: Manifest | PadManifest
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
        kind = PadManifest if "pad" in tables else Manifest
        manifest = kind.model_validate(tables)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: {error}"]) from error
    except ValidationError as error:
        findings = [
            f"{path}: {'.'.join(map(str, found['loc'])) or 'manifest'}: {found['msg']}"
            for found in error.errors()
        ]
        raise ConfigError(findings) from error
    if manifest.name != name:
        raise ConfigError([f"{path}: name: {manifest.name!r} should be {name!r}, as the file is"])
    return manifest


def _names_of(kind: type[Manifest] | type[PadManifest]) -> list[str]:
    names = []
    for name in manifest_names():
        try:
            manifest = read_any_manifest(name)
        except ConfigError:
            continue
        if isinstance(manifest, kind) and not manifest.for_tests_only:
            names.append(name)
    return names

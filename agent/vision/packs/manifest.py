"""A model pack's manifest: what it is made of, how to feed it, and what was measured with it.

A manifest is ``models/NAME.toml`` beside the ``agent`` package; every table here is a table there.
Thresholds live here and nowhere in code, each with the measurement that chose it.
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.errors import ConfigError, ModelPackError

FOLDER_VARIABLE = "GATE_AGENT_MODELS"
FILE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
PACK_NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
GitBlob = Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
FileName = Annotated[str, Field(pattern=FILE_NAME)]
SizeBytes = Annotated[int, Field(ge=1, le=1 << 30)]
Three = tuple[float, float, float]
Point = tuple[float, float]


class ManifestTable(BaseModel):
    """A table of a manifest: it cannot be changed and knows no key that is not declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Licence(ManifestTable):
    """Under what terms the files may be used; one that is not free must be accepted by name."""

    spdx: str
    free_for_commercial_use: bool
    text: str


class Download(ManifestTable):
    """One file to fetch: a release of a Python package, by pip, or a file over https.

    A download has a sha256 or, where only that is known, a git blob id. One with neither package
    nor url can only be brought along (``--from DIR``).
    """

    file: FileName
    sha256: Sha256 | None = None
    git_blob: GitBlob | None = None
    largest_bytes: SizeBytes
    package: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]+$")
    release: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.+!-]+$")
    url: str | None = Field(default=None, pattern=r"^https://")

    @model_validator(mode="after")
    def _one_pin_and_one_way(self) -> "Download":
        if (self.sha256 is None) == (self.git_blob is None):
            raise ValueError("needs either sha256 or git_blob")
        if (self.package is None) != (self.release is None):
            raise ValueError("package and release belong together")
        if self.package is not None and (self.url is not None or self.sha256 is None):
            raise ValueError("a package needs sha256 and no url")
        return self


class PackFile(ManifestTable):
    """One installed file and how it comes out of a download.

    ``sha256`` and ``size_bytes`` are of the installed file. Where the original cannot be had to
    measure them they are absent: then the file is held to what was written down at install.
    ``original`` names the file inside the download, with its own sha256 where that is known.
    """

    name: FileName
    sha256: Sha256 | None = None
    size_bytes: SizeBytes | None = None
    download: FileName
    unpack: Literal["none", "tar", "bz2"] = "none"
    member: str | None = None
    original: FileName
    original_sha256: Sha256 | None = None
    original_largest_bytes: SizeBytes
    conversion: Literal["none", "dlib-network-to-onnx", "dlib-shape-to-arrays"] = "none"

    @model_validator(mode="after")
    def _member_of_a_tar(self) -> "PackFile":
        if (self.unpack == "tar") != (self.member is not None):
            raise ValueError("member is for unpack = 'tar', and needed there")
        return self


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
    """OpenCV's YuNet, which brings five landmarks of its own."""

    kind: Literal["yunet"]
    file: FileName
    least_score: float = Field(ge=0, le=1)
    overlap: float = Field(ge=0, le=1, description="of two boxes above which the weaker goes")
    smallest_face_px: int = Field(ge=10)


class InsightfaceDetector(ManifestTable):
    """The detector and all else of an insightface model of this name."""

    kind: Literal["insightface"]
    model: FileName


class Landmarks(ManifestTable):
    """Where a face's points come from: ``dlib5`` from ``file``, ``detector`` from the detector."""

    kind: Literal["dlib5", "detector"]
    file: FileName | None = None

    @model_validator(mode="after")
    def _file_of_a_predictor(self) -> "Landmarks":
        if (self.kind == "dlib5") != (self.file is not None):
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
    ``components``. With ``mirror_averaged`` a template is the mean of the outputs for the chip and
    its mirror image, and the batch may be of two; without, it may be fixed at one. With
    ``unit_length`` the template is then divided by its length.
    """

    file: FileName
    width_px: int = Field(ge=16, le=1024)
    height_px: int = Field(ge=16, le=1024)
    channels: Literal["rgb", "bgr"]
    mean: Three
    scale: Three
    components: int = Field(ge=16, le=4096)
    mirror_averaged: bool
    unit_length: bool
    alignment: Annotated[ChipAlignment | TemplateAlignment, Field(discriminator="kind")]


class ManifestCurvePoint(ManifestTable):
    """At this share of impostor comparisons accepted (``fmr``), the least score that accepts.

    ``fnmr`` is the share of genuine comparisons refused there, None where nobody published it.
    """

    fmr: float = Field(gt=0, lt=1)
    threshold: float = Field(description="a score: higher is more alike")
    fnmr: float | None = Field(default=None, ge=0, le=1)


class Comparison(ManifestTable):
    """How templates compare and what a score means.

    The score is minus the Euclidean distance, or the cosine; higher is more alike. ``basis`` says
    whose figures these are: ours (``measured``), the model's authors' (``published``), or too few
    pairs to trust (``provisional``).
    """

    metric: Literal["euclidean", "cosine"]
    basis: Literal["measured", "published", "provisional"]
    measured_on: str
    impostor_pairs: int = Field(ge=0)
    measured_for: tuple[str, ...]
    not_measured_for: tuple[str, ...]
    curve: tuple[ManifestCurvePoint, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _curve_rises(self) -> "Comparison":
        pairs = list(zip(self.curve, self.curve[1:], strict=False))
        if any(a.fmr <= b.fmr or a.threshold >= b.threshold for a, b in pairs):
            raise ValueError("curve: fmr must fall and threshold rise from point to point")
        return self


class Manifest(ManifestTable):
    """A whole manifest."""

    name: str = Field(pattern=PACK_NAME)
    version: str
    description: str
    licence: Licence
    download: tuple[Download, ...] = ()
    file: tuple[PackFile, ...] = Field(min_length=1)
    detector: Annotated[
        HaarDetector | YunetDetector | InsightfaceDetector, Field(discriminator="kind")
    ]
    landmarks: Landmarks
    embedder: Embedder
    comparison: Comparison

    @model_validator(mode="after")
    def _files_are_declared(self) -> "Manifest":
        names = [file.name for file in self.file]
        downloads = [download.file for download in self.download]
        used = [self.embedder.file, self.landmarks.file, getattr(self.detector, "file", None)]
        missing = [name for name in used if name is not None and name not in names]
        missing += [file.download for file in self.file if file.download not in downloads]
        if missing:
            raise ValueError(f"no such [[file]] or [[download]]: {', '.join(missing)}")
        if len(set(names)) != len(names) or len(set(downloads)) != len(downloads):
            raise ValueError("two files or two downloads of one name")
        return self


def manifest_dir() -> Path:
    """The folder of manifests: GATE_AGENT_MODELS, else ``models`` beside the ``agent`` package."""
    override = os.environ.get(FOLDER_VARIABLE)
    return Path(override) if override else Path(__file__).resolve().parents[3] / "models"


def manifest_names() -> list[str]:
    """The packs that have a manifest, by name."""
    return sorted(path.stem for path in manifest_dir().glob("*.toml"))


def read_manifest(name: str) -> Manifest:
    """The manifest of the pack ``name``.

    Raises:
        ModelPackError: there is none of this name.
        ConfigError: the file is no manifest; every finding at once.
    """
    known = manifest_names()
    if name not in known:
        raise ModelPackError(
            f"There is no model pack {name!r}; there are: {', '.join(known) or 'none'}",
            "name one of them, or add its manifest to the folder of manifests",
        )
    path = manifest_dir() / f"{name}.toml"
    try:
        manifest = Manifest.model_validate(tomllib.loads(path.read_text("utf-8")))
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

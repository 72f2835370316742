"""Our own face engine: one model pack, from image to template."""

from typing import Protocol

import numpy as np

from agent.domain.sight.image import DetectedFace, Image, Template
from agent.errors import InternalError, ModelPackError
from agent.vision.face.detect import Detector, HaarCascade
from agent.vision.face.embed import FaceEmbedder
from agent.vision.face.landmarks import DlibLandmarks
from agent.vision.face.shape_predictor import ShapePredictor
from agent.vision.face.yunet import Yunet
from agent.vision.packs.dlib_shape import unpack_shape_forests
from agent.vision.packs.manifest import HaarDetector, Manifest, YunetDetector
from agent.vision.packs.onnx import OnnxModel
from agent.vision.packs.packs import InstalledPack


class FaceEngine(Protocol):
    """An engine whose steps can be taken one by one, as a frame's quality needs them.

    Not safe for two threads at once.
    """

    @property
    def manifest(self) -> Manifest:
        """The pack that it runs."""

    def detect(self, image: Image, smallest_face_px: int | None = None) -> list[DetectedFace]:
        """Faces at least so wide by falling area."""

    def locate(self, image: Image, face: DetectedFace) -> DetectedFace | None:
        """``face`` with its landmarks; None where they show no face."""

    def crop(self, image: Image, face: DetectedFace) -> Image:
        """The aligned face as the embedder sees it."""

    def embed_crop(self, aligned: Image) -> Template:
        """The template of an aligned face as a probe."""

    def templates(self, aligned: Image) -> tuple[Template, Template]:
        """The templates of an aligned face as a probe and as a reference."""

    def embed(self, image: Image, face: DetectedFace) -> Template:
        """The template of a located face as a probe."""


class PackFaceEngine:
    """Implements ``FaceEngine`` by one pack; not safe for two threads at once."""

    def __init__(
        self,
        manifest: Manifest,
        detector: Detector,
        landmarks: DlibLandmarks | None,
        embedder: FaceEmbedder,
    ) -> None:
        self.manifest = manifest
        self.detector = detector
        self.embedder = embedder
        self.landmarks = landmarks

    def detect(self, image: Image, smallest_face_px: int | None = None) -> list[DetectedFace]:
        """Faces by falling area; empty where there is none.

        ``smallest_face_px`` is the least width for this image, else the loader's.
        """
        return self.detector.detect(image, smallest_face_px)

    def locate(self, image: Image, face: DetectedFace) -> DetectedFace | None:
        """``face`` with its landmarks; None where they show no face."""
        if self.landmarks is None:
            return face if face.landmarks is not None else None
        return self.landmarks.locate(image, face)

    def crop(self, image: Image, face: DetectedFace) -> Image:
        """The aligned face as the embedder sees it.

        Raises:
            InternalError: the face was not located first.
        """
        if face.landmarks is None:
            raise InternalError("a face is located before it is cropped")
        return self.embedder.crop(image, face.landmarks)

    def embed(self, image: Image, face: DetectedFace) -> Template:
        """The template of a located face as a probe."""
        return self.embed_crop(self.crop(image, face))

    def embed_crop(self, aligned: Image) -> Template:
        """The template of an aligned face as a probe."""
        return self.embedder.embed(aligned)

    def templates(self, aligned: Image) -> tuple[Template, Template]:
        """The templates of an aligned face as a probe and as a reference."""
        return self.embedder.templates(aligned)


def load_engine(
    pack: InstalledPack, threads: int = 1, smallest_face_px: int | None = None
) -> PackFaceEngine:
    """The engine of an installed pack; ``smallest_face_px`` bounds what the detector looks for.

    Raises:
        ModelPackError: a file is not what its manifest says.
    """
    manifest = pack.manifest
    detector: Detector
    if isinstance(manifest.detector, HaarDetector):
        detector = HaarCascade(manifest.detector, smallest_face_px)
    elif isinstance(manifest.detector, YunetDetector):
        path = pack.path(manifest.detector.file)
        detector = Yunet(manifest.detector, path, smallest_face_px, threads)
    else:
        raise ModelPackError(f"the pack {pack.manifest.name} needs the insightface engine")
    landmarks = None
    if manifest.landmarks.file is not None:
        forests = unpack_shape_forests(pack.path(manifest.landmarks.file).read_bytes())
        mean = forests.initial_shape.astype(np.float64)
        landmarks = DlibLandmarks(ShapePredictor(forests), mean)
    model = OnnxModel(pack.path(manifest.embedder.file), threads)
    return PackFaceEngine(manifest, detector, landmarks, FaceEmbedder(manifest.embedder, model))

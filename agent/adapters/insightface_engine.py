"""A second face engine behind the same port: ``insightface.app.FaceAnalysis`` (optional extra).

Its models are ONNX files that somebody puts into a folder; the ones that its authors publish are
for non-commercial research, so nothing here fetches any. It serves as the peer that the agent's own
engine is compared with. Written against the classes of insightface 2.1; no model of its own could
be run here, so only the signatures are checked.
"""

from pathlib import Path
from typing import Any

import numpy as np

from agent.domain.sight.image import DetectedFace, Image, Template
from agent.domain.sight.track import Box
from agent.errors import InternalError, ModelPackError, UnavailableError
from agent.vision.face.align import crop
from agent.vision.packs.manifest import Manifest, TemplateAlignment

_DETECTION, _RECOGNITION = "detection", "recognition"


class InsightfaceEngine:
    """Implements ``vision.face.engine.FaceEngine``; not safe for two threads at once."""

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        *,
        threads: int = 1,
        search_px: int = 640,
        least_score: float = 0.5,
        smallest_face_px: int = 60,
    ) -> None:
        """Load the detector and the embedder among the ONNX files of ``folder``.

        ``manifest`` says how faces are aligned and compared; ``search_px`` is the side of the
        square that an image is fitted into for the detector.

        Raises:
            UnavailableError: insightface is not installed, the folder holds no model, or one that
                is no detector and no embedder.
        """
        # A missing folder would be downloaded into: insightface is never asked before this.
        if not any(folder.glob("*.onnx")):
            raise UnavailableError(
                f"{folder} holds no ONNX model for insightface",
                "put the ONNX files of one insightface model pack into it; read its licence first",
            )
        try:
            import onnxruntime  # noqa: PLC0415 - as insightface, only where this engine is used
            from insightface.app import FaceAnalysis  # noqa: PLC0415 - an optional extra
        except ImportError as error:
            raise UnavailableError(
                "insightface is not installed", "pip install 'gate-agent[insightface]'"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        try:
            analysis = FaceAnalysis(
                name=str(folder.resolve()),
                allowed_modules=[_DETECTION, _RECOGNITION],
                providers=["CPUExecutionProvider"],
                sess_options=options,
            )
            analysis.prepare(ctx_id=-1, det_thresh=least_score, det_size=(search_px, search_px))
            self._embedder: Any = analysis.models[_RECOGNITION]
        except Exception as error:  # insightface asserts, and its readers raise what they like
            raise UnavailableError(
                f"insightface cannot use the models in {folder}: {type(error).__name__}",
                "put one detector and one embedder of insightface into it",
            ) from error
        self._detector: Any = analysis.det_model
        self.manifest = manifest
        self._size = (manifest.embedder.width_px, manifest.embedder.height_px)
        alignment = manifest.embedder.alignment
        if not isinstance(alignment, TemplateAlignment):
            raise ModelPackError(f"the pack {manifest.name} aligns by no five points")
        self._points = np.array(alignment.points, dtype=np.float64)
        self._smallest_face_px = smallest_face_px

    def detect(self, image: Image, smallest_face_px: int | None = None) -> list[DetectedFace]:
        """Faces by falling area, each with its five landmarks."""
        smallest = smallest_face_px or self._smallest_face_px
        boxes, points = self._detector.detect(image, max_num=0, metric="default")
        faces = []
        for i, (left, top, right, bottom, score) in enumerate(np.asarray(boxes, dtype=np.float64)):
            box = Box(round(left), round(top), round(right - left), round(bottom - top))
            landmarks = None if points is None else np.asarray(points[i], dtype=np.float32)
            if box.width >= smallest:
                faces.append(DetectedFace(box, float(score), landmarks))
        return sorted(faces, key=lambda face: -face.box.area)

    def locate(self, image: Image, face: DetectedFace) -> DetectedFace | None:  # noqa: ARG002 - the port's
        """``face`` itself where the detector gave it landmarks."""
        return face if face.landmarks is not None else None

    def crop(self, image: Image, face: DetectedFace) -> Image:
        """The aligned face as the embedder sees it.

        Raises:
            InternalError: the face was not located first.
        """
        if face.landmarks is None:
            raise InternalError("a face is located before it is cropped")
        return crop(image, face.landmarks, self._points, self._size)

    def embed_crop(self, aligned: Image) -> Template:
        """The template of an aligned face, of length one."""
        template = np.asarray(self._embedder.get_feat(aligned), dtype=np.float32).ravel()
        return np.asarray(template / max(float(np.linalg.norm(template)), 1e-12), dtype=np.float32)

    def templates(self, aligned: Image) -> tuple[Template, Template]:
        """The template of an aligned face, of length one; a reference is made no other way."""
        template = self.embed_crop(aligned)
        return template, template

    def embed(self, image: Image, face: DetectedFace) -> Template:
        """The template of a located face, of length one."""
        return self.embed_crop(self.crop(image, face))

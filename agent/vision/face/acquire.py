"""The face of a still photograph: found, judged, embedded; or the reason why not.

A camera sends the next frame in no time, a photograph is all there is: so where the detector finds
nothing, ``acquire`` looks again with more effort (``vision.face.looks``), and each further look
must still bring landmarks that are a face's.
"""

from dataclasses import dataclass, field, replace

from agent.domain.foreign.boundary import boundary
from agent.domain.sight.image import DetectedFace, Image, Template
from agent.domain.sight.track import Box
from agent.errors import GateAgentError, ImageError
from agent.vision.face.engine import FaceEngine
from agent.vision.face.looks import Look, looks
from agent.vision.face.quality import (
    EVALUATION,
    GATE,
    AcquisitionLimits,
    Quality,
    measure,
    shortfall,
)

BYSTANDER = 0.4
"""A face below this share of the largest one's width is somebody in the background."""


@dataclass(frozen=True, slots=True, eq=False)
class AcquiredFace:
    """A face of a photograph: its box in the photograph, its template and its quality.

    ``template`` is one to refer to, or by the limits of the gate a probe's; ``probe`` is always a
    probe's. They differ where the manifest mirrors references alone.
    """

    box: Box
    score: float
    template: Template = field(repr=False)
    probe: Template = field(repr=False)
    quality: Quality
    shortfall: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Acquisition:
    """The one face of a photograph, or the word for why there is none to use."""

    face: AcquiredFace | None
    reason: str | None


@boundary("face", lambda: ImageError("unreadable_image", "it cannot be looked at"), GateAgentError)
def acquire_all(engine: FaceEngine, image: Image, limits: AcquisitionLimits) -> list[AcquiredFace]:
    """Every face of a photograph, by falling area; each says which limit it falls short of.

    Raises:
        ImageError: a library fails on it.
    """
    for look, found in looks(engine, image, limits):
        faces = []
        for face in found:
            located = engine.locate(look.image, face)
            if located is not None:
                faces.append(_acquired(engine, look, located, limits))
        if faces:
            return faces
    return []


def acquire(engine: FaceEngine, image: Image, limits: AcquisitionLimits) -> Acquisition:
    """The one face of a photograph.

    Where there are several, evaluation takes the largest; anywhere else that is a refusal, unless
    the others stand far behind.

    Raises:
        ImageError: as ``acquire_all``.
    """
    faces = acquire_all(engine, image, limits)
    if not faces:
        return Acquisition(None, "no_face")
    largest = faces[0]
    others = [face for face in faces[1:] if face.box.width >= BYSTANDER * largest.box.width]
    if others and limits is not EVALUATION:
        return Acquisition(largest, "several_faces")
    return Acquisition(largest, largest.shortfall)


def _acquired(
    engine: FaceEngine, look: Look, face: DetectedFace, limits: AcquisitionLimits
) -> AcquiredFace:
    aligned = engine.crop(look.image, face)
    box = look.original(face.box)
    quality = replace(measure(face, aligned), face_px=box.width)
    if limits is GATE:
        probe = template = engine.embed_crop(aligned)
    else:
        probe, template = engine.templates(aligned)
    return AcquiredFace(box, face.score, template, probe, quality, shortfall(quality, limits))

"""What attack detection costs a frame that is compared, beside its models' bare runs."""

from collections.abc import Callable
from pathlib import Path

from agent.app.open.pad import open_pad
from agent.domain.sight.image import DetectedFace, Image
from agent.vision.packs.manifest import Manifest
from agent.vision.pad.face_box import pad_box


def pad_deeds(
    state: Path, manifest: Manifest, image: Image, face: DetectedFace
) -> dict[str, Callable[[], object]]:
    """``pad`` as at the gate and ``bare_pad``, its models on prepared inputs; none without a pack.

    Raises:
        ModelPackError: a pack that is installed is wrong.
    """
    opened = open_pad(state, manifest.landmarks)
    if opened is None:
        return {}
    box = pad_box(face, manifest.landmarks)
    models = [model for pack in opened.packs for model in pack.models]
    runs = [(model.run, model.prepared(image, box)) for model in models]
    return {
        "pad": lambda: opened.score(image, face),
        "bare_pad": lambda: [run(batch) for run, batch in runs],
    }

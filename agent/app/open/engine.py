"""Opens the face engine of an installed pack."""

from pathlib import Path

from agent.adapters.insightface_engine import InsightfaceEngine
from agent.vision.face.engine import FaceEngine, load_engine
from agent.vision.packs.manifest import InsightfaceDetector
from agent.vision.packs.packs import InstalledPack, load_pack


def open_engine(state: Path, pack: str, threads: int = 1) -> FaceEngine:
    """The face engine of an installed pack.

    Raises:
        ModelPackError: it is not installed, or a file of it is wrong.
        UnavailableError: it needs insightface, which is not installed.
    """
    return engine_of(load_pack(pack, state), threads)


def engine_of(pack: InstalledPack, threads: int) -> FaceEngine:
    """Our own engine, or insightface's where the manifest's detector is that."""
    if isinstance(pack.manifest.detector, InsightfaceDetector):
        return InsightfaceEngine(pack.directory, pack.manifest, threads=threads)
    return load_engine(pack, threads)

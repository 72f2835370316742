"""The ID document reader from config, and what opens the photographs on documents."""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import structlog

from agent.adapters.id_reader.ga467 import Ga467Reader
from agent.adapters.id_reader.photo_decoder import MakersPhotoDecoder
from agent.app.open.engine import engine_of
from agent.config import GateConfig
from agent.domain.foreign.boundary import boundary
from agent.domain.sight.image import Template
from agent.errors import GateAgentError, ImageError, RefusedError
from agent.ports import IdReader, PhotoDecoder
from agent.vision.face.acquire import acquire
from agent.vision.face.engine import FaceEngine
from agent.vision.face.quality import EVALUATION
from agent.vision.packs.packs import InstalledPack

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PhotoReader:
    """Makes a template of the photograph on a document; used by one thread."""

    decoder: PhotoDecoder
    engine: FaceEngine

    def template(self, photo: bytes) -> Template | None:
        """None where the photograph cannot be opened or shows no one face."""
        broken = partial(ImageError, "unreadable_image", "the photograph cannot be looked at")
        try:
            with boundary("photograph", broken, GateAgentError):
                # A document's photograph is small; what counts is whether the face is whole.
                found = acquire(self.engine, self.decoder.decode(photo), EVALUATION)
        except (RefusedError, ImageError) as error:
            _log.warning("photo_not_read", error=str(error).splitlines()[0])
            return None
        return found.face.template if found.face is not None and found.reason is None else None


def open_id_reader(
    stack: ExitStack, config: GateConfig, pack: InstalledPack
) -> tuple[IdReader | None, PhotoReader | None]:
    """What ``[id_reader]`` names, closed by ``stack``; None for each that it does not.

    Raises:
        UnavailableError: it is not there, or no working reader answers.
    """
    wanted = config.id_reader
    if wanted.kind == "none" or wanted.port is None:
        return None, None
    reader = Ga467Reader(str(wanted.port))
    stack.callback(reader.close)
    if wanted.photo_decoder is None:
        return reader, None
    decoder = MakersPhotoDecoder(wanted.photo_decoder)
    return reader, PhotoReader(decoder, engine_of(pack, config.face.threads))

"""The packs in use: whole or not, for whom they were not measured."""

from pathlib import Path

from agent.app.open.pad import open_pad
from agent.app.open.settings import kiosk_settings
from agent.config import ConfigFile, load_config
from agent.domain.access.rule import face_without_pad
from agent.operations.examination.facts import Doubtful
from agent.operations.packs.choice import in_use
from agent.vision.packs.manifest import read_manifest
from agent.vision.packs.packs import load_pack


def pack_found(file: ConfigFile, state: Path) -> str | Doubtful:
    """The face pack in use, verified.

    Raises:
        ModelPackError: it is not whole, or none was chosen.
    """
    used = in_use(file.config.face.pack, state)
    load_pack(used.pack, state)
    said = f"{used.pack} {used.version}, because {used.why}"
    if not used.not_measured_for:
        return said
    lacks = (f"not measured for {whom}" for whom in used.not_measured_for)
    return Doubtful("; ".join((said, *lacks)))


def pad_found(file: ConfigFile, state: Path) -> str | Doubtful:
    """Which attack detection runs.

    Raises:
        ModelPackError: a pack is not whole.
        ConfigError: the config asks for what is not there.
    """
    used = in_use(file.config.face.pack, state)
    lacking = [f"{name} is not ({reason})" for name, reason in used.missing.items()]
    said = "; ".join([_pad_said(file, state, used.attack_detection, used.pack), *lacking])
    return said if used.attack_detection and not lacking else Doubtful(said)


def _pad_said(file: ConfigFile, state: Path, names: tuple[str, ...], face_pack: str) -> str:
    load_config(file.path, names)  # refuses what only their absence makes wrong
    if not names:
        settings = kiosk_settings(file.config, "")
        if face_without_pad(settings.rules, accept_no_pad=settings.accept_no_pad):
            return "none is installed, and the config accepts that: a photograph may pass"
        return "none is installed, and no rule counts a face"
    manifest = read_manifest(face_pack)
    opened = open_pad(state, manifest.landmarks)
    assert opened is not None
    return ", ".join(f"{pack.name} {pack.version}" for pack in opened.packs)

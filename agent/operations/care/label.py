"""A dead kiosk's label as somebody has it: a picture of its code, its text, or a file with that."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent.credentials.shown_keys import raw_half
from agent.domain.foreign.boundary import read_or
from agent.domain.foreign.json_text import read_json
from agent.errors import RefusedError
from agent.operations.files import read_text
from agent.vision.stills.images import read_on_white
from agent.vision.symbols.symbols import read_symbols

_NAMES = 3
_PICTURES = (".png", ".jpg", ".jpeg", ".heic")


@dataclass(frozen=True, slots=True)
class Label:
    """Which kiosk it names, and the id of its signing key; None where it had none yet."""

    kiosk: str
    signing: str | None


def read_label(word: str) -> Label:
    """The label that ``word`` spells, or that its file holds.

    Raises:
        RefusedError: ``label``: it is none.
        ImageError: the picture cannot be read.
        UnavailableError: the file cannot be read.
    """
    for text in [word] if word.lstrip().startswith("{") else _texts(Path(word)):
        if (label := read_or("label", None, partial(_label, text))) is not None:
            return label
    fix = "give a photograph of it, its text, or what key show --json said at that kiosk"
    raise RefusedError("label", f"this is no label of a kiosk\nFix: {fix}")


def _texts(file: Path) -> list[str]:
    if file.suffix.lower() in _PICTURES:
        return [one.text or "" for one in read_symbols(read_on_white(file))]
    return [read_text(file)]


def _label(text: str) -> Label:
    said = read_json(text)
    kiosk, signing = said["kiosk"], said.get("signing")
    if len(kiosk.split("/")) != _NAMES:
        raise ValueError("a kiosk has three names")
    raw_half(said, "signing")
    return Label(kiosk, None if signing is None else str(signing["key_id"]))

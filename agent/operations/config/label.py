"""A kiosk's label: a QR code with its name and its public keys, and both in words.

A kiosk that has not started yet has no keys: then the code says its name, and what its config was.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.errors import RefusedError
from agent.operations.files import write_whole
from agent.operations.passes.print import Card, print_cards
from agent.operations.pictures import SUFFIXES, is_picture, save_code

_PDF = ".pdf"
TITLE = "Labels of kiosks"


def check_label(file: Path) -> None:
    """Nothing, where a label can be written under this name.

    Raises:
        RefusedError: ``file_type``.
    """
    if not is_picture(file) and file.suffix.lower() != _PDF:
        named = ", ".join((*SUFFIXES, _PDF))
        raise RefusedError("file_type", f"{file.name}: a label is a file named {named}")


def keys_label(keys: Mapping[str, Any]) -> Card:
    """The label of a kiosk whose public keys are ``keys``, as ``key show --json`` has them."""
    ids = tuple((f"{name} key", str(keys[name]["key_id"])) for name in ("signing", "sealing"))
    return _card(str(keys["kiosk"]), json.dumps(keys, separators=(",", ":")), ids)


def card_label(kiosk: str, config: str) -> Card:
    """The label of a kiosk that has not started yet; ``config`` is the text of its card."""
    digest = hashlib.sha256(config.encode()).hexdigest()[:16]
    said = json.dumps({"kiosk": kiosk, "config": digest}, separators=(",", ":"))
    return _card(kiosk, said, (("config", digest), ("no keys yet",)))


def write_labels(labels: Sequence[Card], file: Path) -> None:
    """Write them: one as a picture of its code or as a page, several as sheets of ten.

    Raises:
        RefusedError: ``file_type``; ``labels``: a picture has one only.
        UnavailableError: the file cannot be written.
    """
    check_label(file)
    if file.suffix.lower() == _PDF:
        write_whole(print_cards(labels, sheet=len(labels) > 1, title=TITLE), file)
        return
    if len(labels) != 1:
        raise RefusedError("labels", f"{file.name}: several labels are a file named {_PDF}")
    save_code(labels[0].text, file)


def _card(kiosk: str, text: str, lines: tuple[tuple[str, ...], ...]) -> Card:
    community, _, place = kiosk.partition("/")
    return Card(text, place, f"kiosk of {community}", lines, (community,), kiosk, has_photo=False)

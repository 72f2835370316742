"""A card and a kiosk's own folder, on which the boot partition's gate.toml is tried."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.operations.config.boot_adopt import NOTE, Adoption, adopt
from agent.operations.config.boot_kept import Keeper

PASSWORD, LOGIN = "s3cret \u674e", "rtsp://admin:hunter2@10.0.0.5/stream"
TEXT = f"""\
[kiosk]
community = \u201clakeside\u201d
grid = "g1"
id = "north-1"

[[camera]]
id = "front"
kind = "opencv"
source = "{LOGIN}"

[[door]]
id = "gate"
kind = "gpio"
pin = 17
active_high = true
pin_factory = "mock"

[[access_point]]
id = "entry"
direction = "entry"
camera = "front"
door = "gate"

[[rule]]
categories = ["resident"]
factors = ["pass"]

[broker]
host = "broker.example"
username = "north-1"
password = \u201c{PASSWORD}\u201d  # of the office

[[command_key]]
id = "office"
file = "office.pub"
verbs = ["lockdown"]
"""
SAVES = (
    lambda text: text.encode(),
    lambda text: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode(),
)


@dataclass
class Kiosk:
    """A card, the kiosk's own folder, and a state folder without packs."""

    card: Path
    own: Path
    state: Path
    keeper: Keeper

    @property
    def config(self) -> Path:
        return self.own / "gate.toml"

    def boot(self) -> Adoption:
        return adopt(self.card, self.config, self.state, self.keeper)

    def write(self, change: Callable[[str], str] = lambda text: text) -> None:
        (self.card / "gate.toml").write_bytes(change(TEXT).encode())

    def edit(self, old: str, new: str) -> None:
        file = self.card / "gate.toml"
        before = file.read_bytes().decode()
        assert old in before
        file.write_bytes(before.replace(old, new).encode())

    def said(self) -> dict[str, Any]:
        return dict(json.loads((self.own / NOTE).read_text()))


def kiosk_at(tmp_path: Path) -> Kiosk:
    """A card with a right file, on a kiosk that has nothing yet."""
    own = tmp_path / "own"
    made = Kiosk(tmp_path / "card", own, tmp_path / "state", Keeper(own))
    for folder in (made.card, made.own, made.state):
        folder.mkdir()
    key = Ed25519PrivateKey.generate().public_key()
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (made.card / "office.pub").write_bytes(pem)
    made.write()
    return made

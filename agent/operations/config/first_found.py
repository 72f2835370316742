"""What was found where a first gate is to run, and what of it becomes a default."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Found:
    """What looking found; ``absent`` says in a line each what was not there, by the same names.

    ``cameras`` are answers by what each is called, ``header`` says whether pins can be driven.
    ``pad`` names the attack detection packs that are installed, ``pack`` the face pack, if any.
    """

    host: str = ""
    timezone: str | None = None
    cameras: Mapping[str, str] = field(default_factory=dict)
    header: bool = False
    i2c: bool = False
    thermometers: tuple[str, ...] = ()
    serial_ports: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()
    pack: str | None = None
    pad: tuple[str, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)

    @property
    def kiosk(self) -> str:
        """The host's name as the kiosk's."""
        return _UNSAFE.sub("-", self.host.partition(".")[0]).strip("-")[:_LONGEST] or "kiosk"

    def as_json(self) -> dict[str, Any]:
        """JSON values under stable keys."""
        return {
            "host": self.host,
            "timezone": self.timezone,
            "cameras": [{"camera": one, "name": name} for one, name in self.cameras.items()],
            "header": self.header,
            "i2c": self.i2c,
            "thermometers": list(self.thermometers),
            "serial_ports": list(self.serial_ports),
            "sound": list(self.sound),
            "pack": self.pack,
            "attack_detection": list(self.pad),
            "absent": dict(self.absent),
        }

    def lines(self) -> dict[str, str]:
        """The same for people: a line a thing, what is not there among them."""
        cameras = [f"{one} ({name})" for one, name in self.cameras.items()]
        said = {
            "time zone": [self.timezone] if self.timezone else [],
            "camera": cameras,
            "pins": ["the header of this Raspberry Pi"] if self.header else [],
            "thermometer": list(self.thermometers),
            "serial port": list(self.serial_ports),
            "sound": list(self.sound),
            "model pack": [self.pack] if self.pack else [],
            "attack detection": list(self.pad),
        }
        return {
            name: ", ".join(there) or f"none: {self.absent.get(name, 'not there')}"
            for name, there in said.items()
        }

"""What goes onto the boot partition of a card, and how the first boot finds it.

gate.toml, and the files that it names         taken over at every boot (docs/flash.md)
gate/first-boot.sh, host, lights               makes the kiosk, at the first boot
gate/deb/*.deb, gate/wheelhouse, gate/packs    what it makes it from
cmdline.txt        Bookworm: systemd.run=, as Raspberry Pi's own imager has it
user-data,         Trixie: cloud-init, which its images bring along
network-config
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agent.config import GateConfig
from agent.errors import RefusedError, UnavailableError
from card.disk import Advance
from card.fat import Fat

_SCRIPT = Path(__file__).with_name("first-boot.sh")
_RUN = (
    "systemd.run=/boot/firmware/gate/first-boot.sh systemd.run_success_action=reboot"
    " systemd.unit=kernel-command-line.target"
)
_USER_DATA = """\
#cloud-config
# Written by scripts/flash: the first boot makes a kiosk of this machine, without a network.
hostname: {host}
manage_etc_hosts: true
runcmd:
  - [/bin/bash, /boot/firmware/gate/first-boot.sh, arm]
  - [systemctl, daemon-reload]
  - [systemctl, start, --no-block, gate-first-boot.service]
"""
_NETWORK = """\
# Written by scripts/flash: by cable where there is one; the gate waits for no network.
network:
  version: 2
  ethernets:
    eth0:
      dhcp4: true
      optional: true
"""
_META_DATA = "instance-id: gate-kiosk\n"
_SPARE_BYTES = 8_000_000
"""For gate-status.txt, and the copies that a write on FAT needs."""
_CLUSTER = 32_768


@dataclass(slots=True)
class Load:
    """Files for the card by their names on it: bytes, or a file of this machine."""

    files: dict[str, bytes | Path] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """What they take at most, whole clusters and their folders' entries."""
        each = (
            len(one) if isinstance(one, bytes) else one.stat().st_size
            for one in self.files.values()
        )
        return sum((size // _CLUSTER + 2) * _CLUSTER for size in each)


def load_of(
    config: GateConfig,
    text: dict[str, bytes | Path],
    debs: list[Path],
    wheelhouse: Path | None,
    packs: Path | None,
) -> Load:
    """All that goes into the folder ``gate``, and ``text``: gate.toml and what it names.

    Raises:
        UnavailableError: something is not there, or is for another machine.
    """
    load = Load(dict(text))
    host = host_of(config)
    load.files["gate/first-boot.sh"] = _SCRIPT.read_bytes()
    load.files["gate/host"] = f"{host}\n".encode()
    load.files["gate/lights"] = "".join(_lights(config)).encode()
    load.files |= _debs(debs)
    load.files |= {} if wheelhouse is None else _wheels(wheelhouse)
    if packs is not None:
        found = [one for one in sorted(packs.rglob("*")) if one.is_file()]
        if not found:
            raise UnavailableError(f"{packs} has no files of packs", "docs/packs.md")
        load.files |= {f"gate/packs/{one.relative_to(packs)}": one for one in found}
    return load


def _debs(debs: list[Path]) -> dict[str, Path]:
    for deb in debs:
        if not deb.is_file() or deb.suffix != ".deb":
            raise UnavailableError(f"{deb} is no .deb", "scripts/deb --arch arm64 makes one")
        if deb.stem.endswith(("_amd64", "_i386", "_armhf")):
            raise UnavailableError(f"{deb.name} is for another machine", "--arch arm64")
    return {f"gate/deb/{deb.name}": deb for deb in debs}


def _wheels(wheelhouse: Path) -> dict[str, Path]:
    wheels = sorted(wheelhouse.glob("*.whl"))
    if not wheels:
        raise UnavailableError(f"{wheelhouse} has no wheels", "pip download -d DIR ...")
    for wheel in wheels:
        if not wheel.stem.endswith(("_aarch64", "-any")):
            fix = "pip download --platform manylinux_2_17_aarch64 ... --only-binary :all:"
            raise UnavailableError(f"{wheel.name} is for another machine", fix)
    return {f"gate/wheelhouse/{wheel.name}": wheel for wheel in wheels}


def host_of(config: GateConfig) -> str:
    """The kiosk's id as a host's name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", config.kiosk.id).strip("-").lower()[:63] or "kiosk"


def _lights(config: GateConfig) -> Iterator[str]:
    """A line a light of the kiosk: its pin, and the level at which it is lit; never a door's."""
    for one in config.indicator:
        if one.pin_factory == "lgpio":
            for pin in (one.blue_pin, one.green_pin):
                if pin is not None:
                    yield f"{pin} {'dh' if one.active_high else 'dl'}\n"
                    break


def start_files(fat: Fat, config: GateConfig) -> dict[str, bytes | Path]:
    """What has the first boot begun on this image, by the Debian that is on it.

    Raises:
        UnavailableError: it is no Raspberry Pi OS.
        RefusedError: ``customised``: somebody has set it up already.
    """
    line = fat.read("cmdline.txt")
    if line is None:
        fix = "give an image of Raspberry Pi OS Lite, 64 bit"
        raise UnavailableError("its boot partition has no cmdline.txt", fix)
    user_data = fat.read("user-data")
    if user_data is None and fat.read("meta-data") is None:
        text = line.decode(errors="replace").strip()
        if "systemd.run" in text or "\n" in text:
            raise RefusedError("customised", f"{_CUSTOMISED.format('cmdline.txt')}")
        return {"cmdline.txt": f"{text} {_RUN}\n".encode()}
    if _says_something(user_data or b""):
        raise RefusedError("customised", _CUSTOMISED.format("user-data"))
    made: dict[str, bytes | Path] = {
        "user-data": _USER_DATA.format(host=host_of(config)).encode(),
        "network-config": _NETWORK.encode(),
    }
    if fat.read("meta-data") is None:
        made["meta-data"] = _META_DATA.encode()
    return made


_CUSTOMISED = "{} of the image was set up already\nFix: take the image as it was downloaded"


def _says_something(text: bytes) -> bool:
    lines = (line.strip() for line in text.decode(errors="replace").splitlines())
    return any(line and not line.startswith("#") for line in lines)


def put(fat: Fat, load: Load, advance: Advance) -> None:
    """Write all of it, then read all of it back.

    Raises:
        UnavailableError: there is not enough room; or what is read is something else.
    """
    free = fat.free_bytes()
    if load.size + _SPARE_BYTES > free:
        need, has = (f"{n / 1e6:.0f} MB" for n in (load.size + _SPARE_BYTES, free))
        fix = "fewer packs, or an image with a larger boot partition"
        raise UnavailableError(f"the boot partition has {has} left, and {need} are needed", fix)
    folders = {parent for name in load.files for parent in _parents(name)}
    for folder in sorted(folders, key=len):
        fat.make_folder(folder)
    total = len(load.files)
    # What begins the first boot comes last: a card that was cut short begins nothing.
    order = sorted(load.files, key=lambda name: (name in ("cmdline.txt", "user-data"), name))
    for number, name in enumerate(order):
        content = load.files[name]
        if isinstance(content, bytes):
            fat.write(name, content)
        else:
            fat.copy(content, name)
        advance("copying files", number + 1, total)


def check(fat: Fat, load: Load, advance: Advance) -> None:
    """See that all of it is there.

    Raises:
        UnavailableError: a file is not what was written.
    """
    for number, (name, content) in enumerate(load.files.items()):
        wanted = content if isinstance(content, bytes) else content.read_bytes()
        if fat.read(name) != wanted:
            raise UnavailableError(f"{name} on the card is not what was written", "another card")
        advance("reading files back", number + 1, len(load.files))


def _parents(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))]

"""For which Debian a package is made, and what differs."""

import platform
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """One Debian: its Python, and how it calls the libraries that no wheel brings."""

    name: str
    number: int
    python: str
    zbar: str
    manual_pins: bool
    """Whether pins come from the distribution, since no wheel drives them."""

    @property
    def interpreter(self) -> str:
        """Debian's own, where the environment finds it."""
        return f"/usr/bin/python{self.python}"


RELEASES = {
    one.name: one
    for one in (
        Release("bookworm", 12, "3.11", "libzbar0", manual_pins=False),
        Release("trixie", 13, "3.13", "libzbar0t64", manual_pins=True),
    )
}
MACHINES = {"arm64": "aarch64", "amd64": "x86_64"}
"""What Debian calls an architecture, and what the kernel and the wheels do."""

# The C library of Debian 12 is 2.36, so all that asks for an older one runs on both.
PLATFORMS = tuple(f"manylinux_2_{minor}" for minor in range(36, 16, -1))


def own_architecture() -> str:
    """Of this machine, as Debian says it; amd64 where it is neither."""
    found = (name for name, machine in MACHINES.items() if machine == platform.machine())
    return next(found, "amd64")


def tags(architecture: str) -> list[str]:
    """Every platform tag that runs there, as pip has to be told them one by one."""
    machine = MACHINES[architecture]
    return [f"{name}_{machine}" for name in (*PLATFORMS, "manylinux2014", "linux")]

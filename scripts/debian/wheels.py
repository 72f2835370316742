"""The wheels of a foreign machine: what the locks pin for it, fetched, held to its hash.

No code of a wheel runs here: pip downloads.
"""

import hashlib
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.utils import canonicalize_name, parse_wheel_filename

from agent.errors import UnavailableError
from debian.releases import MACHINES, Release, tags


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of a lock that holds for the machine the package is for."""

    name: str
    version: str
    hashes: frozenset[str]

    def text(self) -> str:
        """As pip reads it."""
        hashes = "".join(f" --hash=sha256:{digest}" for digest in sorted(self.hashes))
        return f"{self.name}=={self.version}{hashes}\n"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A file that is what its lock says."""

    pin: Pin
    path: Path
    sha256: str


def pins(locks: Iterable[str], release: Release, architecture: str) -> list[Pin]:
    """What the texts of ``locks`` pin for a kiosk there; a package in two of them once."""
    machine = {
        "python_version": release.python,
        "python_full_version": f"{release.python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_machine": MACHINES[architecture],
    }
    found: dict[str, Pin] = {}
    for lock in locks:
        for line in lock.replace("\\\n", " ").splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            requirement, *_ = line.split("--hash", 1)
            asked, _, marker = requirement.partition(";")
            name, _, version = asked.strip().partition("==")
            if marker.strip() and not Marker(marker.strip()).evaluate(machine):
                continue
            pin = Pin(name, version, frozenset(re.findall(r"--hash=sha256:([0-9a-f]{64})", line)))
            other = found.setdefault(canonicalize_name(name), pin)
            if other.version != version:
                raise UnavailableError(
                    f"{name} has the versions {other.version} and {version} in the locks",
                    "scripts/lock",
                )
    return [found[name] for name in sorted(found)]


def fetch(
    wanted: Sequence[Pin], release: Release, architecture: str, cache: Path, given: Path | None
) -> list[Wheel]:
    """The wheel of every pin, from ``cache``, else by pip: from ``given`` alone where it is named.

    Raises:
        UnavailableError: pip did not find one; or one has another hash than its lock says.
    """
    cache.mkdir(parents=True, exist_ok=True)
    missing = [pin for pin in wanted if _find(pin, cache) is None]
    if missing:
        _download(missing, release, architecture, cache, given)
    found = [_find(pin, cache) for pin in wanted]
    if None in found:
        lost = wanted[found.index(None)]
        raise UnavailableError(
            f"no wheel of {lost.name} {lost.version} has a hash of its lock",
            f"remove {cache} and build again",
        )
    return [wheel for wheel in found if wheel is not None]


def _find(pin: Pin, folder: Path) -> Wheel | None:
    for path in sorted(folder.glob("*.whl")):
        name, version, _, _ = parse_wheel_filename(path.name)
        if name == canonicalize_name(pin.name) and str(version) == pin.version:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest in pin.hashes:
                return Wheel(pin, path, digest)
    return None


def _download(
    missing: Sequence[Pin], release: Release, architecture: str, cache: Path, given: Path | None
) -> None:
    lock = cache / "wanted.txt"
    lock.write_text("".join(pin.text() for pin in missing))
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["--implementation", "cp", "--python-version", release.python]
    for tag in tags(architecture):
        command += ["--platform", tag]
    if given is not None:
        command += ["--no-index", "--find-links", str(given)]
    command += ["--dest", str(cache), "--requirement", str(lock)]
    try:
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=sys.stderr)  # noqa: S603 - our own arguments
    finally:
        lock.unlink()
    if done.returncode != 0:
        raise UnavailableError(
            f"pip found not every wheel for {architecture} and Python {release.python}",
            "see its message above; without a network bring the wheels: --wheels DIR",
        )

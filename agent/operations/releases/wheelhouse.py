"""A wheelhouse: a folder of wheels that make a release, where no package of Debian is at hand.

    wheelhouse.json      version, architecture, Debian release, Python, forms of the state, and each
                         file with its SHA-256 and size; wheelhouse.json.sig is its signature
    *.whl                what the locks pin, and the agent's own
    sbom.cdx.json        the bill of materials

What the signature says is of wheelhouse.json, and that holds every other file to its hash. What
lies in the folder besides is not looked at.
"""

import json
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any

from agent.domain.foreign.json_text import read_json
from agent.errors import RefusedError, UnavailableError
from agent.operations.about import RELEASE
from agent.operations.bill import SHIPPED
from agent.operations.releases.environment import make_venv, site_packages, unpack
from agent.operations.releases.package import Advance, Said, state_of

NAME = "wheelhouse.json"
BILL = "sbom.cdx.json"
_LARGEST_BYTES = 262_144
_COMPILED_S = 1800.0
# Wheels are pressed to some third of what they hold, and all of it is compiled beside it.
_GROWS = 6


@dataclass(frozen=True, slots=True)
class Wheelhouse:
    """What a wheelhouse says of itself; ``files`` has by name the SHA-256 in hexadecimal."""

    folder: Path
    said: Said
    python: str
    files: Mapping[str, str]
    release: Mapping[str, Any]


def read_wheelhouse(folder: Path) -> Wheelhouse:
    """What ``folder`` says, every file of it held to its hash.

    Raises:
        UnavailableError: it cannot be read, or lacks a file.
        RefusedError: ``no_package``; it is none, or a file is not the one that it names.
    """
    told = folder / NAME
    try:
        with told.open("rb") as stream:
            said = read_json(stream.read(_LARGEST_BYTES))
        files = {str(name): str(digest) for name, digest in said["files"].items()}
        version, architecture = str(said["version"]), str(said["architecture"])
        python = str(said["python"])
    except OSError as error:
        raise UnavailableError(
            f"{told}: {error.strerror}", "name a .deb or a wheelhouse"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RefusedError("no_package", f"{told} says nothing of a release") from None
    if not all(_is_plain(name) for name in files) or not python.replace(".", "").isdecimal():
        raise RefusedError("no_package", f"{told} names what may not be in a wheelhouse")
    size = 0
    for name, digest in files.items():
        size += _checked(folder / name, digest)
    found = Said(version, architecture, size * _GROWS, state_of(said))
    return Wheelhouse(folder, found, python, files, said)


def _is_plain(name: str) -> bool:
    return Path(name).name == name and (name.endswith(".whl") or name == BILL)


def _checked(file: Path, digest: str) -> int:
    try:
        with file.open("rb") as stream:
            same = file_digest(stream, "sha256").hexdigest() == digest
        size = file.stat().st_size
    except OSError as error:
        raise UnavailableError(f"{file}: {error.strerror}", "bring the whole wheelhouse") from error
    if not same:
        raise RefusedError("no_package", f"{file} is not the file that was signed")
    return size


def build(house: Wheelhouse, into: Path, home: Path, advance: Advance) -> None:
    """Make the release in the folder ``into``; it says that it lies in ``home``.

    Raises:
        UnavailableError: the Python that it is for is not here, or the disk is full.
        RefusedError: ``no_package``; a wheel is damaged, or reaches outside.
    """
    interpreter = _interpreter(house.python)
    try:
        into.mkdir()
        site = site_packages(into, house.python)
        wheels = sorted(name for name in house.files if name.endswith(".whl"))
        for number, name in enumerate(wheels):
            advance("unpack", number, len(wheels))
            unpack(house.folder / name, site, into)
        make_venv(into, home, house.python, interpreter, house.said.architecture)
        (into / RELEASE).parent.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in house.release.items() if name != "files"}
        (into / RELEASE).write_text(json.dumps(kept, indent=2) + "\n")
        if BILL in house.files:
            shutil.copyfile(house.folder / BILL, into / SHIPPED)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise RefusedError("no_package", f"{house.folder}: a wheel is damaged") from error
    except OSError as error:
        raise UnavailableError(f"{into}: {error.strerror or error}", "free space") from error
    advance("compile", 0, 0)
    _compile(interpreter, into, home)
    _open_to_all(into)


def _interpreter(python: str) -> str:
    """The system's Python of that version: wheels are of one only.

    Raises:
        UnavailableError: it is not here.
    """
    name = f"python{python}"
    own = Path("/usr/bin", name)
    found = str(own) if own.exists() else shutil.which(name)
    if found is None:
        raise UnavailableError(
            f"it is for Python {python}, which is not here", f"apt install {name}"
        )
    return found


def _open_to_all(folder: Path) -> None:
    """Whatever the umask: the service's user runs it."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)


def _compile(interpreter: str, stage: Path, home: Path) -> None:
    """Else each start would, where nobody may keep what comes of it.

    Some packages bring files for other Pythons: what does not compile is left as it is.
    """
    words = [interpreter, "-I", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    words += ["-s", str(stage), "-p", str(home), str(stage / "lib")]
    try:
        subprocess.run(  # noqa: S603 - the system's own Python
            words,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_COMPILED_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{interpreter} does not compile it", "see the disk") from error

"""Releases in a folder that stands for a machine, and signed packages of them, made in a moment.

Run as a program it is the process that tests kill: for each line "deed calls path" of its input it
updates the machine at the path by the package there, and kills itself at that many calls.
"""

import gzip
import hashlib
import io
import json
import os
import sys
import tarfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from store_parts import forked_kills, killed_at

from agent.app.desk.update.carry import Update
from agent.app.open.files.formats import FORMATS
from agent.credentials.signed.release import SignedRelease, sign_release
from agent.operations.about import RELEASE

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
OLD, NEW = "0.1.0+deb12", "0.2.0~git20261128.abcdef0+deb12"
PROGRAM = """\
#!/bin/sh
# A release: what its doctor finds is in the release, or in the machine's own file.
here=$(cd "$(dirname "$0")/.." && pwd)
case $1 in
  version) {version} ;;
  doctor) [ -e "$here/../../doctor.json" ] && exec cat "$here/../../doctor.json"
    cat "$here/doctor.json" ;;
esac
"""
WELL = {"camera front": True, "broker": True, "disk": True}


def checks(found: Mapping[str, bool]) -> bytes:
    return json.dumps({"checks": [{"name": name, "ok": ok} for name, ok in found.items()]}).encode()


def files_of(
    version: str, found: Mapping[str, bool], *, starts: bool = True, state: Any = FORMATS
) -> dict[str, bytes]:
    """The files of a release, by their places in it."""
    said = {"version": version} | ({} if state is None else {"state": state})
    runs = f'echo \'{{"agent": "{version}"}}\'' if starts else "exit 3"
    return {
        "bin/gate-agent": PROGRAM.format(version=runs).encode(),
        "doctor.json": checks(found),
        str(RELEASE): json.dumps(said).encode(),
        "app/agent/words.py": f"VERSION = {version!r}\n".encode() * 50,
    }


def deb(
    file: Path,
    version: str,
    files: Mapping[str, bytes],
    *,
    arch: str = "all",
    package: str = "gate-agent",
    more: Mapping[str, bytes] | None = None,
    size_kib: int = 100,
    links: Mapping[str, str] | None = None,
) -> Path:
    """A package with these files in its release; ``more`` has others by their whole names.

    ``links`` are symbolic ones in the release, before its files.
    """
    control = (
        f"Package: {package}\nVersion: {version}\nArchitecture: {arch}\n"
        f"Installed-Size: {size_kib}\nDescription: a gate\n more\n"
    )
    data = {f"./opt/gate-agent/package/{name}": content for name, content in files.items()}
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar.gz": gzip.compress(_tar({"./control": control.encode()})),
        "data.tar.gz": gzip.compress(_tar({**data, **(more or {})}, links or {})),
    }
    content = b"!<arch>\n"
    for name, part in parts.items():
        content += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(part):<10}`\n".encode()
        content += part + b"\n" * (len(part) % 2)
    file.write_bytes(content)
    return file


def _tar(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in ("./", "./opt/gate-agent/package/", "./opt/gate-agent/package/bin/"):
            inside = tarfile.TarInfo(folder)
            inside.type, inside.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(inside)
        for name, target in (links or {}).items():
            link = tarfile.TarInfo(f"./opt/gate-agent/package/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = 0o755 if name.endswith("bin/gate-agent") else 0o644
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def signed(
    file: Path,
    version: str,
    *,
    arch: str = "all",
    debian: str = "bookworm",
    key: Ed25519PrivateKey = KEY,
) -> Path:
    """Its signature beside it; the file itself."""
    content = file.read_bytes()
    digest = hashlib.sha256(content).digest()
    time = datetime(2026, 11, 28, tzinfo=UTC)
    release = SignedRelease(version, arch, debian, digest, len(content), time)
    file.with_name(f"{file.name}.sig").write_bytes(sign_release(release, key))
    return file


def offered(
    folder: Path, version: str = NEW, found: Mapping[str, bool] = WELL, **more: Any
) -> Path:
    """A signed package of a release whose doctor finds this."""
    files = files_of(version, found, **more)
    return signed(deb(folder / f"{version}.deb", version, files), version)


class Machine:
    """A root with one release in it, its pinned key, and a state that nobody may touch."""

    def __init__(self, root: Path, found: Mapping[str, bool] = WELL) -> None:
        self.root = root
        self.home = root / "opt" / "gate-agent"
        self.place(OLD, found)
        (self.home / "current").symlink_to(f"releases/{OLD}")
        etc = root / "etc" / "gate-agent"
        etc.mkdir(parents=True)
        (root / "etc" / "os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
        (etc / "release-key.pem").write_bytes(PUBLIC)
        (etc / "release-key.pem").chmod(0o644)
        self.state = root / "var" / "lib" / "gate-agent" / "registry.sqlite"
        self.state.parent.mkdir(parents=True)
        self.state.write_text("people")

    def place(self, version: str, found: Mapping[str, bool], **more: Any) -> None:
        for name, content in files_of(version, found, **more).items():
            path = self.home / "releases" / version / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o755 if name == "bin/gate-agent" else 0o644)

    @property
    def current(self) -> str:
        link = (self.home / "current").readlink()
        assert link.parent == Path("releases")
        return link.name

    @property
    def releases(self) -> set[str]:
        return {one.name for one in (self.home / "releases").iterdir()}

    @property
    def others(self) -> set[str]:
        """What lies in the home beside releases and the link."""
        return {one.name for one in self.home.iterdir()} - {"releases", "current"}

    def is_whole(self, version: str) -> bool:
        place = self.home / "releases" / version
        return all(
            (place / name).read_bytes() == content
            for name, content in files_of(version, WELL).items()
        )


def _update(_deed: str, calls: str, path: str) -> None:
    root = Path(path)

    def run() -> None:
        update = Update(root, root / "gate.toml", root / "state")
        with update.home.held():
            update.settle()
            plan = update.planned(root / f"{NEW}.deb")
            update.carry_out(plan, lambda _what, _done, _total: None)

    killed_at(calls, run)


if __name__ == "__main__":
    os.environ["PATH"] = os.defpath
    sys.stderr.flush()
    forked_kills(_update)

"""Small packages of the agent: made by the steps of scripts/deb, of a tree that fits in a hand."""

import base64
import hashlib
import shutil
import sys
import zipfile
from pathlib import Path

from debian import package, tree, wheels
from debian.releases import Release
from places import ROOT

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
HERE = Release("bookworm", 12, PYTHON, "libzbar0", manual_pins=False)
TIME = 1_795_000_000


def wheel(folder: Path, name: str, files: dict[str, str], tag: str = "py3-none-any") -> wheels.Pin:
    """Write a wheel into ``folder``; what a lock would pin of it."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-1.0.dist-info"
    content = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n"
        "License-Expression: MIT\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = []
    for path, text in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record.append(f"{path},sha256={digest.decode()},{len(text.encode())}\n")
    content[f"{info}/RECORD"] = "".join([*record, f"{info}/RECORD,,\n"])
    wheel = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for inside, text in content.items():
            archive.writestr(zipfile.ZipInfo(inside, (2026, 1, 1, 0, 0, 0)), text)
    return wheels.Pin(name, "1.0", frozenset({hashlib.sha256(wheel.read_bytes()).hexdigest()}))


def source(folder: Path, says: str, entry: str | None = None) -> Path:
    """A commit's files: a small agent that prints ``says``, and the real units and pages.

    ``entry`` is the code of another one.
    """
    cli = folder / "agent" / "cli"
    cli.mkdir(parents=True)
    (folder / "agent" / "__init__.py").write_text("")
    (cli / "__init__.py").write_text("")
    (cli / "entry.py").write_text(
        entry
        or "import sys\n\nfrom tiny import WORD\n\n\n"
        f"def main():\n    print({says!r}, WORD, sys.prefix)\n"
    )
    (folder / "models").mkdir()
    for name in ("systemd", "config"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "service.md", folder / "docs")
    for name in ("CHANGELOG.md", "SECURITY.md"):
        shutil.copy(ROOT / name, folder)
    return folder


def build(work: Path, version: str, says: str = "agent", entry: str | None = None) -> Path:
    """A package of that version, for this machine's Python."""
    made = tree.Built(version, "0.1.0", "0" * 40, TIME, HERE, "all")
    brought = work / "wheels"
    pins = [wheel(brought, "tiny", {"tiny/__init__.py": "WORD = 'tiny'\nSOME = {'b', 'a'}\n"})]
    found = [
        wheels.Wheel(pin, path, next(iter(pin.hashes)))
        for pin, path in zip(pins, brought.glob("*.whl"), strict=True)
    ]
    stage, root = work / "stage", work / "root"
    files = source(work / "source", says, entry)
    tree.environment(made, found, files, stage)
    tree.compiled(sys.executable, made, stage)
    package.lay_out(made, stage, files, root)
    out = work / f"gate-agent_{version}.deb"
    package.pack(made, root, out)
    return out

"""The package itself: where each file goes, the control files, and the archive of both.

dpkg-deb alone makes it: what debhelper would add (scripts of its own, a source package, a build
environment) is more to keep the same than the two pages here. Modes, owners, times and the order of
files are set here, so two builds of one commit are one file.
"""

import gzip
import hashlib
import os
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from agent.errors import UnavailableError
from agent.operations.bill import SHIPPED
from debian.tree import PACKAGE, Built

_FILES = Path(__file__).parent / "files"
_TREE_PROGRAMS = "/opt/gate-agent/.venv/bin/"
_PROGRAMS = "/opt/gate-agent/current/bin/"
_TREE_DOCS = "file:///opt/gate-agent/docs/"
_DOC = "usr/share/doc/gate-agent"
_PACKAGED_DOCS = f"file:///{_DOC}/docs/"
_MAINTAINER = "The gate agent's maintainers <maintainers@gate-agent.invalid>"
_SCRIPTS = ("postinst", "prerm", "postrm")
UNITS = (
    "gate-agent.service",
    "gate-agent-first.service",
    "gate-agent-settle.service",
    # About a config that comes with the card; scripts/flash has them enabled: docs/flash.md.
    "gate-agent-boot.service",
    "gate-agent-key.service",
    "gate-agent-report.service",
    "gate-agent-report.timer",
    # Off: nothing enables it but a person (docs/console.md).
    "gate-agent-console.socket",
    "gate-agent-console.service",
    # Off until somebody enables the timer: docs/care.md.
    "gate-agent-backup.service",
    "gate-agent-backup.timer",
)


def lay_out(built: Built, environment: Path, source: Path, root: Path) -> None:
    """Make in ``root`` what the package installs, of the ``environment`` and the commit's files."""
    place = root / PACKAGE.relative_to("/")
    place.parent.mkdir(parents=True)
    environment.rename(place)
    program = root / "usr/bin/gate-agent"
    program.parent.mkdir(parents=True)
    program.symlink_to(f"{_PROGRAMS}gate-agent")
    _write(root / "usr/lib/gate-agent/settle", (_FILES / "settle").read_text(), 0o755)
    for unit in UNITS:
        _write(root / "lib/systemd/system" / unit, unit_text(source / "systemd" / unit))
    for name, target in (
        ("gate-agent.sysusers", "usr/lib/sysusers.d/gate-agent.conf"),
        ("gate-agent.tmpfiles", "usr/lib/tmpfiles.d/gate-agent.conf"),
        ("gate-agent.udev.rules", "lib/udev/rules.d/60-gate-agent.rules"),
        ("gate-agent.journald.conf", "usr/lib/systemd/journald.conf.d/gate-agent.conf"),
        ("gate-agent.watchdog.conf", "usr/lib/systemd/system.conf.d/gate-agent.conf"),
    ):
        _write(root / target, (source / "systemd" / name).read_text())
    _documents(built, source, root / _DOC)
    (root / _DOC / "sbom.cdx.json").symlink_to(f"/opt/gate-agent/current/{SHIPPED}")
    _write(
        root / "usr/share/lintian/overrides/gate-agent",
        (_FILES / "lintian-overrides").read_text(),
    )


def unit_text(unit: Path) -> str:
    """The unit as the package has it: its programs and its page lie elsewhere than in a tree."""
    return unit.read_text().replace(_TREE_PROGRAMS, _PROGRAMS).replace(_TREE_DOCS, _PACKAGED_DOCS)


def _documents(built: Built, source: Path, folder: Path) -> None:
    shutil.copytree(source / "docs", folder / "docs")
    shutil.copytree(source / "config", folder / "examples")
    drop_ins = folder / "examples" / "drop-ins"
    for unit in ("gate-agent", "gate-agent-backup"):
        shutil.copytree(source / "systemd" / f"{unit}.service.d", drop_ins, dirs_exist_ok=True)
    shutil.copy(source / "SECURITY.md", folder / "SECURITY.md")
    _write(folder / "copyright", (_FILES / "copyright").read_text())
    _pressed(folder / "NEWS.md.gz", (source / "CHANGELOG.md").read_text())
    moment = format_datetime(datetime.fromtimestamp(built.time, UTC))
    changes = (
        f"gate-agent ({built.version}) {built.release.name}; urgency=medium\n\n"
        f"  * Commit {built.commit}.\n\n -- {_MAINTAINER}  {moment}\n"
    )
    _pressed(folder / "changelog.gz", changes)


def control(built: Built, root: Path) -> str:
    """The control file of what lies in ``root``."""
    # As Debian's policy counts: files by the KiB, all else as one. A folder's size is its disk's.
    size = len(list(root.rglob("*"))) + sum(path.stat().st_size // 1024 for path in _files(root))
    needs = [
        f"python{built.release.python}",
        "init-system-helpers (>= 1.52)",
        "libc6 (>= 2.34)",
        "libgcc-s1",
        "libstdc++6",
        built.release.zbar,
        "systemd",
        "udev",
        "zlib1g",
    ]
    wishes = ["alsa-utils", "ca-certificates", "espeak-ng", "fonts-wqy-zenhei"]
    wishes += ["systemd-timesyncd | time-daemon"]
    if built.architecture == "arm64":
        wishes += ["python3-picamera2"]
        wishes += ["python3-lgpio"] if built.release.manual_pins else []
    about = (
        "Recognises residents by face or pass at a gate, decides on the spot, releases the door by"
        " a relay and tells the community's MQTT broker. It works without a network. Python, its"
        " packages and the agent lie in an environment of their own below /opt/gate-agent."
    )
    fields = {
        "Package": "gate-agent",
        "Version": built.version,
        "Architecture": built.architecture,
        "Maintainer": _MAINTAINER,
        "Installed-Size": str(size),
        "Depends": ", ".join(needs),
        "Recommends": ", ".join(sorted(wishes)),
        "Suggests": "mosquitto",
        "Section": "misc",
        "Priority": "optional",
        "Description": "firmware of a community gate kiosk",
    }
    text = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return text + textwrap.indent(textwrap.fill(about, 78), " ") + "\n"


def pack(built: Built, root: Path, out: Path) -> None:
    """Make the package ``out`` of what lies in ``root``.

    Raises:
        UnavailableError: dpkg-deb is not here, or refuses.
    """
    folder = root / "DEBIAN"
    folder.mkdir()
    for name in _SCRIPTS:
        text = (_FILES / name).read_text().replace("@VERSION@", built.version)
        _write(folder / name, text, 0o755)
    sums = "".join(
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}"
        f"  {path.relative_to(root)}\n"
        for path in _files(root)
        if folder not in path.parents
    )
    _write(folder / "md5sums", sums)
    _write(folder / "control", control(built, root))
    _settle(root, built.time)
    # The strongest level takes four times as long and saves a seventh; zstd is larger still, and
    # lintian calls it malformed.
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z1", "--threads-max=2", "--build"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(built.time)}
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            [*command, str(root), str(out)],
            check=False,
            env=environment,
            capture_output=True,
            text=True,
        )
    except OSError as error:
        raise UnavailableError("dpkg-deb is not here", "build on Debian 12 or later") from error
    if done.returncode != 0:
        raise UnavailableError(f"dpkg-deb refuses: {done.stderr.strip()[:300]}", "see above")


def _files(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink())


def _settle(root: Path, time: int) -> None:
    """Modes that say who runs what and nothing of this machine's umask; the commit's time."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or (path.stat().st_mode & 0o100 and path.suffix != ".so")
            path.chmod(0o755 if runs else 0o644)
        os.utime(path, (time, time), follow_symlinks=False)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _pressed(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))

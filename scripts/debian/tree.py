"""The environment as a kiosk has it: an interpreter's link, the wheels, the agent, compiled.

    PACKAGE/pyvenv.cfg  bin/python -> Debian's   bin/gate-agent
            lib/pythonX.Y/site-packages          the wheels; gate-agent.pth names app/
            app/agent  app/models                the agent, and the manifests beside it
            share/gate-agent                     bill of materials, release.json

It is laid in PACKAGE, and says that it lies in RELEASES/VERSION, where the package's own script
links it to: docs/decisions has the reason.
"""

import json
import os
import re
import shutil
import subprocess
import tarfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path

from agent.app.open.files.formats import FORMATS
from agent.errors import UnavailableError
from agent.operations.about import RELEASE
from agent.operations.bill import SHIPPED, document, offered_packs, packages_of
from agent.operations.releases.environment import make_venv, site_packages, unpack
from debian.releases import Release
from debian.wheels import Wheel

HOME = Path("/opt/gate-agent")
PACKAGE = HOME / "package"
RELEASES = HOME / "releases"
SOURCES = ("agent", "models", "config", "docs", "systemd", "LICENSE", "CHANGELOG.md", "SECURITY.md")
_UNPACKED = ("pyproject.toml", "requirements", "scripts/debian")


@dataclass(frozen=True, slots=True)
class Built:
    """Which commit becomes which version for whom; ``time`` is that of the commit, in seconds."""

    version: str
    agent: str
    commit: str
    time: int
    release: Release
    architecture: str

    @property
    def home(self) -> Path:
        """Where the environment says that it lies."""
        return RELEASES / self.version


def describe(root: Path, release: Release, architecture: str) -> Built:
    """The commit that is checked out at ``root``; what is not committed is not built.

    Raises:
        UnavailableError: git does not answer there.
    """
    commit = git(root, "rev-parse", "HEAD").strip()
    time = int(
        os.environ.get("SOURCE_DATE_EPOCH") or git(root, "log", "-1", "--format=%ct", commit)
    )
    project = tomllib.loads(git(root, "show", f"{commit}:pyproject.toml"))["project"]
    version = str(project["version"])
    tagged = f"v{version}" in git(root, "tag", "--points-at", commit).split()
    moment = datetime.fromtimestamp(int(git(root, "log", "-1", "--format=%ct", commit)), UTC)
    # What is built before its tag comes before it; of one second there is one commit.
    suffix = "" if tagged else f"~git{moment:%Y%m%d%H%M%S}.{commit[:7]}"
    full = f"{version}{suffix}+deb{release.number}"
    return Built(full, version, commit, time, release, architecture)


def git(root: Path, *arguments: str) -> str:
    """What git says.

    Raises:
        UnavailableError: nothing, or that it cannot.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            ["git", "-C", str(root), *arguments],  # noqa: S607 - the person's git
            check=True,
            capture_output=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise UnavailableError(
            f"git {arguments[0]} fails in {root}", "build in a clone of the project"
        ) from error
    return done.stdout


def sources(root: Path, commit: str, into: Path) -> None:
    """Lay the commit's files that a package is made of into ``into``."""
    archive = into / "sources.tar"
    into.mkdir(parents=True)
    git(root, "archive", "--format=tar", f"--output={archive}", commit, *SOURCES, *_UNPACKED)
    with tarfile.open(archive) as file:
        file.extractall(into, filter="data")
    archive.unlink()


def environment(built: Built, wheels: Sequence[Wheel], source: Path, stage: Path) -> None:
    """Make the environment in ``stage`` of the wheels and of ``source``."""
    python = built.release.python
    site = site_packages(stage, python)
    for wheel in wheels:
        unpack(wheel.path, site, stage)
    make_venv(stage, built.home, python, built.release.interpreter, built.architecture)
    app = stage / "app"
    app.mkdir()
    for name in ("agent", "models"):
        shutil.copytree(source / name, app / name)
    (site / "gate-agent.pth").write_text("../../../app\n")
    _metadata(built, app)
    (stage / RELEASE).parent.mkdir(parents=True)
    said = {
        "version": built.version,
        "agent": built.agent,
        "commit": built.commit,
        "debian": built.release.name,
        "architecture": built.architecture,
        "python": built.release.python,
        # Whoever updates a kiosk compares it: docs/update.md.
        "state": FORMATS,
    }
    (stage / RELEASE).write_text(json.dumps(said, indent=2) + "\n")
    hashes = {wheel.pin.name: wheel.sha256 for wheel in wheels}
    _, packages = packages_of(distributions(path=[str(site)]), set(hashes), hashes)
    made = document(built.agent, packages, offered_packs(), datetime.fromtimestamp(built.time, UTC))
    (stage / SHIPPED).write_text(json.dumps(made, indent=2) + "\n")


def _metadata(built: Built, app: Path) -> None:
    info = app / f"gate_agent-{built.agent}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: gate-agent\nVersion: {built.agent}\n"
        "License-Expression: Apache-2.0\n"
    )
    (info / "entry_points.txt").write_text("[console_scripts]\ngate-agent = agent.cli.entry:main\n")


def interpreter(release: Release, named: Path | None) -> str:
    """A Python of the kiosk's version on this machine: only the same makes code that it loads.

    Raises:
        UnavailableError: there is none.
    """
    candidates = [str(named)] if named is not None else [f"python{release.python}"]
    if named is None:
        pyenv = Path.home() / ".pyenv" / "versions"
        candidates += [str(path) for path in sorted(pyenv.glob(f"{release.python}.*/bin/python"))]
    for candidate in candidates:
        if _version_of(candidate) == release.python:
            return candidate
    raise UnavailableError(
        f"no Python {release.python} is here, which compiles for {release.name}",
        f"install python{release.python}, or name one: --python FILE",
    )


def _version_of(program: str) -> str | None:
    asked = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(  # noqa: S603 - a Python that the person named
            [program, "-I", "-c", asked], check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def compiled(python: str, built: Built, stage: Path) -> None:
    """Compile all of it for the kiosk, which may not write there and would do so at every start.

    The files carry no time, and are believed without a look at their source: dpkg holds both.

    Raises:
        UnavailableError: a file cannot be compiled.
    """
    command = [python, "-I", "-m", "compileall", "-q", "-f", "--invalidation-mode"]
    command += ["unchecked-hash", "-s", str(stage), "-p", str(built.home)]
    # Some packages bring examples for other Pythons, in folders that no kiosk imports.
    command += ["-x", r"/(tests?|testing/data|lib2to3)/", str(stage / "lib"), str(stage / "app")]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": str(built.time)}
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)  # noqa: S603 - our own arguments
    if done.returncode != 0:
        told = re.sub(r"\s+", " ", done.stdout)[:500]
        raise UnavailableError(f"not all of it compiles: {told}", "see which wheel it is of")

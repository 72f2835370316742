"""The command line: it parses and prints; what it does stands in ``--help``."""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from agent.credentials.passes.issuers import key_id
from agent.errors import GateAgentError, UnavailableError
from debian import package, signature, tree, wheelhouse, wheels
from debian.releases import MACHINES, RELEASES, own_architecture

ROOT = Path(__file__).resolve().parents[2]
_LOCKS = ("requirements/console.txt", "scripts/debian/pins.txt")
_PI_LOCK = "requirements/pi.txt"
_ABOUT = """\
Builds the Debian package of the commit that is checked out: for one architecture and one Debian,
with all that Python needs inside, so that installing it needs no package index. No code of a
foreign machine runs. One commit makes one file, byte by byte.

  scripts/deb --arch arm64 --release bookworm -o gate-agent.deb
  scripts/deb --arch arm64 --release trixie --sign KEY.pem
  scripts/deb --arch arm64 --wheelhouse -o wheelhouse --sign KEY.pem
  scripts/deb verify gate-agent.deb --key PUBLIC.pem

exit codes: 0 done, 1 the signature is of another key or file, 2 usage, 69 something is missing
"""


def main(arguments: Sequence[str]) -> int:
    """Build, or check a signature; the exit code."""
    try:
        if arguments[:1] == ["verify"]:
            return _verify(_verify_parser().parse_args(arguments[1:]))
        return _build(_build_parser().parse_args(arguments))
    except GateAgentError as error:
        fix = f"\nFix: {error.fix}" if isinstance(error, UnavailableError) else ""
        sys.stderr.write(f"scripts/deb: {error}{fix}\n")
        return error.exit_code


def _build_parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="scripts/deb",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument(
        "--arch",
        choices=sorted(MACHINES),
        default=own_architecture(),
        help="for which machine (this one's)",
    )
    made.add_argument(
        "--release",
        choices=sorted(RELEASES),
        default="bookworm",
        help="for which Debian (bookworm)",
    )
    made.add_argument(
        "-o",
        "--out",
        type=Path,
        metavar="FILE",
        help="the package (dist/gate-agent_VERSION_ARCH.deb)",
    )
    made.add_argument(
        "--wheels",
        type=Path,
        metavar="DIR",
        help="take wheels from here alone, without a network; else pip fetches what .cache lacks",
    )
    made.add_argument(
        "--python",
        type=Path,
        metavar="FILE",
        help="what compiles: a Python of that Debian's version (pythonX.Y on the PATH)",
    )
    made.add_argument(
        "--sign", type=Path, metavar="KEY.pem", help="an Ed25519 key: FILE.sig is made beside it"
    )
    made.add_argument(
        "--wheelhouse",
        action="store_true",
        help="a folder of wheels instead, which gate-agent update takes as well"
        " (dist/gate-agent_VERSION_ARCH)",
    )
    made.add_argument("--json", action="store_true", help="say what was made as JSON")
    return made


def _verify_parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="scripts/deb verify",
        description="Say of which version a package is, if this key signed this very file.",
        allow_abbrev=False,
    )
    made.add_argument("package", type=Path, metavar="FILE")
    made.add_argument("--key", type=Path, metavar="PUBLIC.pem", required=True)
    made.add_argument("--json", action="store_true", help="say it as JSON")
    return made


def _build(asked: argparse.Namespace) -> int:
    release = RELEASES[asked.release]
    built = tree.describe(ROOT, release, asked.arch)
    key = None if asked.sign is None else signature.private_key(asked.sign)
    python = tree.interpreter(release, asked.python)
    if asked.wheels is not None and not asked.wheels.is_dir():
        raise UnavailableError(f"{asked.wheels} is no folder", "--wheels DIR with *.whl in it")
    locks = [*_LOCKS, _PI_LOCK] if asked.arch == "arm64" else _LOCKS
    wanted = wheels.pins(
        (tree.git(ROOT, "show", f"{built.commit}:{name}") for name in locks), release, asked.arch
    )
    cache = ROOT / ".cache" / "deb" / f"{asked.arch}-{release.name}"
    _say(f"{len(wanted)} wheels for {asked.arch} and Python {release.python}")
    found = wheels.fetch(wanted, release, asked.arch, cache, asked.wheels)
    named = f"gate-agent_{built.version}_{asked.arch}"
    out = asked.out or ROOT / "dist" / (named if asked.wheelhouse else f"{named}.deb")
    out.parent.mkdir(parents=True, exist_ok=True)
    if asked.wheelhouse and out.exists():
        raise UnavailableError(f"{out} is there already", "name a new folder: -o DIR")
    with tempfile.TemporaryDirectory(prefix="gate-agent-deb-", dir=out.parent) as name:
        if asked.wheelhouse:
            source, stage = Path(name) / "source", Path(name) / "stage"
            tree.sources(ROOT, built.commit, source)
            tree.environment(built, found, source, stage)
            signs = out / wheelhouse.lay(built, found, stage, Path(name) / "house").name
            made = Path(name) / "house"
        else:
            made, signs = _make(built, found, python, Path(name)), out
        shutil.move(made, out)
    lines = {"file": str(out), "version": built.version, "commit": built.commit}
    if key is not None:
        lines["signature"] = str(signature.sign(built, signs, key))
        lines["key_id"] = key_id(key.public_key()).hex()
    _tell(lines, as_json=asked.json)
    return 0


def _make(built: tree.Built, found: Sequence[wheels.Wheel], python: str, work: Path) -> Path:
    source, stage, root = work / "source", work / "stage", work / "root"
    tree.sources(ROOT, built.commit, source)
    _say("laying out the environment")
    tree.environment(built, found, source, stage)
    tree.compiled(python, built, stage)
    package.lay_out(built, stage, source, root)
    _say("packing")
    made = work / "package.deb"
    package.pack(built, root, made)
    return made


def _verify(asked: argparse.Namespace) -> int:
    key = signature.public_key(asked.key)
    said = signature.check(asked.package, key)
    lines = {
        "version": said.version,
        "architecture": said.architecture,
        "release": said.debian,
        "sha256": said.sha256.hex(),
        "commit_time": said.time.isoformat(),
        "key_id": key_id(key).hex(),
    }
    _tell(lines, as_json=asked.json)
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _tell(lines: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(lines) + "\n")
    else:
        sys.stdout.write("".join(f"{name}: {value}\n" for name, value in lines.items()))

"""Whether a package or a wheelhouse may be installed here: by the pinned key, for this machine.

The key lies in ROOT/etc/gate-agent/release-key.pem, which root alone may write; nothing on the
command line takes its place.
"""

import os
import platform
import stat
from pathlib import Path

from agent.credentials.errors import CredentialError
from agent.credentials.signed.release import MAX_BYTES, SUFFIX, SignedRelease, verify_release
from agent.errors import RefusedError, UnavailableError
from agent.operations.passes.keys import read_public_key
from agent.operations.releases.package import Said, said_by
from agent.operations.releases.versions import is_version
from agent.operations.releases.wheelhouse import NAME, read_wheelhouse

KEY = Path("etc", "gate-agent", "release-key.pem")
_MACHINES = {"aarch64": "arm64", "x86_64": "amd64"}
_PIN = "sudo install -m 0644 release.pub.pem /etc/gate-agent/release-key.pem (docs/update.md)"


def pinned_key(root: Path) -> Path:
    """The file of the key, whose owner is root, or whoever owns the test's folder.

    Raises:
        UnavailableError: there is none.
        RefusedError: ``key_writable``; others may write it, so anybody's signature may be the one.
    """
    place = root / KEY
    for one in (place, place.parent):
        try:
            status = one.stat()
        except OSError as error:
            said = f"no key is pinned by which releases are verified: {place}: {error.strerror}"
            raise UnavailableError(said, _PIN) from error
        if status.st_uid not in {0, os.geteuid()} or stat.S_IMODE(status.st_mode) & 0o022:
            fix = f"chown root {one} && chmod go-w {one}"
            said = f"{one} may be written by others than root\nFix: {fix}"
            raise RefusedError("key_writable", said)
    return place


def verified(file: Path, root: Path) -> tuple[SignedRelease, Said]:
    """What was signed of ``file``, and what it says itself, which is the same.

    Raises:
        UnavailableError: the file, its signature or the pinned key cannot be read.
        RefusedError: ``not_signed``, ``other_machine``, ``no_package``.
    """
    key = read_public_key(pinned_key(root))
    told = file / NAME if file.is_dir() else file
    beside = told.with_name(told.name + SUFFIX)
    try:
        if beside.stat().st_size > MAX_BYTES:
            raise RefusedError("not_signed", f"{beside} is no signature: it is too large")
        signed = verify_release(beside.read_bytes(), key)
        same = signed.is_of(told)
    except OSError as error:
        fix = "bring the package and its .sig together"
        raise UnavailableError(f"{error.filename or file}: {error.strerror}", fix) from error
    except CredentialError as error:
        raise RefusedError("not_signed", f"{beside}: {error}") from error
    if not same:
        raise RefusedError("not_signed", f"{told} is not the file that was signed")
    said = read_wheelhouse(file).said if file.is_dir() else said_by(file)
    if (said.version, said.architecture) != (signed.version, signed.architecture):
        raise RefusedError("not_signed", f"{file} was signed as another version or architecture")
    if not is_version(said.version):
        raise RefusedError("no_package", f"{file} has a version that is none")
    _fits(signed, root)
    return signed, said


def _fits(signed: SignedRelease, root: Path) -> None:
    here = _MACHINES.get(platform.machine(), platform.machine())
    if signed.architecture not in {here, "all"}:
        said = f"it is for {signed.architecture}, and this machine is {here}"
        raise RefusedError("other_machine", said)
    codename = _codename(root)
    if codename is not None and codename != signed.debian:
        said = f"it is for Debian {signed.debian}, and this is {codename}"
        raise RefusedError("other_machine", said)


def _codename(root: Path) -> str | None:
    """Of the Debian at ``root``; None where it does not say."""
    try:
        lines = (root / "etc" / "os-release").read_text("utf-8").splitlines()
    except OSError:
        return None
    found = [line.partition("=")[2] for line in lines if line.startswith("VERSION_CODENAME=")]
    return found[0].strip('"') if found else None

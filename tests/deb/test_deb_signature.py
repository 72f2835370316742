"""Who made a package, and that it is this file."""

import json
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from debian import signature
from debian.commands import main
from debian.tree import Built
from debs import HERE, TIME

from agent.credentials.errors import CredentialError
from agent.credentials.signed import release
from agent.credentials.signed.checkpoint import verify_checkpoint
from agent.errors import UnavailableError

BUILT = Built("0.1.0~git1+deb12", "0.1.0", "0" * 40, TIME, HERE, "arm64")
KEY = Ed25519PrivateKey.generate()


def pem(folder: Path, name: str, key: Ed25519PrivateKey | X25519PrivateKey) -> Path:
    """The private key in a file of its owner's."""
    path = folder / f"{name}.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    return path


def public(folder: Path, key: Ed25519PrivateKey) -> Path:
    """The public half in a file."""
    path = folder / "public.pem"
    shown = key.public_key()
    path.write_bytes(shown.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return path


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "gate-agent.deb"
    path.write_bytes(b"the package")
    signature.sign(BUILT, path, signature.private_key(pem(tmp_path, "release", KEY)))
    return path


def test_a_true_one_says_what_it_is(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["verify", str(package), "--key", str(public(tmp_path, KEY)), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert (code, said["version"], said["architecture"]) == (0, BUILT.version, "arm64")


def test_another_key_another_file_and_no_signature_are_refused(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = str(public(tmp_path, KEY))
    package.write_bytes(b"the Package")
    assert main(["verify", str(package), "--key", ours]) == 1
    assert "is not the file that was signed" in capsys.readouterr().err
    package.write_bytes(b"the package")
    stranger = str(public(tmp_path, Ed25519PrivateKey.generate()))
    assert main(["verify", str(package), "--key", stranger]) == 1
    beside = signature.beside_of(package)
    beside.write_bytes(b"x" * (release.MAX_BYTES + 1))
    assert main(["verify", str(package), "--key", stranger]) == 1
    beside.write_bytes(b"\x00")
    assert main(["verify", str(package), "--key", stranger]) == 1
    beside.unlink()
    assert main(["verify", str(package), "--key", stranger]) == 69
    assert "Fix: bring the package and its .sig together" in capsys.readouterr().err


def test_it_is_signed_for_this_purpose_only(package: Path) -> None:
    data = signature.beside_of(package).read_bytes()
    with pytest.raises(CredentialError):
        verify_checkpoint(data, KEY.public_key())
    assert release.verify_release(data, KEY.public_key()).debian == "bookworm"


def test_a_key_that_others_may_read_or_of_another_kind_signs_nothing(tmp_path: Path) -> None:
    shared = pem(tmp_path, "shared", KEY)
    shared.chmod(0o640)
    other = pem(tmp_path, "other", X25519PrivateKey.generate())
    empty = tmp_path / "empty.pem"
    empty.touch(mode=0o600)
    for path, said in (
        (shared, "may be read by others"),
        (other, "no Ed25519 key"),
        (empty, "no private key"),
        (tmp_path / "none.pem", "No such file"),
    ):
        with pytest.raises(UnavailableError, match=said):
            signature.private_key(path)


def test_openssl_makes_a_key_that_signs(tmp_path: Path) -> None:
    key = tmp_path / "release.pem"
    made = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(key)],
        check=False,
        capture_output=True,
    )
    if made.returncode != 0:
        pytest.skip("openssl makes no Ed25519 key here")
    key.chmod(0o600)
    assert signature.private_key(key)

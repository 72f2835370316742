"""A certificate authority of the tests' own, made anew each time; nothing of it is ever trusted."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """Signs certificates into ``folder``; ``ca`` is its own as PEM."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    name: x509.Name

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def issue(self, name: str, *addresses: str, begins_in_days: float = -1.0) -> tuple[Path, Path]:
        """The certificate and key files of ``name``, valid for these addresses or host names.

        They are valid for two days from ``begins_in_days`` on.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_named(name), self.name, key.public_key(), authority=False)
        begins = datetime.now(UTC) + timedelta(days=begins_in_days)
        builder = builder.not_valid_before(begins).not_valid_after(begins + timedelta(days=2))
        names = [_general_name(address) for address in addresses]
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate, secret = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        _write(certificate, builder.sign(self.key, hashes.SHA256()))
        _write_key(secret, key)
        return certificate, secret


def make_authority(folder: Path) -> Authority:
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = _named(f"tests {folder.name}")
    now = datetime.now(UTC)
    builder = _builder(name, name, key.public_key(), authority=True)
    builder = builder.not_valid_before(now - timedelta(days=9))
    certificate = builder.not_valid_after(now + timedelta(days=9)).sign(key, hashes.SHA256())
    made = Authority(folder, key, name)
    _write(made.ca, certificate)
    return made


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, *, authority: bool
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    path.chmod(0o600)

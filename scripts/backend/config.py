"""The backend's config: one TOML file, secrets in files of their own.

Found by ``--config``, else ``GATE_BACKEND_CONFIG``, else ``/etc/gate-backend/backend.toml``.
``GATE_BACKEND_DSN`` stands in for ``[store] dsn``: where to look is all that most commands need.
"""

import os
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.failures import ConfigError, MissingError

CONFIG_VARIABLE = "GATE_BACKEND_CONFIG"
DSN_VARIABLE = "GATE_BACKEND_DSN"
DEFAULT = Path("/etc/gate-backend/backend.toml")

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Store(_Table):
    """``[store]``: a libpq connection string; a password belongs in ``dsn_file`` or ~/.pgpass."""

    dsn: str = ""
    dsn_file: Path | None = None


class Broker(_Table):
    """``[broker]``: with ``ca_file`` it speaks TLS, by a certificate or a name and a password."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8883
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    username: str | None = None
    password_file: Path | None = None


class Consumer(_Table):
    """``[consumer]``: instances of one group share the load; each has a name of its own.

    Under its name the broker keeps what an instance has not acknowledged, for ``session_s``.
    """

    group: Name = "backend"
    instance: Name = Field(default_factory=lambda: socket.gethostname()[:64] or "one")
    session_s: Annotated[int, Field(ge=0, le=0xFFFFFFFE)] = 7 * 86_400
    in_flight: Annotated[int, Field(ge=1, le=65535)] = 2000
    patience_s: Annotated[float, Field(gt=0)] = 60.0
    retry_s: Annotated[float, Field(gt=0)] = 60.0
    asks_per_round: Annotated[int, Field(ge=1)] = 20
    round_s: Annotated[float, Field(gt=0)] = 5.0
    only_pinned: bool = False


class Keys(_Table):
    """``[keys]``: the private keys that sign commands and registry updates."""

    command: Path | None = None
    registry: Path | None = None


class Config(_Table):
    """The whole file; every table may be missing."""

    store: Store = Store()
    broker: Broker = Broker()
    consumer: Consumer = Field(default_factory=Consumer)
    keys: Keys = Keys()

    def dsn(self) -> str:
        """Where the database is.

        Raises:
            ConfigError: nothing says it.
        """
        if found := os.environ.get(DSN_VARIABLE):
            return found
        if self.store.dsn_file is not None:
            return secret(self.store.dsn_file)
        if self.store.dsn:
            return self.store.dsn
        raise ConfigError(f"where is the database? [store] dsn, dsn_file, or {DSN_VARIABLE}")


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Config:
    """The config of ``path`` or of where it is looked for; defaults where there is no file.

    Raises:
        ConfigError: with a line for each finding.
    """
    named = path or (Path(found) if (found := environment.get(CONFIG_VARIABLE)) else None)
    if named is None and not DEFAULT.exists():
        return Config()
    source = named or DEFAULT
    try:
        data: dict[str, Any] = tomllib.loads(source.read_text(encoding="utf-8"))
        return Config.model_validate(data)
    except OSError as error:
        raise ConfigError(f"{source}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source}: {error}") from None
    except ValidationError as error:
        # Neither what stands there nor pydantic's address: a value may be a password.
        lines = [
            f"{source}: {'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise ConfigError("\n".join(lines)) from None


def secret(path: Path) -> str:
    """What ``path`` holds, without the line's end.

    Raises:
        MissingError: it cannot be read, or others than its owner can read it.
    """
    try:
        with path.open(encoding="utf-8") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise MissingError(f"{path}: others can read it; chmod 600 {path}")
            return file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise MissingError(f"{path}: {getattr(error, 'strerror', None) or 'no text'}") from None


def signing_key(path: Path | None, what: str) -> Ed25519PrivateKey:
    """The private key in ``path``; ``what`` is its name under ``[keys]``.

    PEM, as ``gate-agent command keygen`` makes it, or 64 hex digits.

    Raises:
        MissingError: there is none.
    """
    if path is None:
        raise MissingError(f"no key to sign with: [keys] {what} in the config")
    text = secret(path)
    try:
        if not text.startswith("-----BEGIN"):
            return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))
        key = load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise MissingError(f"{path}: no Ed25519 private key without a password")
    return key

"""Hands a part of what an issuer may do on to another, and reads what was handed on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.credentials.errors import CredentialError
from agent.credentials.passes.delegation import (
    PREFIX,
    Delegation,
    Limits,
    delegate,
    read_text,
)
from agent.credentials.passes.issuers import key_id
from agent.errors import RefusedError, UnavailableError

_LARGEST_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Handing:
    """What is handed on: by whom, to whom, and within which limits; empty is no limit."""

    issuer: str
    to: str
    categories: Sequence[str] = ()
    longest: timedelta | None = None
    access_points: Sequence[str] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None


def hand_on(
    handing: Handing, key: Ed25519PublicKey, by: Ed25519PrivateKey, now: datetime
) -> tuple[str, dict[str, Any]]:
    """The signed delegation as a text, and what it says as JSON values.

    Raises:
        RefusedError: ``delegation``; it limits nothing, contradicts itself, or hands on to itself.
    """
    signer = key_id(by.public_key())
    if signer == key_id(key):
        raise RefusedError("delegation", "a key hands on to another one, not to itself")
    limits = Limits(
        frozenset(handing.categories) or None,
        handing.longest,
        frozenset(handing.access_points) or None,
    )
    try:
        text = delegate(
            key,
            limits,
            issuers=(handing.issuer, handing.to),
            signer=(by, signer),
            issued_at=now,
            validity=(handing.valid_from, handing.valid_until),
        )
    except (ValueError, CredentialError) as error:
        raise RefusedError("delegation", str(error)) from error
    made = read_text(text)
    said = {"key_id": key_id(key).hex(), "issuer": made.issuer, "limits": limits_as_json(made)}
    return text, said


def read_delegation(file: Path) -> Delegation | None:
    """The delegation in ``file``; None where it holds something else. No signature is checked.

    Raises:
        RefusedError: ``delegation``; it is damaged.
        UnavailableError: it cannot be read.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(_LARGEST_BYTES)
    except OSError as error:
        raise UnavailableError(f"{file} cannot be read: {error.strerror}") from error
    text = data.decode("utf-8-sig", "replace").strip()
    if not text.startswith(PREFIX):
        return None
    try:
        return read_text(text)
    except CredentialError as error:
        raise RefusedError("delegation", f"{file}: {error.detail}") from error


def limits_as_json(delegation: Delegation) -> dict[str, Any]:
    """What a delegation limits under stable keys; null is no limit."""
    limits, signer = delegation.limits, delegation.grantor_key_id
    return {
        "by": delegation.grantor,
        "by_key_id": None if signer is None else signer.hex(),
        "categories": _listed(limits.categories),
        "longest_s": None if limits.longest is None else int(limits.longest.total_seconds()),
        "access_points": _listed(limits.access_points),
    }


def _listed(words: frozenset[str] | None) -> list[str] | None:
    return None if words is None else sorted(words)

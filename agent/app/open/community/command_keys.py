"""Whose signed commands count at this kiosk: the keys of the config with their rights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.config import ConfigFile
from agent.credentials.passes.issuers import key_id
from agent.domain.record.command import Verb
from agent.errors import UnavailableError
from agent.operations.passes.keys import read_public_key


@dataclass(frozen=True, slots=True)
class CommandKey:
    """One key; ``access_points`` None where it may move every door, ``until`` None without end."""

    name: str
    key: Ed25519PublicKey = field(repr=False)
    verbs: frozenset[Verb]
    access_points: frozenset[str] | None = None
    until: datetime | None = None

    @property
    def by(self) -> str:
        """As events name whoever signed with it."""
        return f"key:{self.name}"


def command_keys(file: ConfigFile) -> Mapping[bytes, CommandKey]:
    """The keys by their ids.

    Raises:
        RefusedError: a file holds a private half.
        UnavailableError: a file is missing or no key, or two hold the same one.
    """
    found: dict[bytes, CommandKey] = {}
    for row in file.config.command_key:
        key = read_public_key(file.resolve(row.file))
        named = key_id(key)
        if named in found:
            fix = "give one [[command_key]] all its verbs"
            raise UnavailableError(f"{row.id} and {found[named].name} are the same key", fix)
        ends = None if row.until is None else datetime.combine(row.until, time(), UTC)
        points = frozenset(row.access_points) or None
        found[named] = CommandKey(row.id, key, frozenset(row.verbs), points, ends)
    return found

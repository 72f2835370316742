"""Opens registry sync: whom the kiosk believes, its own keys, and a connection to its registry."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.adapters.store.people.synced import SyncedRegistry
from agent.app.open.files.keys import key_ring
from agent.app.open.files.kiosk_keys import sealing_key, signing_key
from agent.app.open.files.state import REGISTRY
from agent.app.open.site import Site, new_event_id
from agent.config import ConfigFile
from agent.credentials.passes.issuers import key_id
from agent.operations.passes.keys import read_public_key


@dataclass(frozen=True, slots=True)
class SyncKeys:
    """The registry's keys by their ids, and the kiosk's own two."""

    registry: dict[bytes, Ed25519PublicKey]
    signing: Ed25519PrivateKey = field(repr=False)
    sealing: X25519PrivateKey = field(repr=False)


def sync_keys(file: ConfigFile, site: Site) -> SyncKeys | None:
    """The keys of registry sync; None where the config names no registry.

    Raises:
        RefusedError: a file holds the registry's private half.
        UnavailableError: a key is missing, or is none.
    """
    config = file.config.registry
    if config is None:
        return None
    keys = [read_public_key(file.resolve(path)) for path in config.key_files]
    return SyncKeys({key_id(key): key for key in keys}, signing_key(site), sealing_key(site))


def open_synced(site: Site) -> SyncedRegistry:
    """The registry, on a connection of its own.

    Raises:
        KeyUnavailableError: the gallery's key is missing.
        StoreError: it is damaged, locked, not writable, or not ours.
    """
    return SyncedRegistry(REGISTRY.at(site.state), key_ring(site), new_event_id.make)

"""The keys of a kiosk: the one that seals its references and names, and the community's."""

import os
from functools import partial
from pathlib import Path

from agent.adapters.store.key_ring import KeyRing, keys_at
from agent.adapters.store.keys import init_key, load_key
from agent.adapters.store.seal import key_id
from agent.app.open.files.installation import installation_of
from agent.app.open.files.kiosk_keys import make_kiosk_keys
from agent.app.open.files.state import KEY, REGISTRY
from agent.app.open.site import Site
from agent.config import ConfigFile
from agent.errors import RefusedError


def make_key(site: Site) -> str:
    """Make the key; its id. In an empty state folder that is the first start of the installation.

    Raises:
        RefusedError: there is one already.
        KeyUnavailableError: the place cannot be written.
        StoreError: the state folder cannot be.
    """
    init_key(site.key_file)
    if site.state.is_dir():
        installation_of(site).begin()
    return key_id_of(site)


def make_missing(site: Site) -> tuple[str, list[Path]]:
    """Make whichever key is missing, the kiosk's own too; the key's id and the files made.

    Raises:
        RefusedError: ``key_exists``: none is missing.
        KeyUnavailableError: a place cannot be written, or the key cannot be read.
        StoreError: the state folder cannot be.
    """
    made, there = [], None
    try:
        make_key(site)
        made.append(site.key_file)
    except RefusedError as error:
        there = error
    made += make_kiosk_keys(site)
    if there is not None and not made:
        raise there
    return key_id_of(site), made


def first_key(site: Site) -> Path | None:
    """Make the key where nothing can have been sealed yet; its file, None where that is not so.

    That is a state folder without a registry, whose key lies in it. Where the config names a place
    of its own, a key that is not there may be one that cannot be reached just now.

    Raises:
        KeyUnavailableError: the place cannot be written.
        StoreError: the state folder cannot be.
    """
    usual = site.key_file == KEY.at(site.state)
    if not usual or any(os.path.lexists(one) for one in (site.key_file, REGISTRY.at(site.state))):
        return None
    make_key(site)
    return site.key_file


def key_id_of(site: Site) -> str:
    """The key's id, which tells nothing of the key.

    Raises:
        KeyUnavailableError: it is missing, open to others, or no key.
    """
    return key_id(load_key(site.key_file)).hex()


def key_ring(site: Site) -> KeyRing:
    """What seals and opens here, also while the key is being changed.

    Raises:
        KeyUnavailableError: the key is missing, open to others, or no key.
    """
    return KeyRing(partial(keys_at, site.key_file))


def load_community_key(file: ConfigFile) -> bytes | None:
    """What every kiosk of the community shares; None where the config names no such key.

    Raises:
        KeyUnavailableError: its file is missing, open to others, or holds no key.
    """
    named = file.config.pass_.community_key_file
    return None if named is None else load_key(file.resolve(named))

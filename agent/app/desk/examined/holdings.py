"""The state folder: whose it is, what lies in it, and what of it can be opened."""

import os
from pathlib import Path

from agent.adapters.store.keys import next_path
from agent.app.open.files.installation import detail_of, installation_of
from agent.app.open.files.key_place import key_lies
from agent.app.open.files.keys import key_id_of
from agent.app.open.files.kiosk_keys import public_keys
from agent.app.open.files.state import SEALING_KEY, SIGNING_KEY
from agent.app.open.files.stores import Key, has_journal, has_registry, read_registry
from agent.app.open.site import site_of
from agent.app.open.snapshot import damage_text, other_packs_text
from agent.config import ConfigFile
from agent.errors import StoreError, UnavailableError
from agent.operations.examination.facts import Doubtful
from agent.operations.people.holders import unread_names
from agent.vision.packs.manifest import read_manifest

_NO_FILES = "none were made yet"


def registry_found(file: ConfigFile, state: Path) -> str:
    """How many holders are readable.

    Raises:
        StoreError: a row or a name is not.
        UnavailableError: references are all of other packs.
    """
    site = site_of(state, file.path)
    manifest = read_manifest(site.face.pack)
    with read_registry(site, Key.IF_ANY) as registry:
        damage, holders = registry.damage(), registry.readable_holders()
        others = registry.of_other_packs(manifest.name, manifest.version)
    if damage.rows:
        fix = "gate-agent holders list names holders who are refused; enter again what is lost"
        raise StoreError(damage_text(damage.rows), fix)
    sealed = unread_names(holders)
    if sealed is not None:
        # The references are sealed by the same key: nobody is known by face.
        said, _, fix = sealed.partition("\nFix: ")
        raise StoreError(said, fix)
    if others:
        said, _, fix = other_packs_text(others, manifest.name).partition("\nFix: ")
        raise UnavailableError(said, fix)
    return "1 holder" if len(holders) == 1 else f"{len(holders)} holders"


def state_dir_found(state: Path) -> str:
    """The folder, or the one in which it will be made.

    Raises:
        UnavailableError: this user cannot write there.
    """
    place = nearest(state)
    if not os.access(place, os.W_OK | os.X_OK):
        fix = "run as the agent's user: sudo -u gate-agent; or name another --state-dir"
        raise UnavailableError(f"{place} cannot be written by this user", fix)
    return str(state) if place == state else f"will be made in {place}"


def state_files_found(file: ConfigFile, state: Path) -> str:
    """Whether the files are those that were there.

    Raises:
        UnavailableError: one is in fault.
    """
    site = site_of(state, file.path)
    installation = installation_of(site)
    wrong = installation.look()
    if not wrong:
        if installation.identity:
            return "all are those that were there"
        old = has_registry(site) or has_journal(site)
        return "of an earlier version: the next start takes them over" if old else _NO_FILES
    said = "; ".join(detail_of(name, what) for name, what in wrong.items())
    fix = (
        "stop the agent and put the right files back; or, to go on with what is there:"
        f" gate-agent state accept {next(iter(wrong))} --reason TEXT"
    )
    raise UnavailableError(said, fix)


def key_found(file: ConfigFile, state: Path) -> str:
    """The id of the gallery key, and where it lies.

    Raises:
        KeyUnavailableError: it is missing, open to others, or no key.
        UnavailableError: a change of it was not ended.
    """
    site = site_of(state, file.path)
    found = key_id_of(site)
    if next_path(site.key_file).exists():
        begun = "a change of the key was begun and not ended; what is sealed opens by either"
        raise UnavailableError(begun, "gate-agent key rotate")
    return f"id {found}; {key_lies(site)}"


def nearest(path: Path) -> Path:
    """The nearest folder around ``path`` that exists."""
    return next(place for place in (path, *path.absolute().parents) if place.is_dir())


def kiosk_keys_found(state: Path, file: ConfigFile) -> str | Doubtful:
    """The kiosk's own two keys: there, closed to others, and where they lie.

    Raises:
        KeyUnavailableError: one is open to others, or no key.
    """
    site = site_of(state, file.path)
    rows = (SIGNING_KEY, SEALING_KEY)
    lacking = [row.name for row in rows if not os.path.lexists(row.at(state))]
    if lacking:
        return Doubtful(f"not there: {', '.join(lacking)}")
    shown = public_keys(site)
    ids = ", ".join(f"{name} {shown[name]['key_id']}" for name in ("signing", "sealing"))
    return f"{ids}; in {state}"

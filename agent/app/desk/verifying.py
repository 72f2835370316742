"""Looks over this kiosk's own journal, by its own key where this user may read it."""

from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agent.app.open.files.kiosk_keys import signing_key
from agent.app.open.files.stores import read_journal
from agent.app.open.site import Site
from agent.credentials.passes.issuers import key_id
from agent.domain.record.message import message
from agent.errors import KeyUnavailableError
from agent.operations.verification import Report, Verification, advancing


def own_key(site: Site) -> Mapping[str, Ed25519PublicKey]:
    """The key by which this kiosk signs, by its id; none where this user may not read it."""
    try:
        key = signing_key(site).public_key()
    except KeyUnavailableError:
        return {}
    return {key_id(key).hex(): key}


def verify_journal(
    site: Site,
    keys: Mapping[str, Ed25519PublicKey],
    advance: Callable[[str, int, int], None],
    newest: int | None = None,
) -> Report:
    """What is wrong with the journal of this state directory, or with the ``newest`` so many of it.

    Raises:
        StoreError: it cannot be read.
    """
    verification = Verification(keys, any_order=True)
    with read_journal(site) as journal:
        # First: what is appended meanwhile comes behind it.
        tip = journal.tip()
        for stored in advancing(
            journal.read(newest=newest), newest or journal.newest_row(), advance
        ):
            verification.take(message(stored.event, stored.place(site.source)))
        # Last: what is forgotten meanwhile was there before.
        forgotten = journal.forgotten()
    part = newest is not None  # where it begins is not for it to say; a gap within is one

    def gone(place: tuple[str, str], first: int, last: int) -> bool:
        return last <= forgotten.get(place[1], 0) or (part and first == 1)

    return verification.finish(gone, tip)

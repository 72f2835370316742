"""Changes the key by which the kiosk signs: whoever believes the old one learns the new one.

    next key made, durable --> reply stored, signed by the old key, with the new public half
                           --> next key takes the old one's place

Killed before the reply is stored, the next start throws the next key away; afterwards it ends the
change. So a key is never in use that no reply has told of.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from agent.adapters.store.keys import init_next_key, load_key, next_path, replace_key
from agent.app.open.files.state import SIGNING_KEY
from agent.app.open.site import Site
from agent.errors import KeyUnavailableError


def begin_rotation(site: Site) -> Ed25519PublicKey:
    """Make the next signing key; its public half.

    Raises:
        KeyUnavailableError: the state folder cannot be written.
    """
    path = SIGNING_KEY.at(site.state)
    init_next_key(path)
    try:
        raw = load_key(next_path(path))
    except KeyUnavailableError:
        abandon_rotation(site)
        raise
    return Ed25519PrivateKey.from_private_bytes(raw).public_key()


def end_rotation(site: Site) -> None:
    """The next key signs from now on, where there is one.

    Raises:
        KeyUnavailableError: the state folder cannot be written.
    """
    path = SIGNING_KEY.at(site.state)
    if next_path(path).exists():
        replace_key(path)


def abandon_rotation(site: Site) -> None:
    """Throw the next key away, of which nobody was told.

    Raises:
        KeyUnavailableError: the state folder cannot be written.
    """
    try:
        next_path(SIGNING_KEY.at(site.state)).unlink(missing_ok=True)
    except OSError as error:
        fix = "make the state folder writable for this user"
        raise KeyUnavailableError(f"a key cannot be removed: {error.strerror}", fix) from error

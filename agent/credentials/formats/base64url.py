"""base64url without padding (RFC 4648, 5), read strictly; ``domain.record.chain`` writes it."""

import base64


def decode(text: str) -> bytes:
    """The bytes that ``text`` spells.

    Raises:
        ValueError: it is no base64url, or padded.
    """
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

"""Decompression that cannot be made to fill the memory."""

import zlib

from agent.credentials.errors import unreadable

ZLIB, RAW = 15, -15
"""RFC 1950 with its header and checksum; RFC 1951 with neither."""


def inflate(data: bytes, form: int, max_bytes: int) -> bytes:
    """What ``data`` expands to; ``form`` is ``ZLIB`` or ``RAW``.

    At most ``max_bytes`` and one are ever made, whatever the input promises.

    Raises:
        CredentialError: ``Other``; not of this form, cut short, followed by more, or larger.
    """
    stream = zlib.decompressobj(form)
    try:
        expanded = stream.decompress(data, max_bytes + 1)
    except zlib.error:
        raise unreadable("zlib: not compressed, or damaged") from None
    if len(expanded) > max_bytes:
        raise unreadable("zlib: expands too far")
    if not stream.eof:
        raise unreadable("zlib: cut short")
    if stream.unused_data:
        raise unreadable("zlib: bytes after the end")
    return expanded

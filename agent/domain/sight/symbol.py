"""A two-dimensional symbol that was read: what it says, to the byte."""

from dataclasses import dataclass, field

from agent.domain.sight.track import Box


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol in an image.

    ``format`` is QRCode, MicroQRCode, Aztec, DataMatrix or PDF417. ``text`` is None where the bytes
    are no text. ``decoder`` names the library and the pass that read it, ``ms`` is how long that
    took since the image came. Text and bytes stay out of ``repr``: they may be a credential.
    """

    format: str
    content: bytes = field(repr=False)
    text: str | None = field(repr=False)
    decoder: str
    ms: float
    box: Box

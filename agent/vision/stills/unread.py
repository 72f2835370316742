"""What people send that is no photograph this agent reads, by the first bytes, and its name.

AVIF is among them: what its container says of the size need not be true, the decoder goes by the
stream within, and two kilobytes then fill the memory.
"""

import re

_KINDS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(magic, re.DOTALL | re.IGNORECASE), name)
    for magic, name in (
        (rb"%PDF", "a PDF document"),
        (rb"PK\x03\x04", "an archive or office document"),
        (rb"\xd0\xcf\x11\xe0", "an office document"),
        (rb"8BPS", "a Photoshop document"),
        (rb"\xff\x0a|....JXL ", "JPEG XL"),
        (rb"....ftyp(?:.{4}){0,16}?avi[fs]", "AVIF"),
        (rb"....ftypcrx |II\*\x00....CR|FUJIFILMCCD-RAW|IIU\x00|IIRO", "a camera's raw file"),
        (
            rb"....ftyp(?!hei|hev|mif1|msf1|jp2|jxl)|\x1a\x45\xdf\xa3|RIFF....AVI ",
            "a video",
        ),
        (rb"\s*(<\?xml.*)?<svg", "an SVG drawing"),
        (rb"\s*<(!doctype\s+)?html", "a web page"),
        (rb"\x00\x00[\x01\x02]\x00", "an icon"),
        (rb"%!PS|\xc5\xd0\xd3\xc6", "PostScript"),
        (rb"\x7fELF|MZ", "a program"),
    )
)


def unread_kind(data: bytes) -> str | None:
    """What the file is instead of a photograph; None where its first bytes do not tell."""
    head = data[:512]
    return next((name for magic, name in _KINDS if magic.match(head)), None)

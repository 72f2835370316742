"""The fonts of a card: every character from one that is embedded, or it is refused by its name.

What a viewer would have to bring itself is a box on somebody's card. reportlab embeds TrueType
outlines only: of the free CJK fonts WenQuanYi's, not Noto's. Letters are set one after the other
from left to right, so a script that joins or stacks them is refused rather than misspelt.
"""

import os
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from agent.errors import RefusedError, UnavailableError

CJK_PACKAGE = "fonts-wqy-zenhei"
"""Debian's package of a Chinese font that can be embedded; scripts/setup installs it."""

_LATIN = "Vera.ttf"
"""Comes with reportlab, so that Latin letters look the same on every machine."""
_CJK_FILES = (
    "wqy-zenhei.ttc",
    "wqy-microhei.ttc",
    "DroidSansFallbackFull.ttf",
    "uming.ttc",
    "ukai.ttc",
)
_MORE_FILES = ("DejaVuSans.ttf", "HanaMinA.ttf", "HanaMinB.ttf")
"""Letters with rare diacritics, other alphabets, rare ideographs."""
_JOINED = ("MONGOLIAN ", "PHAGS-PA ")
_MOST_NAMED = 5
_IDEOGRAPHS = range(0x2E80, 0x3FFFE)


class Fonts:
    """The fonts that characters are taken from, in order: ``chosen``, Latin's, the machine's."""

    def __init__(self, chosen: Sequence[Path] = ()) -> None:
        """Look for the machine's fonts by their names; one is opened once a character asks for it.

        Raises:
            UnavailableError: one of ``chosen`` is no TrueType font.
        """
        self._chosen = tuple(str(file) for file in chosen)
        for file in self._chosen:
            _checked(file)
        here = _font_files()
        self._files = [here[name] for name in (*_CJK_FILES, *_MORE_FILES) if name in here]
        self._has_cjk = any(name in here for name in _CJK_FILES)

    def check(self, text: str) -> None:
        """Nothing, where every character of ``text`` can be set.

        Raises:
            RefusedError: ``font``; it names those that cannot.
        """
        lacking = [char for char in dict.fromkeys(_composed(text)) if self._font_of(char) is None]
        if not lacking:
            return
        turned = [char for char in lacking if _needs_shaping(char)]
        if turned:
            raise RefusedError(
                "font",
                f"cards cannot set {_named(turned)}: its script joins or stacks its letters, or"
                " runs from right to left\nFix: give the name as it is written in Chinese or Latin",
            )
        fix = f"--font FILE, a TrueType font that has {'it' if len(lacking) == 1 else 'them'}"
        if not self._has_cjk and any(map(is_ideographic, lacking)):
            fix = f"sudo apt-get install {CJK_PACKAGE}, or {fix}"
        raise RefusedError("font", f"no font here has {_named(lacking)}\nFix: {fix}")

    def pieces(self, text: str) -> Iterator[tuple[str, str]]:
        """Font and text of each run: a word in one font where one has all of it.

        Raises:
            RefusedError: as ``check``.
        """
        text = _composed(text)
        self.check(text)
        pairs: list[tuple[str, str]] = []
        for is_space, chars in groupby(text, key=str.isspace):
            word = "".join(chars)
            if is_space:
                pairs += [(pairs[-1][0] if pairs else self._whole(word), char) for char in word]
                continue
            whole = self._whole(word)
            pairs += [(whole or self._font_of(char) or "", char) for char in word]
        for font, run in groupby(pairs, key=lambda pair: pair[0]):
            yield font, "".join(char for _, char in run)

    def width(self, text: str, size: float) -> float:
        """How wide ``text`` is at ``size``, both in points."""
        return sum(
            float(pdfmetrics.stringWidth(piece, font, size)) for font, piece in self.pieces(text)
        )

    def _whole(self, word: str) -> str:
        """The first font that has all of ``word``; empty where none has."""
        return next((name for name in self._names() if all(_has(name, c) for c in word)), "")

    def _font_of(self, char: str) -> str | None:
        if _needs_shaping(char):
            return None
        # What a private character shows is one font's own: only who chose the font knows it.
        private = unicodedata.category(char) == "Co"
        names = self._chosen if private else self._names()
        return next((name for name in names if _has(name, char)), None)

    def _names(self) -> Iterator[str]:
        yield from self._chosen
        yield _LATIN
        yield from (file for file in self._files if _glyphs(file))


def is_ideographic(char: str) -> bool:
    """Whether ``char`` is Chinese, Japanese or Korean, which may end a row anywhere."""
    return ord(char) in _IDEOGRAPHS


def _composed(text: str) -> str:
    """``text`` with a letter and its marks as one character, where there is such a one.

    Ideographs stay as they are: NFC replaces some that people write their names with.
    """
    clusters: list[str] = []
    for char in text:
        if clusters and unicodedata.combining(char):
            clusters[-1] += char
        else:
            clusters.append(char)
    return "".join(unicodedata.normalize("NFC", one) if len(one) > 1 else one for one in clusters)


def _needs_shaping(char: str) -> bool:
    return (
        unicodedata.category(char) in ("Mn", "Mc", "Me", "Cf")
        or unicodedata.bidirectional(char) in ("R", "AL", "AN")
        or unicodedata.name(char, "").startswith(_JOINED)
    )


def _named(chars: Sequence[str]) -> str:
    """The characters by code point, and as they are where they can stand alone."""
    said = [
        f"U+{ord(char):04X}"
        if unicodedata.category(char)[0] in "MC"
        else f"{char} (U+{ord(char):04X})"
        for char in chars[:_MOST_NAMED]
    ]
    more = len(chars) - len(said)
    return ", ".join(said) + (f" and {more} more" if more else "")


def _font_files() -> dict[str, str]:
    """The fonts that are known by name and installed, by name; the user's own come first."""
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    found: dict[str, str] = {}
    for data in (home, *shared.split(":")):
        for folder, _, names in os.walk(Path(data) / "fonts"):
            for name in names:
                if name in (*_CJK_FILES, *_MORE_FILES):
                    found.setdefault(name, str(Path(folder) / name))
    return found


def _has(name: str, char: str) -> bool:
    return ord(char) in _glyphs(name)


def _checked(file: str) -> None:
    """Nothing, where ``file`` can be embedded.

    Raises:
        UnavailableError: it is no TrueType font.
    """
    if not _glyphs(file):
        fix = "name a font with TrueType outlines (.ttf or .ttc; Noto CJK's are PostScript's)"
        raise UnavailableError(f"{file} is no font that can be embedded", fix)


@cache
def _glyphs(file: str) -> frozenset[int]:
    """The code points that the font in ``file`` draws, registered by that name; none: no font."""
    try:
        font = TTFont(file, file)
    except (TTFError, OSError):
        return frozenset()
    pdfmetrics.registerFont(font)
    return frozenset(code for code, glyph in font.face.charToGlyph.items() if glyph)

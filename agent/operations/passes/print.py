"""Passes on paper: a card with QR code, name, validity and a box for the photograph; many a sheet.

A card is ISO/IEC 7810 ID-1, 85.60 x 53.98 mm. The code takes 42 mm of it: a version 14 symbol (73
modules and the quiet zone of 4 on each side) has modules of 0.52 mm then, which a gate's camera
resolves at 20 cm.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

from agent.errors import RefusedError, UnavailableError
from agent.operations.passes.issue import qr_code

CARD_MM = (85.60, 53.98)
_CODE_MM, _MARGIN_MM, _GAP_MM = 42.0, 3.0, 4.0
_PHOTO_MM = (22.0, 28.0)
_LATIN, _CJK = "Helvetica", "STSong-Light"
_FONT_FILES = (
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
)


@dataclass(frozen=True, slots=True)
class Card:
    """One printed pass; ``lines`` stand below the name."""

    text: str = field(repr=False)
    name: str = field(repr=False)
    lines: tuple[str, ...] = ()


def print_cards(cards: Sequence[Card], *, sheet: bool, font: Path | None = None) -> bytes:
    """The cards as a PDF: a page each of a card's size, or ten on each A4 ``sheet``.

    Names in Latin letters are set in Helvetica; any other in ``font``, or in a CJK font that the
    machine has, or by the viewer's own.

    Raises:
        RefusedError: ``cards``; there is none.
        UnavailableError: ``font`` is no TrueType font.
    """
    if not cards:
        raise RefusedError("cards", "there is nothing to print")
    wide = _wide_font(font)
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=A4 if sheet else tuple(side * mm for side in CARD_MM))
    canvas.setTitle("Gate passes")
    places = list(_places()) if sheet else [(0.0, 0.0)]
    for number, card in enumerate(cards):
        if number and number % len(places) == 0:
            canvas.showPage()
        x, y = places[number % len(places)]
        canvas.saveState()
        canvas.translate(x * mm, y * mm)
        _draw(canvas, card, wide)
        canvas.restoreState()
    canvas.showPage()
    canvas.save()
    return stream.getvalue()


def _places() -> Iterator[tuple[float, float]]:
    """The lower left corners of a sheet's cards, in mm: two columns of five from the top."""
    width, height = CARD_MM
    left = (A4[0] / mm - 2 * width - _GAP_MM) / 2
    top = (A4[1] / mm + 5 * height + 4 * 1.0) / 2
    for row in range(5):
        for column in range(2):
            yield left + column * (width + _GAP_MM), top - (row + 1) * height - row * 1.0


def _draw(canvas: Canvas, card: Card, wide: str) -> None:
    width, height = CARD_MM
    canvas.setLineWidth(0.2)
    canvas.setStrokeGray(0.6)
    canvas.roundRect(0, 0, width * mm, height * mm, 3.18 * mm)
    _draw_code(canvas, card.text)
    left = (_MARGIN_MM + _CODE_MM + 2.0) * mm
    room = (width - _MARGIN_MM) * mm - left
    canvas.rect(left, (height - _MARGIN_MM - _PHOTO_MM[1]) * mm, *(s * mm for s in _PHOTO_MM))
    canvas.setFillGray(0)
    y = (height - _MARGIN_MM - _PHOTO_MM[1] - 4.0) * mm
    rows = [(row, 9) for row in _wrapped(card.name, 9, room, wide)[:2]]
    rows += [(row, 6) for line in card.lines for row in _wrapped(line, 6, room, wide)[:2]]
    for row, size in rows:
        if y < _MARGIN_MM * mm / 2:
            break
        x = left
        for font, piece in _pieces(row, wide):
            canvas.setFont(font, size)
            canvas.drawString(x, y, piece)
            x += pdfmetrics.stringWidth(piece, font, size)
        y -= size * 1.25


def _draw_code(canvas: Canvas, text: str) -> None:
    rows = [[bool(cell) for cell in row] for row in qr_code(text).matrix_iter(border=4)]
    module = _CODE_MM * mm / len(rows)
    bottom = (CARD_MM[1] - _CODE_MM) / 2 * mm
    canvas.setFillGray(0)
    path = canvas.beginPath()
    for number, row in enumerate(rows):
        y = bottom + (len(rows) - 1 - number) * module
        for start, length in _runs(row):
            path.rect(_MARGIN_MM * mm / 2 + start * module, y, length * module, module)
    canvas.drawPath(path, stroke=0, fill=1)


def _runs(row: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Start and length of each dark run: neighbours as one, so that no hairline shows."""
    start: int | None = None
    for number, dark in enumerate((*row, False)):
        if dark and start is None:
            start = number
        elif not dark and start is not None:
            yield start, number - start
            start = None


def _wrapped(text: str, size: float, room: float, wide: str) -> list[str]:
    """``text`` in lines no wider than ``room``: broken at spaces, or anywhere, as Chinese is."""
    lines = [""]
    for word in text.split():
        spaced = f"{lines[-1]} {word}".strip()
        if _width(spaced, size, wide) <= room:
            lines[-1] = spaced
            continue
        if lines[-1]:
            lines.append("")
        for char in word:
            if lines[-1] and _width(lines[-1] + char, size, wide) > room:
                lines.append("")
            lines[-1] += char
    return lines


def _pieces(text: str, wide: str) -> Iterator[tuple[str, str]]:
    """Font and text of each piece: one font holds both scripts only where it is embedded."""
    for font, chars in groupby(text, key=lambda char: _font_of(char, wide)):
        yield font, "".join(chars)


def _width(text: str, size: float, wide: str) -> float:
    return sum(
        float(pdfmetrics.stringWidth(piece, font, size)) for font, piece in _pieces(text, wide)
    )


def _font_of(char: str, wide: str) -> str:
    try:
        char.encode("cp1252")
    except UnicodeEncodeError:
        return wide
    return _LATIN


def _wide_font(file: Path | None) -> str:
    if file is not None:
        return _registered(str(file))
    for known in _FONT_FILES:
        if Path(known).is_file():
            return _registered(known)
    return _viewers_own()


@cache
def _registered(file: str) -> str:
    try:
        pdfmetrics.registerFont(TTFont(file, file))
    except (TTFError, OSError) as error:
        fix = "name a TrueType font (.ttf or .ttc)"
        raise UnavailableError(f"{file} is no font that can be embedded", fix) from error
    return file


@cache
def _viewers_own() -> str:
    pdfmetrics.registerFont(UnicodeCIDFont(_CJK))
    return _CJK


def card_lines(claims: Iterable[tuple[str, object]]) -> tuple[str, ...]:
    """What stands below the name: a word and its value a line, without what is empty."""
    return tuple(f"{word} {value}" for word, value in claims if value not in (None, "", ()))

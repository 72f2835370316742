"""Passes on paper: a card with QR code, name, validity and the photograph; many a sheet.

A card is ISO/IEC 7810 ID-1, 85.60 x 53.98 mm. The code takes 42 mm of it: a version 14 symbol (73
modules and the quiet zone of 4 on each side) has modules of 0.52 mm then, which a gate's camera
resolves at 20 cm. Where it holds stands above the code, the pass's id below; beside it the
photograph, the name, and what a guard looks for: until when, as what, at which access points.
"""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from agent.errors import RefusedError
from agent.operations.passes.card_photo import PHOTO_MM
from agent.operations.passes.fonts import Fonts, is_ideographic
from agent.operations.passes.issue import qr_code

CARD_MM = (85.60, 53.98)
_CODE_MM, _MARGIN_MM, _GAP_MM = 42.0, 3.0, 4.0
_QUIET = 4
_CODE_LEFT_MM = _MARGIN_MM / 2
"""The code's own quiet zone is the rest of the margin."""
_COLUMN_MM = _CODE_LEFT_MM + _CODE_MM + 2.0
_NAME_SIZES = (12.0, 10.5, 9.5, 8.5, 7.5, 7.0, 6.0, 5.5)
_NAME_ROOM = 26.0
"""In points, below the photograph; a name that is long gets smaller, then more rows."""
_SMALLEST_WHOLE = 7.0
"""Down to this size a name gets smaller rather than have a word of it broken."""
_PARTS = re.compile(r"[^·•‧・-]*[·•‧・-]+|[^·•‧・-]+")
"""A word may end its row after a hyphen, and after the middle dots of names."""
_UNTIL_SIZE, _LINE_SIZE, _FOOT_SIZE, _HEAD_SIZE = 7.0, 6.0, 5.0, 7.0
_LEADING = 1.18
_DARK, _PALE = 0.0, 0.35


@dataclass(frozen=True, slots=True)
class Card:
    """One printed pass: ``until`` and ``lines`` stand below the name, ``where`` above the code.

    A word that has no room ends in an ellipsis; of a list as much is said as fits, and how many
    more there are. ``photo`` is a JPEG of the box's shape; without one the box stays free, and a
    card that is nobody's has none (``has_photo``).
    """

    text: str = field(repr=False)
    name: str = field(repr=False)
    until: str
    lines: tuple[tuple[str, ...], ...] = ()
    where: tuple[str, ...] = ()
    foot: str = ""
    photo: bytes | None = field(default=None, repr=False)
    has_photo: bool = True


def print_cards(
    cards: Sequence[Card], *, sheet: bool, font: Path | None = None, title: str = "Gate passes"
) -> bytes:
    """The cards as a PDF: a page each of a card's size, or ten on each A4 ``sheet``.

    Every character is set in a font that is embedded: ``font``, else one of this machine.

    Raises:
        RefusedError: ``cards``; there is none. ``font``; no font has a character. ``name``; it has
            no room.
        UnavailableError: ``font`` is no TrueType font.
    """
    if not cards:
        raise RefusedError("cards", "there is nothing to print")
    fonts = fonts_with(font)
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=A4 if sheet else tuple(side * mm for side in CARD_MM))
    canvas.setTitle(title)
    canvas.setSubject("")
    canvas.setAuthor("")
    canvas.setCreator("gate-agent")
    places = list(_places()) if sheet else [(0.0, 0.0)]
    for number, card in enumerate(cards):
        if number and number % len(places) == 0:
            canvas.showPage()
        x, y = places[number % len(places)]
        canvas.saveState()
        canvas.translate(x * mm, y * mm)
        _draw(canvas, card, fonts)
        canvas.restoreState()
    canvas.showPage()
    canvas.save()
    return stream.getvalue()


def fonts_with(font: Path | None) -> Fonts:
    """The fonts of cards, ``font`` before all others.

    Raises:
        UnavailableError: ``font`` is no TrueType font.
    """
    return Fonts(() if font is None else (font,))


def check_card(card: Card, fonts: Fonts) -> None:
    """Nothing, where ``card`` can be printed whole.

    Raises:
        RefusedError: as ``print_cards``.
    """
    _name_rows(card.name, fonts)


def _places() -> Iterator[tuple[float, float]]:
    """The lower left corners of a sheet's cards, in mm: two columns of five from the top."""
    width, height = CARD_MM
    left = (A4[0] / mm - 2 * width - _GAP_MM) / 2
    top = (A4[1] / mm + 5 * height + 4 * 1.0) / 2
    for row in range(5):
        for column in range(2):
            yield left + column * (width + _GAP_MM), top - (row + 1) * height - row * 1.0


def _draw(canvas: Canvas, card: Card, fonts: Fonts) -> None:
    width, height = CARD_MM
    canvas.setLineWidth(0.2)
    canvas.setStrokeGray(0.6)
    canvas.roundRect(0, 0, width * mm, height * mm, 3.18 * mm)
    left = _draw_code(canvas, card.text)
    code_top = (height + _CODE_MM) / 2 * mm
    room = (_CODE_LEFT_MM + _CODE_MM) * mm - left
    head = _listed(card.where, _HEAD_SIZE, room, fonts)
    _line(canvas, fonts, head, _HEAD_SIZE, (left, code_top + 0.5 * mm))
    foot = _listed((card.foot,), _FOOT_SIZE, room, fonts)
    foot_y = (height - _CODE_MM) / 2 * mm - _FOOT_SIZE
    _line(canvas, fonts, foot, _FOOT_SIZE, (left, foot_y), grey=_PALE)
    top = (height - _MARGIN_MM) * mm
    if card.has_photo:
        _draw_photo(canvas, card.photo, top)
        top -= PHOTO_MM[1] * mm + 0.6 * mm
    _draw_column(canvas, card, fonts, top)


def _draw_photo(canvas: Canvas, photo: bytes | None, top: float) -> None:
    width, height = (side * mm for side in PHOTO_MM)
    if photo is None:
        canvas.rect(_COLUMN_MM * mm, top - height, width, height)
        return
    picture = ImageReader(io.BytesIO(photo))
    canvas.drawImage(picture, _COLUMN_MM * mm, top - height, width, height)


def _draw_column(canvas: Canvas, card: Card, fonts: Fonts, y: float) -> None:
    """The name and the lines, from ``y`` down."""
    left, room = _COLUMN_MM * mm, _column_room()
    rows, size = _name_rows(card.name, fonts)
    for row in rows:
        y -= size
        _line(canvas, fonts, row, size, (left, y))
        y -= size * (_LEADING - 1)
    y -= 2.0
    told = [(_listed((card.until,), _UNTIL_SIZE, room, fonts), _UNTIL_SIZE, _DARK)]
    told += [(_listed(line, _LINE_SIZE, room, fonts), _LINE_SIZE, _PALE) for line in card.lines]
    for row, size, grey in told:
        y -= size
        _line(canvas, fonts, row, size, (left, y), grey=grey)
        y -= size * (_LEADING - 1)


def _column_room() -> float:
    return float((CARD_MM[0] - _MARGIN_MM - _COLUMN_MM) * mm)


def _line(
    canvas: Canvas,
    fonts: Fonts,
    text: str,
    size: float,
    place: tuple[float, float],
    *,
    grey: float = _DARK,
) -> None:
    x, y = place
    canvas.setFillGray(grey)
    written = canvas.beginText(x, y)
    for font, piece in fonts.pieces(text):
        written.setFont(font, size)
        written.textOut(piece)
    canvas.drawText(written)


def _draw_code(canvas: Canvas, text: str) -> float:
    """Draw the code; where its first dark module begins."""
    rows = [[bool(cell) for cell in row] for row in qr_code(text).matrix_iter(border=_QUIET)]
    module = _CODE_MM * mm / len(rows)
    bottom = (CARD_MM[1] - _CODE_MM) / 2 * mm
    canvas.setFillGray(0)
    path = canvas.beginPath()
    for number, row in enumerate(rows):
        y = bottom + (len(rows) - 1 - number) * module
        for start, length in _runs(row):
            path.rect(_CODE_LEFT_MM * mm + start * module, y, length * module, module)
    canvas.drawPath(path, stroke=0, fill=1)
    return float(_CODE_LEFT_MM * mm + _QUIET * module)


def _runs(row: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Start and length of each dark run: neighbours as one, so that no hairline shows."""
    start: int | None = None
    for number, dark in enumerate((*row, False)):
        if dark and start is None:
            start = number
        elif not dark and start is not None:
            yield start, number - start
            start = None


def _name_rows(name: str, fonts: Fonts) -> tuple[list[str], float]:
    """The name in rows, in the largest size at which all of it has room.

    Raises:
        RefusedError: ``name``; it has none. ``font``; as ``print_cards``.
    """
    room = _column_room()
    tries = [(_wrapped(name, size, room, fonts), size) for size in _NAME_SIZES]
    fitting = [
        (rows, size) for rows, size in tries if len(rows.lines) * size * _LEADING <= _NAME_ROOM
    ]
    whole = [one for one in fitting if not one[0].broken and one[1] >= _SMALLEST_WHOLE]
    for rows, size in whole or fitting:
        return rows.lines, size
    raise RefusedError("name", "the name is too long for a card\nFix: --name with a shorter one")


def _listed(words: Sequence[str], size: float, room: float, fonts: Fonts) -> str:
    """As many of ``words`` as have room, and how many more there are."""
    for count in range(len(words), 0, -1):
        more = len(words) - count
        said = ", ".join(words[:count]) + (f" and {more} more" if more else "")
        if fonts.width(said, size) <= room:
            return said
    rest = f"\u2026 and {len(words) - 1} more" if len(words) > 1 else "\u2026"
    said = words[0] if words else ""
    while said and fonts.width(said + rest, size) > room:
        said = said[:-1]
    return said + rest if said else ""


@dataclass(frozen=True, slots=True)
class _Rows:
    lines: list[str]
    broken: bool
    """Whether a word of letters goes on in the next row without a hyphen."""


def _wrapped(text: str, size: float, room: float, fonts: Fonts) -> _Rows:
    """``text`` in rows no wider than ``room``: broken at spaces, or anywhere, as Chinese is."""
    lines, broken = [""], False
    for word in text.split():
        for number, part in enumerate(_PARTS.findall(word)):
            longer = f"{lines[-1]}{'' if number else ' '}{part}".strip()
            if fonts.width(longer, size) <= room:
                lines[-1] = longer
                continue
            if lines[-1]:
                lines.append("")
            for char in part:
                if lines[-1] and fonts.width(lines[-1] + char, size) > room:
                    lines.append("")
                    broken = broken or not is_ideographic(char)
                lines[-1] += char
    return _Rows(lines, broken)

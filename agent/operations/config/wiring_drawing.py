"""A drawing of the wiring: the header as it is seen from above, and each part with its wires.

SVG, which every browser shows and prints; nothing in it but what ``wires`` says.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from agent.errors import RefusedError
from agent.operations.config.wiring import HEADER, Wire
from agent.operations.files import write_whole

_ROW, _TOP = 30, 96
_ODD_X, _EVEN_X = 150, 190
_PART_X, _WIDTH = 520, 1120
_LINE, _HEAD, _GAP = 26, 30, 16
_COLOURS = {"3V3": "#c2410c", "5V": "#b91c1c", "GND": "#1f2937"}
_GPIO = ("#1d4ed8", "#15803d", "#7e22ce", "#a16207", "#0e7490", "#be185d")
_STYLE = (
    "text{font-family:'DejaVu Sans','Noto Sans',sans-serif;font-size:13px;fill:#111827}"
    ".h{font-size:20px;font-weight:bold}.b{font-weight:bold}.n{font-size:11px;fill:#4b5563}"
    ".r{text-anchor:end}.m{text-anchor:middle;font-size:10px;fill:#fff}"
    ".o{paint-order:stroke;stroke:#fff;stroke-width:5px;stroke-linejoin:round}"
)
_SEEN = (
    "The 40 pins seen from above, the USB ports below; pin 1 is the square one."
    " Switch everything off first."
)
_BOARD = (
    f'<rect x="{_ODD_X - 22}" y="{_TOP - 22}" width="{_EVEN_X - _ODD_X + 44}"'
    f' height="{20 * _ROW + 14}" rx="6" fill="#e5e7eb" stroke="#9ca3af"/>'
)


def drawing(title: str, wires: Sequence[Wire]) -> str:
    """The drawing as SVG text; ``title`` stands above it."""
    parts: dict[str, list[Wire]] = {}
    for one in wires:
        parts.setdefault(one.part, []).append(one)
    boxes, lines, bottom = _parts(parts)
    height = max(bottom, _TOP + 20 * _ROW) + 30
    size = f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}"'
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="24" y="36" class="h">{escape(title)}</text>',
        f'<text x="24" y="60" class="n">{_SEEN}</text>',
        _BOARD,
        *lines,
        *_header({one.pin for one in wires if one.pin is not None}),
        *boxes,
        "</svg>",
    ]
    return "\n".join([*drawn, ""])


def write_drawing(kiosk: str, found: Sequence[Wire], file: Path) -> None:
    """Draw them, for paper or a browser.

    Raises:
        RefusedError: ``file_type``: the file is named no .svg.
        UnavailableError: it cannot be written.
    """
    if file.suffix.lower() != ".svg":
        raise RefusedError("file_type", f"{file.name}: a drawing is a file named .svg")
    write_whole(drawing(f"Wiring of {kiosk}", found).encode(), file)


def _header(used: set[int]) -> Iterator[str]:
    for pin, what in enumerate(HEADER, start=1):
        x, y = _place(pin)
        name = what if isinstance(what, str) else f"GPIO {what}"
        colour = _colour(what) if pin in used else "#9ca3af"
        shape = (
            f'<rect x="{x - 10}" y="{y - 10}" width="20" height="20"'
            if pin == 1
            else f'<circle cx="{x}" cy="{y}" r="10"'
        )
        yield f'{shape} fill="{colour}"/><text x="{x}" y="{y + 4}" class="m">{pin}</text>'
        weight = "b" if pin in used else "n"
        side = f'x="{x - 28}" class="{weight} r"' if pin % 2 else f'x="{x + 28}" class="{weight} o"'
        yield f'<text y="{y + 4}" {side}>{name}</text>'


def _parts(parts: dict[str, list[Wire]]) -> tuple[list[str], list[str], int]:
    """Boxes with their words, lines, and how far down it goes."""
    boxes: list[str] = []
    lines: list[str] = []
    y = _TOP - 22
    for part, wires in parts.items():
        height = _HEAD + _LINE * len(wires) + 6
        boxes.append(
            f'<rect x="{_PART_X}" y="{y}" width="{_WIDTH - _PART_X - 24}" height="{height}"'
            ' rx="6" fill="#f9fafb" stroke="#6b7280"/>'
            f'<text x="{_PART_X + 14}" y="{y + 20}" class="b">{escape(part)}</text>'
        )
        for number, wire in enumerate(wires):
            at = y + _HEAD + _LINE * number + _LINE // 2
            boxes += _words(wire, at)
            lines += _line(wire, at)
        y += height + _GAP
    return boxes, lines, y


def _words(wire: Wire, y: int) -> Iterator[str]:
    where = wire.to if wire.pin is None else f"{wire.to}, pin {wire.pin}"
    words = f"{wire.terminal} \N{RIGHTWARDS ARROW} {where}"
    yield f'<text x="{_PART_X + 22}" y="{y + 4}">{escape(words)}</text>'
    if wire.note:
        yield f'<text x="{_PART_X + 250}" y="{y + 4}" class="n">{escape(wire.note)}</text>'
    if wire.pin is not None:
        colour = _colour(HEADER[wire.pin - 1])
        yield f'<circle cx="{_PART_X}" cy="{y}" r="4" fill="{colour}"/>'


def _line(wire: Wire, y: int) -> Iterator[str]:
    if wire.pin is None:
        return
    x, pin_y = _place(wire.pin)
    start = f"M{x} {pin_y}"
    if wire.pin % 2:
        # Between the rows, so that it crosses no other pin.
        pin_y += _ROW // 2
        start += f"V{pin_y}H{_EVEN_X + 100}"
    else:
        start += f"H{_EVEN_X + 100}"
    bend = f"C{_PART_X - 110} {pin_y} {_EVEN_X + 200} {y} {_PART_X} {y}"
    colour = _colour(HEADER[wire.pin - 1])
    yield f'<path d="{start}{bend}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _place(pin: int) -> tuple[int, int]:
    return (_ODD_X if pin % 2 else _EVEN_X), _TOP + (pin - 1) // 2 * _ROW


def _colour(what: int | str) -> str:
    return _COLOURS[what] if isinstance(what, str) else _GPIO[what % len(_GPIO)]

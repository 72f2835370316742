"""What stands on printed passes: read from the pass itself, name and photo from whoever prints."""

from datetime import tzinfo
from pathlib import Path

from agent.credentials.errors import CredentialError
from agent.credentials.passes.gate_pass import read_claims
from agent.domain.credential.gate_pass import GatePass
from agent.domain.credential.name import person_name
from agent.domain.foreign.json_text import read_json
from agent.errors import RefusedError
from agent.operations.files import read_lines
from agent.operations.moments import bound_text
from agent.operations.passes.card_photo import batch_photo
from agent.operations.passes.print import Card, check_card, fonts_with


def one_card(text: str, name: str, zone: tzinfo, photo: bytes | None = None) -> Card:
    """The card of a pass; its signature is not checked, since the office prints its own.

    Its dates are those of ``zone``; ``photo`` is as ``card_photo`` makes it.

    Raises:
        RefusedError: ``pass``; it is no pass. ``name``; it is none.
    """
    try:
        name = person_name(name) if name.strip() else ""
    except ValueError as error:
        raise RefusedError("name", str(error)) from error
    try:
        claims = read_claims(text)
    except CredentialError as error:
        raise RefusedError("pass", error.detail) from error
    return Card(
        text,
        name or claims.holder,
        f"until {bound_text(claims.valid_until, zone, ends=True)}",
        _lines(claims, zone),
        tuple(sorted(claims.communities)),
        f"pass {claims.id}",
        photo,
    )


def _lines(claims: GatePass, zone: tzinfo) -> tuple[tuple[str, ...], ...]:
    """What stands below the end, the most important first."""
    lines: list[tuple[str, ...]] = []
    if claims.valid_from is not None:
        lines.append((f"from {bound_text(claims.valid_from, zone, ends=False)}",))
    if claims.uses is None:
        lines.append((claims.category,))
    else:
        counted = f"{claims.uses} use{'s' * (claims.uses != 1)} at {claims.kiosk}"
        lines.append((claims.category, counted))
    if claims.access_points:
        first, *more = sorted(claims.access_points)
        lines.append((f"at {first}", *more))
    return tuple(lines)


def cards_of(file: Path, zone: tzinfo, font: Path | None = None) -> list[Card]:
    """The cards of a file of JSON lines with ``text``, ``name`` and, if wanted, ``photo``.

    A photo's path starts from the file's own folder.

    Raises:
        RefusedError: a line is none, or cannot be printed whole; the message names it.
        UnavailableError: it cannot be read; ``font`` is no TrueType font.
    """
    cards, fonts = [], fonts_with(font)
    for number, line in enumerate(read_lines(file), 1):
        if not line.strip():
            continue
        try:
            wanted = read_json(line)
            photo = batch_photo(wanted.get("photo"), file)
            card = one_card(str(wanted["text"]), str(wanted.get("name", "")), zone, photo)
            check_card(card, fonts)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"{file}:{number}: no JSON object with text and name"
            raise RefusedError("batch", message) from error
        except RefusedError as error:
            raise RefusedError("batch", f"{file}:{number}: {error}") from error
        cards.append(card)
    return cards

"""What stands on printed passes: read from the pass itself, the name from whoever prints."""

import json
from pathlib import Path

from agent.credentials.errors import CredentialError
from agent.credentials.passes.gate_pass import read_claims
from agent.domain.credential.name import person_name
from agent.errors import RefusedError
from agent.operations.files import read_lines
from agent.operations.passes.print import Card, card_lines


def one_card(text: str, name: str) -> Card:
    """The card of a pass; its signature is not checked, since the office prints its own.

    Raises:
        RefusedError: ``pass``; it is no pass, or the name is too long.
    """
    try:
        name = person_name(name) if name.strip() else ""
    except ValueError as error:
        raise RefusedError("name", str(error)) from error
    try:
        claims = read_claims(text)
    except CredentialError as error:
        raise RefusedError("pass", error.detail) from error
    start = None if claims.valid_from is None else f"{claims.valid_from:%Y-%m-%d %H:%M} UTC"
    return Card(
        text,
        name or claims.holder,
        card_lines(
            [
                (claims.category, " ".join(sorted(claims.communities))),
                ("at", " ".join(sorted(claims.access_points))),
                ("from", start),
                ("until", f"{claims.valid_until:%Y-%m-%d %H:%M} UTC"),
                ("uses", claims.uses),
                ("pass", claims.id),
            ]
        ),
    )


def cards_of(file: Path) -> list[Card]:
    """The cards of a file of JSON lines with ``text`` and ``name``.

    Raises:
        RefusedError: a line is none; the message names it.
        UnavailableError: it cannot be read.
    """
    cards = []
    for number, line in enumerate(read_lines(file), 1):
        if not line.strip():
            continue
        try:
            wanted = json.loads(line)
            cards.append(one_card(str(wanted["text"]), str(wanted.get("name", ""))))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            message = f"{file}:{number}: no JSON object with text and name"
            raise RefusedError("batch", message) from error
        except RefusedError as error:
            raise RefusedError("batch", f"{file}:{number}: {error}") from error
    return cards

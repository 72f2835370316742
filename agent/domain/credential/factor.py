"""What somebody shows, and what a rule asks for: one of several sets, each shown whole."""

from collections.abc import Iterable
from enum import StrEnum


class Factor(StrEnum):
    """A kind of credential that a rule may ask for; the value is the word in config and events."""

    FACE = "face"
    PASS = "pass"  # noqa: S105 - a gate pass, no password
    ID_DOCUMENT = "id_document"
    CARD = "card"
    HEALTH_CERTIFICATE = "health_certificate"


Factors = frozenset[Factor]
NAMING: Factors = frozenset({Factor.PASS, Factor.ID_DOCUMENT, Factor.CARD})
"""Those that say who somebody is: beside one of them a face is compared 1:1, and not searched."""
CARD_ALONE: Factors = frozenset({Factor.CARD})
FACE_ALONE: Factors = frozenset({Factor.FACE})
FACE_OR_BOTH: tuple[Factors, ...] = (FACE_ALONE, frozenset({Factor.FACE, Factor.PASS}))
"""Where a rule says nothing: a face, or a pass with the face that it names; no pass alone."""


def missing(alternatives: Iterable[Factors], shown: Factors) -> Factors:
    """What is still to be shown for the nearest of ``alternatives``; empty where one is whole.

    The nearest lacks least; among those of like lack it is the first.
    """
    return min((wanted - shown for wanted in alternatives), key=len, default=frozenset())

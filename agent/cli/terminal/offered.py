"""Typer's answers to a shell that completes, without what a hand would wait for.

Typer imports pydantic to convert words of which a completion uses the text alone, and draws every
offer with rich to rid it of markup, which has been taken out of ours: that was half of the time.
"""

from collections.abc import Iterable
from typing import Any

from typer import _completion_classes


class _AsGiven:
    """Stands where Typer has what converts a value."""

    def coerce(self, value: Any, **_: Any) -> Any:
        """The words themselves."""
        return value


def make_quick(parameters: Iterable[Any]) -> None:
    """Let these parameters of a command leave their words as they are, and texts be plain."""
    for parameter in parameters:
        parameter.get_runtime_param = _AsGiven
    # By the name that Typer calls it by: there is no other way to say that a text is plain.
    _completion_classes._sanitize_help_text = _plain  # noqa: SLF001


def unmarked(text: str) -> str:
    """``text`` for a shell's completion: some show it as markup, so brackets are none."""
    return text.replace("[", "(").replace("]", ")")


def unmarked_offers(offers: list[Any]) -> list[Any]:
    """The same offers with their texts so."""
    for offer in offers:
        offer.help = None if offer.help is None else unmarked(offer.help)
    return offers


def _plain(text: str) -> str:
    return text

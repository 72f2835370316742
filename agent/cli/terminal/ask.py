"""One question before what lasts: asked where a person sits, never where a script runs."""

import sys
from typing import Annotated

import typer

from agent.cli.terminal.style import is_terminal, plain
from agent.errors import RefusedError

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]

_AGREED = frozenset({"y", "yes"})


def confirm(question: str, *, yes: bool) -> None:
    """Go on where a person at the terminal agrees, with ``yes``, and where nobody can be asked.

    Asked on stderr, so that stdout keeps the answer only. Where stdin or stderr is no terminal the
    command does what it was told, as scripts rely on.

    Raises:
        RefusedError: ``not_confirmed``; the person did not agree, and nothing was changed.
    """
    if yes or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        return
    sys.stderr.write(f"{plain(question)} [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        sys.stderr.write("\n")
    if answer.strip().lower() not in _AGREED:
        raise RefusedError("not_confirmed", "nothing was changed")

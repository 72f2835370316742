"""A credential's text on the command line: ``-`` reads stdin, and anything else is warned of.

Whoever has the text of a pass has the pass. An argument is read by every user of the machine while
the command runs, and stays in the shell's history; stdin and a file do neither.
"""

import sys
from datetime import tzinfo
from pathlib import Path

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import advise, warn
from agent.cli.terminal.style import plain

STDIN = "-"
"""The word that stands for the text on stdin."""
HELP = "The text; - reads it from stdin, where nobody else sees it."
_WARNING = (
    "whoever may look at this machine's processes reads the text of the credential, and the"
    " shell's history keeps it; give it on stdin instead: {how}"
)


def given_text(text: str, how: str = "--text -") -> str:
    """``text``, or what stands on stdin where it is ``-``.

    ``how`` is what to give instead of a text that stood in the arguments.

    Raises:
        RefusedError: ``text``; stdin is far too long, or no text.
    """
    from agent.operations.health.verify_health import read_code_from

    if text == STDIN:
        return read_code_from(sys.stdin.buffer, "stdin")
    warn(_WARNING.format(how=how))
    return text


def one_text(text: str | None, file: Path | None) -> str:
    """The text of ``--text`` or ``--file``, of which one is given.

    Raises:
        BadParameter: both, or neither.
        UnavailableError: the file cannot be read.
        RefusedError: ``text``; it is far too long, or no text.
    """
    import typer

    from agent.operations.health.verify_health import read_code

    if text is not None and file is None:
        return given_text(text)
    if file is not None and text is None:
        return read_code(file)
    raise typer.BadParameter("one of the two", param_hint="--text or --file")


def unknown_issuer(issuer: str) -> str:
    """What a pass is that a key signed which is not trusted here: forged, or not yet made known."""
    return f"unknown issuer {plain(issuer)}"


def zone_here() -> tzinfo | None:
    """The time zone of this machine's config; None, which is its own, where none can be read.

    For commands that need no config: one that is wrong is no fault of theirs.
    """
    from agent.app.open.site import site_of
    from agent.errors import GateAgentError

    path = given_config_path()
    if path is None:
        return None
    try:
        return site_of(state_dir(), path).zone
    except (GateAgentError, OSError):
        return None


def advise_trust(issuer: str) -> None:
    """How such a pass is believed, on stderr."""
    advise(f"gate-agent pass trust FILE --issuer {issuer}")

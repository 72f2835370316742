"""``gate-agent health verify``: what a credential says, and whether it is true."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.cli.common import Commands, Json, emit, examples, file_option, left_out
from agent.cli.passes.credential_text import HELP, one_text


class RuleSet(StrEnum):
    """The rule sets by name."""

    STATED = "stated"
    EU_TRAVEL = "eu-travel"


_EXAMPLES = examples(
    "health verify --text - --trust issuers.pem < code.txt",
    "health verify --file code.txt --trust keys.jwks --at 2021-05-03T18:00:00Z --json",
    "health verify --batch codes.jsonl",
)


def add_to(group: typer.Typer) -> None:
    """Hang the command into ``group``."""
    group.command("verify", epilog=_EXAMPLES)(health)


def add_former_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent`` as it was called once, unseen."""
    former = Commands("health verify --text - --trust issuers.pem < code.txt")
    former.command("health", epilog=_EXAMPLES)(health)
    parent.add_typer(former, name="verify", help="Once for gate-agent health.", hidden=True)


def health(
    *,
    text: Annotated[str | None, typer.Option("--text", metavar="TEXT", help=HELP)] = None,
    file: Annotated[
        Path | None,
        file_option("--file", "A file with that text."),
    ] = None,
    batch: Annotated[
        Path | None,
        file_option("--batch", "JSON lines with text, trust and at."),
    ] = None,
    trust: Annotated[
        Path | None,
        file_option("--trust", "PEM certificates or a JWK set."),
    ] = None,
    issuer: Annotated[
        str | None,
        typer.Option("--issuer", metavar="URL", help="Whose keys --trust has: iss on its cards."),
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="ISO 8601 [default: now].")
    ] = None,
    rules: Annotated[
        RuleSet, typer.Option("--rules", help="What an EU certificate must state.")
    ] = RuleSet.STATED,
    as_json: Json = False,
) -> None:
    """Check a health certificate.

    An EU DCC (HC1:) or a SMART Health Card (shc:/), by the keys of a trust file. Exit code 1 if it
    is not valid. With --batch one JSON object a line, in the order of the file, whatever each is
    worth; a trust file's content stands in each line.
    """
    from datetime import UTC, datetime

    from agent.operations.health.verify_health import read_trust, verify_code
    from agent.operations.moments import parse_moment

    if sum(given is not None for given in (text, file, batch)) != 1:
        raise typer.BadParameter("give one of --text, --file and --batch")
    now = datetime.now(UTC) if at is None else parse_moment(at)
    if batch is not None:
        _batch(batch, now, rules.value)
        return
    if trust is None:
        raise typer.BadParameter("--trust FILE is missing")
    code = one_text(text, file)
    keys = read_trust(trust, issuer)
    left_out(keys.skipped, keys.skipped_count)
    verdict = verify_code(code, keys, now, rules.value)
    if as_json:
        emit(verdict.as_json())
    else:
        from agent.cli.passes.verdict_text import show_certificate

        show_certificate(verdict.as_json())
    if not verdict.valid:
        raise typer.Exit(1)


def _batch(file: Path, now: Any, rules: str) -> None:
    from agent.errors import UnavailableError
    from agent.operations.health.verify_health import lines_of, verify_lines

    try:
        with file.open("rb") as stream:
            for verdict in verify_lines(lines_of(stream), now, rules):
                emit(verdict.as_json())
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UnavailableError(f"{file} cannot be read: {error.strerror}") from error

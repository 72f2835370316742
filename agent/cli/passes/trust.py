"""``gate-agent health``: whose signatures on health certificates count at this gate."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from agent.app.open.paths import state_dir
from agent.cli import completion
from agent.cli.common import (
    Commands,
    Csv,
    Json,
    StateDir,
    counted,
    emit,
    examples,
    left_out,
    one_form,
    say,
    user,
    warn,
)
from agent.cli.passes.credential_text import zone_here
from agent.cli.terminal.ask import Yes, confirm
from agent.cli.terminal.sheet import sheet_of
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import table
from agent.domain.hours.instant import local_text

_TRUST = examples(
    "health trust eu-2026-05.pem", "health trust shc.jwks --issuer https://issuer.example"
)
_ISSUERS = examples("health issuers", "health issuers --json")
_DISTRUST = examples("health distrust eu-2026-05")


def add_to(group: typer.Typer) -> None:
    """Hang the commands into ``group``."""
    group.command("trust", epilog=_TRUST)(install)
    group.command("issuers", epilog=_ISSUERS)(list_)
    group.command("distrust", epilog=_DISTRUST)(remove)


def add_former_to(parent: typer.Typer) -> None:
    """Hang the commands into ``parent`` as they were called once, unseen."""
    former = Commands("health trust eu-2026-05.pem", "health issuers")
    former.command("install", epilog=_TRUST)(install)
    former.command("list", epilog=_ISSUERS)(list_)
    former.command("remove", epilog=_DISTRUST)(remove)
    parent.add_typer(former, name="trust", help="Once for gate-agent health.", hidden=True)


def install(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="PEM certificates or a JWK set.", readable=False)
    ],
    *,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="[default: the file's name].")
    ] = None,
    issuer: Annotated[
        str | None,
        typer.Option("--issuer", metavar="URL", help="Whose keys they are: iss on its cards."),
    ] = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Install a trust list, or replace one by its newer state.

    Its age counts from now: past the limit of the config what it holds is refused. An entry that
    cannot be read is left out and named; where none can be, the list before stays.
    """
    from agent.operations.health import trust_lists

    folder = state_dir(state)
    made = trust_lists.install(file, folder, datetime.now(UTC), name, issuer)
    _record(folder, made.name, "installed", len(made.trust.keys))
    if as_json:
        emit(made.as_json())
    else:
        say(f"installed {made.name}: {counted(len(made.trust.keys), 'key')}")
    left_out(made.trust.skipped, made.trust.skipped_count)
    if len(made.kinds) > 1:
        warn(
            f"{made.name} holds keys of EU certificates and of SMART Health Cards:"
            " if an issuer of cards publishes it, install it with --issuer URL"
        )
    if made.unbound:
        warn(
            f"{counted(made.unbound, 'key')} of SMART Health Cards may sign for any issuer:"
            " name theirs with --issuer URL"
        )


def list_(*, state: StateDir = None, as_json: Json = False, as_csv: Csv = False) -> None:
    """List the installed trust lists, with the time of install."""
    one_form(as_json=as_json, as_csv=as_csv)
    from agent.operations.health import trust_lists

    lists = trust_lists.installed(state_dir(state))
    if as_json:
        emit([each.as_json() for each in lists])
        return
    if as_csv:
        columns = ("name", "keys", "skipped_count", "unbound", "installed", "problem")
        sheet_of(columns, [each.as_json() for each in lists])
        return
    zone = zone_here()
    table(
        ("name", "keys", "left out", "unbound", "installed", "problem"),
        [
            (
                Cell(each.name, Meaning.STRONG),
                len(each.trust.keys),
                _doubted(each.trust.skipped_count),
                _doubted(each.unbound),
                None if each.installed is None else local_text(each.installed, zone),
                None if each.problem is None else Cell(each.problem, Meaning.BAD),
            )
            for each in lists
        ],
        empty="no trust list is installed yet; gate-agent health trust FILE installs one",
    )


def _doubted(count: int) -> Cell:
    """A number that is better none."""
    return Cell(count, Meaning.DOUBT if count else None)


def remove(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="As gate-agent health issuers.",
            autocompletion=completion.trust_lists,
        ),
    ],
    *,
    yes: Yes = False,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Remove a trust list: what its keys signed is refused from now on.

    Asks first, at a terminal.
    """
    from agent.operations.health import trust_lists

    folder = state_dir(state)
    confirm(f"Remove the trust list {name}? What its keys signed is refused then.", yes=yes)
    trust_lists.remove(name, folder)
    _record(folder, name, "removed", None)
    if as_json:
        emit({"name": name, "removed": True})
    else:
        say(f"removed {name}")


def _record(state: Path, name: str, change: str, keys: int | None) -> None:
    from agent.app.open.files.stores import record
    from agent.app.open.site import command_site
    from agent.domain.record.events import EventType

    data = {"list": name, "change": change, "keys": keys, "by": user()}
    record(command_site(state, None), EventType.TRUST_CHANGED, data)

"""``gate-agent holders``: who is enrolled."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli import completion
from agent.cli.common import (
    Commands,
    Config,
    Csv,
    Json,
    StateDir,
    Task,
    counted,
    emit,
    examples,
    one_form,
    say,
    user,
    warn,
)
from agent.cli.people.holders_text import COLUMNS, show_list, show_one
from agent.cli.progress import progress
from agent.cli.terminal.ask import Yes, confirm
from agent.cli.terminal.sheet import sheet_of
from agent.cli.terminal.style import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agent.app.open.site import Site
    from agent.domain.credential.holder import Holder

app = Commands(
    "holders list",
    "holders show r-1042",
    "holders set r-1042 --valid-until 2027-05-31",
    "holders disable r-1042",
)

Id = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="A holder, as gate-agent holders list.",
        autocompletion=completion.holders,
    ),
]

_ERASED_LATER = (
    "erased from the database, but its log could not be emptied: somebody reads it, or the disk is"
    " full; the running agent does it as soon as it can"
)


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(app, rich_help_panel=Task.PEOPLE, name="holders", help="Who is enrolled.")


@app.command("list", epilog=examples("holders list", "holders list --category staff --json"))
def list_(
    *,
    category: Annotated[
        str | None,
        typer.Option(
            "--category", metavar="CAT", help="Only these.", autocompletion=completion.categories
        ),
    ] = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """List every holder, by id.

    Rows that cannot be read are told on stderr.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    from agent.app.open.files.stores import Key, read_registry
    from agent.app.open.site import command_site
    from agent.app.open.snapshot import damage_text
    from agent.domain.credential.near import did_you_mean
    from agent.operations.people import holders

    site = command_site(state_dir(state), given_config_path(config))
    with read_registry(site, Key.IF_ANY) as registry:
        counts = registry.reference_counts()
        everybody = registry.readable_holders()
        known = [holder for holder in everybody if category in (None, holder.category)]
        damage = registry.damage()
    _warn_of_unread(known)
    if category is not None and not known:
        near = did_you_mean(category, {holder.category for holder in everybody})
        warn(f"nobody has the category {category!r}{near}")
    found = [holders.as_json(holder, counts.get(holder.id, {})) for holder in known]
    if as_json:
        emit(found)
    elif as_csv:
        sheet_of(COLUMNS, found)
    else:
        show_list(known, found, site.zone)
    if damage.rows:
        warn(damage_text(damage.rows))
    for unreadable in sorted(damage.holders):
        warn(f"{unreadable} is refused until removed, and enrolled again")


@app.command("show", epilog=examples("holders show r-1042", "holders show r-1042 --json"))
def show(
    holder: Id, *, config: Config = None, state: StateDir = None, as_json: Json = False
) -> None:
    """Show one holder; never a template."""
    from agent.app.open.files.stores import Key, read_registry
    from agent.app.open.site import command_site
    from agent.operations.people import holders

    site = command_site(state_dir(state), given_config_path(config))
    with read_registry(site, Key.IF_ANY) as registry:
        found = holders.find(registry, holder)
        _warn_of_unread([found])
        shown = holders.as_json(found, registry.reference_counts().get(found.id, {}))
    if as_json:
        emit(shown)
    else:
        show_one(found, shown, site.zone)


@app.command("enable", epilog=examples("holders enable r-1042"))
def enable(
    holder: Id, *, config: Config = None, state: StateDir = None, as_json: Json = False
) -> None:
    """Let a disabled holder pass again.

    The running agent knows within two seconds.
    """
    from agent.operations.people.holders import Change

    _change(holder, Change(enabled=True), config, state, as_json=as_json)


@app.command("disable", epilog=examples("holders disable r-1042"))
def disable(
    holder: Id, *, config: Config = None, state: StateDir = None, as_json: Json = False
) -> None:
    """Refuse a holder, but keep the references.

    The running agent knows within two seconds.
    """
    from agent.operations.people.holders import Change

    _change(holder, Change(enabled=False), config, state, as_json=as_json)


@app.command(
    "set",
    epilog=examples(
        "holders set r-1042 --category staff",
        "holders set v-77 --valid-until 2026-12-31",
        "holders set v-77 --valid-until none",
    ),
)
def set_(
    holder: Id,
    *,
    name: Annotated[str | None, typer.Option("--name", metavar="NAME", help="A new name.")] = None,
    category: Annotated[
        str | None,
        typer.Option(
            "--category",
            metavar="CAT",
            help="A new category.",
            autocompletion=completion.categories,
        ),
    ] = None,
    valid_from: Annotated[
        str | None, typer.Option("--valid-from", metavar="WHEN", help="A date, a time, or none.")
    ] = None,
    valid_until: Annotated[
        str | None,
        typer.Option("--valid-until", metavar="WHEN", help="A date with its day, a time, or none."),
    ] = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Change a holder's name, category or validity."""
    from agent.app.open.site import command_site
    from agent.errors import RefusedError
    from agent.operations.moments import parse_bound
    from agent.operations.people.holders import Change

    if name is category is valid_from is valid_until is None:
        raise RefusedError(
            "nothing_to_set",
            "nothing to change\nFix: --name, --category, --valid-from, --valid-until",
        )
    zone = command_site(state_dir(state), given_config_path(config)).zone
    wanted = Change(
        name=name,
        category=category,
        valid_from=(valid_from is not None, parse_bound(valid_from or "none", zone, ends=False)),
        valid_until=(valid_until is not None, parse_bound(valid_until or "none", zone, ends=True)),
    )
    _change(holder, wanted, config, state, as_json=as_json)


@app.command("remove", epilog=examples("holders remove r-1042", "holders remove r-1042 --yes"))
def remove(
    holder: Id,
    *,
    yes: Yes = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Forget a holder and all references.

    Passes about them that were issued before open nothing from now on. Asks first, at a terminal.
    """
    from agent.app.desk.people import remove_holder, to_be_removed
    from agent.app.open.site import command_site

    site = command_site(state_dir(state), given_config_path(config))
    _refuse_to_make_one(site, holder)
    about = to_be_removed(site, holder)
    if about is not None:
        confirm(f"Remove {about}, for good?", yes=yes)
    gone, erased = remove_holder(site, holder, by=user())
    if not erased:
        warn(_ERASED_LATER)
    if as_json:
        emit({"id": gone, "removed": True, "erased": erased})
    else:
        say(f"removed {gone} and all references")


@app.command(
    "export",
    epilog=examples(
        "holders export holders.jsonl",
        "holders export --references holders.jsonl",
        "holders export -",
    ),
)
def export(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="Written whole or not at all; - is stdout.", readable=False
        ),
    ],
    *,
    references: Annotated[
        bool, typer.Option("--references", help="Also references, sealed by this kiosk's key.")
    ] = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Export holders, a JSON object a line.

    References go along only if asked for, sealed: only a kiosk with the same key takes them.
    """
    from agent.app.desk.people import damage_of, export_holders
    from agent.app.open.site import command_site
    from agent.app.open.snapshot import damage_text
    from agent.operations.files import write_lines

    site = command_site(state_dir(state), given_config_path(config))
    lines = export_holders(site, references=references)
    damage = damage_of(site)
    if damage.rows:
        warn(f"not everything goes along: {damage_text(damage.rows)}")
    if str(file) == "-":
        for line in lines:
            say(line)
        return
    with progress(wanted=not as_json) as advance:
        count = write_lines(lines, file, lambda done: advance("holders", done, 0))
    if as_json:
        emit({"file": str(file), "holders": count})
    else:
        say(f"{counted(count, 'holder')} in {plain(file)}")


@app.command("import", epilog=examples("holders import holders.jsonl", "holders import -"))
def import_(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="As exported, or CSV; - stdin.", readable=False),
    ],
    *,
    yes: Yes = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Import holders from a file.

    JSON lines as exported, or a table as CSV with the columns id, name, category and if wanted
    enabled, valid_from, valid_until. Every line is checked first: with one fault in it nothing is
    imported. Who is known is changed to what the file says; nobody is removed. Asks first, at a
    terminal, where it shuts out somebody who passes now.
    """
    from agent.app.desk.people import import_holders
    from agent.app.open.site import command_site
    from agent.operations.files import read_lines, read_stdin

    site = command_site(state_dir(state), given_config_path(config))
    from_stdin = str(file) == "-"
    lines = read_stdin() if from_stdin else read_lines(file)
    with progress(wanted=not as_json) as advance:
        done = import_holders(
            site,
            lines,
            "stdin" if from_stdin else str(file),
            by=user(),
            advance=lambda count, total: advance("holders", count, total),
            confirm=lambda shut_out, total: confirm(
                f"The file of {counted(total, 'holder')} shuts out {shut_out} who may pass now."
                " Import it?",
                yes=yes,
            ),
        )
    if done.made_key is not None:
        warn(f"made {done.made_key}, by which names are sealed; keep a copy in a safe place")
    if as_json:
        emit({"file": str(file), "holders": done.holders, "changed": done.changed})
    else:
        say(f"{counted(done.holders, 'holder')} read, {done.changed} new or changed")


def _change(
    holder: str, wanted: Any, config: Path | None, state: Path | None, *, as_json: bool
) -> None:
    from agent.app.open.files.stores import Key, open_registry
    from agent.app.open.site import command_site, instant
    from agent.operations.people import holders

    site = command_site(state_dir(state), given_config_path(config))
    _refuse_to_make_one(site, holder)
    with open_registry(site, Key.IF_ANY) as registry:
        after, changed = holders.change(registry, holder, wanted, by=user(), now=instant(site))
        counts = registry.reference_counts().get(after.id, {})
    for doubt in holders.doubts(after, wanted, site.categories, instant(site).utc, site.zone):
        warn(doubt)
    if as_json:
        emit({**holders.as_json(after, counts), "changed": changed})
    else:
        say(f"changed {after.id}" if changed else f"{after.id} is so already; nothing to do")


def _refuse_to_make_one(site: "Site", holder: str) -> None:
    """Where there is no registry, nobody is known: a change makes none."""
    from agent.app.open.files.stores import has_registry, read_registry
    from agent.operations.people import holders

    if not has_registry(site):
        with read_registry(site) as registry:
            holders.find(registry, holder)


def _warn_of_unread(found: "Iterable[Holder]") -> None:
    from agent.operations.people.holders import unread_names

    said = unread_names(found)
    if said is not None:
        warn(said)

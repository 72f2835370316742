"""``gate-agent events``: what happened, from the journal of this kiosk."""

import contextlib
import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    warn,
)
from agent.cli.progress import progress
from agent.cli.terminal.sheet import sheet
from agent.cli.terminal.style import NOTHING, Cell, Meaning, is_terminal, plain
from agent.cli.terminal.table import line, table
from agent.lifecycle import ExitCode

if TYPE_CHECKING:
    from agent.app.open.site import Site
    from agent.operations.events import Columns, Filter

_POLL_S = 0.5
_TYPE = len("access.granted")

app = Commands(
    "events list --since 8h",
    "events tail --type access",
    "events export events.jsonl",
    "events verify",
)

Since = Annotated[
    str | None,
    typer.Option("--since", metavar="WHEN", help="A date, a time, or an age: 15m, 8h, 7d."),
]
Types = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        metavar="TYPE",
        help="access.granted, or a family: access. Repeatable.",
        autocompletion=completion.event_types,
    ),
]


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(
        app, rich_help_panel=Task.LOOK_AFTER, name="events", help="What happened, from the journal."
    )


@app.command(
    "list", epilog=examples("events list", "events list --since 8h --type access.denied --json")
)
def list_(
    *,
    since: Since = None,
    types: Types = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="The newest so many.")
    ] = 50,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """List the newest events, oldest first.

    With the holder's name for whoever may read it; JSON and CSV have none.
    """
    from agent.app.desk.people import name_of
    from agent.app.open.files.stores import read_journal
    from agent.operations.events import (
        COLUMNS,
        SHEET,
        UNSURE,
        UNSURE_MEANS,
        as_cells,
        as_columns,
    )
    from agent.operations.events import as_json as cloud_event

    one_form(as_json=as_json, as_csv=as_csv)
    site, wanted = _wanted(state, config, since, types)
    with read_journal(site) as journal:
        found = list(wanted.select(journal, newest=limit))
    if as_json:
        for stored in found:
            emit(cloud_event(stored, site.source))
        return
    if as_csv:
        sheet(SHEET, map(as_cells, found))
        return
    with name_of(site) as named:
        rows = [as_columns(one, site.zone, named) for one in found]

    def narrow() -> None:
        for row in rows:
            _line(row)

    table(
        COLUMNS,
        [_cells(row) for row in rows],
        empty="nothing happened yet; gate-agent run is what makes events",
        narrow=narrow,
    )
    if is_terminal(sys.stdout) and any(row.time.endswith(UNSURE) for row in rows):
        say()
        say(UNSURE_MEANS)


@app.command("tail", epilog=examples("events tail", "events tail --type access --json"))
def tail(
    *,
    types: Types = None,
    lines: Annotated[
        int, typer.Option("--lines", metavar="N", min=0, help="So many from before first.")
    ] = 10,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Follow the events as they come.

    Until Ctrl-C. Works with and without a running agent.
    """
    from agent.app.desk.people import name_of
    from agent.app.desk.watching import rounds
    from agent.app.open.files.stores import has_journal
    from agent.operations.events import as_columns, as_row
    from agent.operations.events import as_json as cloud_event

    site, wanted = _wanted(state, config, None, types)
    unread: str | None = None
    # Ctrl-C is how one stops to follow: no failure.
    with contextlib.suppress(KeyboardInterrupt):
        if not has_journal(site):
            warn(f"there are no events in {site.state} yet; waiting for the first")
        found = rounds(
            site,
            None,
            lambda log: wanted.select(log, newest=lines),
            lambda: time.sleep(_POLL_S),
        )
        for seen, new in found:
            if seen.unread not in (None, unread):
                warn(f"the journal cannot be read just now: {seen.unread}")
            unread = seen.unread
            for stored in new:
                if wanted.types and stored.event.type not in wanted.types:
                    continue
                if as_json:
                    emit(cloud_event(stored, site.source))
                    continue
                # Opened for a moment only: whoever erases a holder waits for its readers.
                with name_of(site) as named:
                    row = as_columns(stored, site.zone, named)
                    told = as_row(stored, site.zone, named)
                if is_terminal(sys.stdout):
                    _line(row)
                else:
                    line(*told)
                sys.stdout.flush()


def _line(row: "Columns") -> None:
    """An event on a line where somebody looks, folded behind its time."""
    compared = None if row.score is None else f"score/limit {row.score}/{row.limit or NOTHING}"
    told = (
        *(Cell(row.time, Meaning.QUIET), Cell(row.sequence, Meaning.QUIET)),
        *(
            Cell(f"{row.type:<{_TYPE}}", _coloured(row.type).meaning),
            row.access_point,
            _strong(row.holder),
            compared,
            row.what,
        ),
    )
    cells = [one if isinstance(one, Cell) else Cell(one) for one in told]
    line(*(one for one in cells if one.value is not None), hang=len(row.time) + 2)


def _cells(row: "Columns") -> Sequence[object]:
    """An event by column."""
    return (
        *(row.time, row.sequence, _coloured(row.type), row.access_point),
        *(_strong(row.holder), row.score, row.limit, row.what),
    )


def _strong(holder: str | None) -> Cell:
    return Cell(holder, Meaning.STRONG)


def _coloured(kind: str) -> Cell:
    """An event's type in the colour of what it means."""
    if kind in ("access.granted", "walktest.granted", "fault.cleared"):
        return Cell(kind, Meaning.GOOD)
    if kind in ("access.denied", "fault.raised", "door.forced", "duress.signalled"):
        return Cell(kind, Meaning.BAD)
    if kind in (
        "access.probing",
        "access.unjudged",
        "credential.locked",
        "cards.guessed",
        "door.held_open",
    ):
        return Cell(kind, Meaning.DOUBT)
    return Cell(kind)


@app.command(
    "export",
    epilog=examples(
        "events export events.jsonl", "events export --since 2026-11-01 --type access - | gzip"
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
    since: Since = None,
    types: Types = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Export events, a CloudEvent a line."""
    from agent.app.open.files.stores import read_journal
    from agent.operations.events import as_json as cloud_event
    from agent.operations.files import write_lines

    site, wanted = _wanted(state, config, since, types)
    with read_journal(site) as journal, progress(wanted=not as_json) as advance:
        found = wanted.select(journal)
        if str(file) == "-":
            for stored in found:
                emit(cloud_event(stored, site.source))
            return
        lines = (json.dumps(cloud_event(stored, site.source)) for stored in found)
        count = write_lines(lines, file, lambda done: advance("events", done, 0))
    if as_json:
        emit({"file": str(file), "events": count})
    else:
        say(f"{counted(count, 'event')} in {plain(file)}")


@app.command(
    "verify",
    epilog=examples(
        "events verify",
        "events verify --key lakeside-north-1.json received.jsonl --json",
        "events verify --key lakeside-north-1.json --any-order received.jsonl",
    ),
)
def verify(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="Events as they were published, one a line [default: this kiosk's journal].",
            readable=False,
        ),
    ] = None,
    *,
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--key",
            metavar="KEY",
            help="A kiosk's public signing key, or a file: key show --json, PEM. Repeatable.",
        ),
    ] = None,
    any_order: Annotated[
        bool,
        typer.Option(
            "--any-order", help="The lines stand as they arrived: a backlog beside newer ones."
        ),
    ] = False,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Find events that were removed, changed or put elsewhere.

    Exit code 1 if there is one.
    """
    from agent.app.desk.verifying import own_key, verify_journal
    from agent.app.open.site import command_site
    from agent.cli.care.verify_text import show
    from agent.operations.verification import Verification, parse_keys, read_lines

    known = parse_keys(keys or [])
    with progress(wanted=not as_json) as advance:
        if files:
            verification = Verification(known, any_order=any_order)
            for path in files:
                read_lines(path, verification, advance)
            # Where a file begins is not for it to say; a gap within is one.
            report = verification.finish(lambda _place, first, _last: first == 1)
        else:
            site = command_site(state_dir(state), given_config_path(config))
            report = verify_journal(site, known or own_key(site), advance)
    if as_json:
        emit(report.as_json())
    else:
        show(report)
    if report.findings:
        raise typer.Exit(ExitCode.FAILED)


def _wanted(
    state: Path | None, config: Path | None, since: str | None, types: list[str] | None
) -> "tuple[Site, Filter]":
    from agent.app.open.site import command_site
    from agent.operations.events import Filter, parse_types
    from agent.operations.moments import parse_since

    site = command_site(state_dir(state), given_config_path(config))
    start = parse_since(since, site.zone, datetime.now(UTC))
    return site, Filter(start, parse_types(types or []))

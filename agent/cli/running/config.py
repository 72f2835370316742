"""``gate-agent config``: check and show the config, its schema, and what its schedules say."""

from pathlib import Path
from typing import Annotated

import typer

from agent.app.open.paths import config_path, state_dir
from agent.cli import completion
from agent.cli.common import (
    Commands,
    Config,
    Csv,
    Json,
    StateDir,
    Task,
    emit,
    examples,
    file_option,
    one_form,
    say,
)
from agent.cli.running import boot, render
from agent.cli.terminal.sheet import sheet
from agent.cli.terminal.style import Cell, Meaning, is_terminal, plain, styled
from agent.cli.terminal.table import line, record, table
from agent.errors import Fault

app = Commands(
    "config check",
    "config show --config gate.toml",
    "config schedule --at 2026-12-24",
)


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(app, rich_help_panel=Task.RUN, name="config", help="The kiosk's config.")


@app.command(
    "check", epilog=examples("config check", "config check --config config/gate.example.toml")
)
def check(*, config: Config = None, state: StateDir = None, as_json: Json = False) -> None:
    """Check the config.

    Every fault at once, with its line and how to mend it, and exit code 78.
    """
    from agent.app.desk.people import face_alone_serves
    from agent.app.open.files.key_place import key_lies
    from agent.app.open.site import site_of
    from agent.app.open.thresholds import ignored_at
    from agent.config import load_config
    from agent.operations.config.describe import faults_of, risks, summary, told
    from agent.operations.packs.choice import installed_pad_packs, pad_troubles

    folder = state_dir(state)
    pad = installed_pad_packs(folder)
    file = load_config(config_path(config), pad)
    about, found = summary(file.config), risks(file, pad)
    about["attack_detection"] = list(pad)
    site = site_of(folder, file.path)
    about["pack_used"], lacking = _pack_used(site.face.pack, folder)
    if lacking is not None:
        found.append((("face", "pack"), *lacking))
    found += [((), one) for one in pad_troubles(folder)]
    if (unused := ignored_at(site)) is not None:
        said, _, fix = unused.partition("\nFix: ")
        found.append((("face", "operating_point"), said, fix))
    about["gallery_key"] = str(key_lies(site))
    if (served := face_alone_serves(site)) is not None:
        most, measured, there_are = served
        fitted = f" by a fit, measured for {measured or 'none'}" if measured < most else ""
        about["face_alone_serves"] = (
            f"{most} references at the promised rate{fitted}; there are {there_are}"
        )
        if there_are > most:
            message = (
                f"the face alone serves {most} references at the promised rate, and there are"
                f" {there_are}: it opens for nobody until a rule asks for a second factor"
                ' (factors = ["pass+face"])'
            )
            found.append(((), message))
    faults = faults_of(file, found)
    if as_json:
        answer = {"ok": True, "file": str(file.path), "summary": about}
        emit(
            answer
            | {"warnings": [*map(told, faults)], "findings": [fault.as_json() for fault in faults]}
        )
        return
    _warn(faults, str(file.path))
    say(f"{styled('OK', Meaning.GOOD)} {plain(file.path)}")
    if about["pack_used"] is not None and lacking is not None:
        # Beside the OK: the warning may have scrolled away, or gone elsewhere.
        about["pack_used"] += ", not installed: the gate does not start"
    record({name.replace("_", " "): value or "none" for name, value in about.items()})


def _warn(faults: list[Fault], source: str) -> None:
    import sys

    from agent.cli.terminal.excerpt import screen_of, shown

    screen = screen_of(sys.stderr)
    for fault in faults:
        after = "" if fault.line is None else "\n"
        typer.echo("\n".join(shown(fault, source, screen, "warning")) + after, err=True)


def _pack_used(name: str, state: Path) -> tuple[str | None, tuple[str, str] | None]:
    """The face pack that the gate would use, None where none was chosen; what lacks, its fix."""
    from agent.config.tables.face import CHOSEN_PACK
    from agent.errors import ModelPackError
    from agent.operations.packs.choice import in_use

    try:
        if in_use(name, state).installed:
            return name, None
    except ModelPackError as error:
        said, _, fix = str(error).partition("\nFix: ")
        return (None if name == CHOSEN_PACK else name), (said, fix)
    fix = f"scripts/setup, or gate-agent models install {name}"
    return name, (f"the model pack {name} is not installed, and the gate does not start", fix)


@app.command("show", epilog=examples("config show", "config show --json"))
def show(*, config: Config = None, as_json: Json = False) -> None:
    """Show the config with its defaults.

    Logins and tokens are masked; passwords and keys are in files of their own.
    """
    import json
    import sys

    from agent.cli.running.config_text import show_config
    from agent.config import load_config
    from agent.config.lines import places_in
    from agent.operations.config.describe import masked

    file = load_config(config_path(config))
    shown = masked(file.config)
    if as_json:
        emit(shown)
    elif is_terminal(sys.stdout):
        show_config(shown, places_in(file.text))
    else:
        # Scripts read it so, from before there was --json.
        say(json.dumps(shown, indent=2))


@app.command(
    "wiring", epilog=examples("config wiring", "config wiring --out wiring.svg --config gate.toml")
)
def wiring(
    *,
    out: Annotated[
        Path | None, file_option("--out", "A drawing as well: an .svg, to print.", panel=None)
    ] = None,
    config: Config = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Show what goes to which pin of the Pi's header, wire by wire.

    What frees a door in an emergency is wired in the lock's own supply, and stands nowhere here.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    from agent.config import load_config
    from agent.operations.config.wiring import wires
    from agent.operations.config.wiring_drawing import write_drawing

    found = load_config(config_path(config)).config
    shown = wires(found)
    if out is not None:
        kiosk = found.kiosk
        write_drawing(f"{kiosk.community}/{kiosk.grid}/{kiosk.id}", shown, out)
    if as_json:
        emit([one.as_json() for one in shown])
        return
    columns = ("part", "terminal", "pin", "to", "note")
    if as_csv:
        sheet(columns, [[getattr(one, name) for name in columns] for one in shown])
        return
    table(
        ("part", "terminal", "pin", "is", "mind"),
        [(one.part, one.terminal, one.pin or "", one.to, one.note) for one in shown],
        empty="the config names no part that is wired",
    )


@app.command("schema", epilog=examples("config schema > gate.schema.json"))
def schema(*, as_json: Json = False) -> None:
    """Print the JSON Schema of the config.

    Editors check and complete gate.toml by it, where its first line is
    "#:schema ./gate.schema.json".
    """
    import json

    from agent.config.json_schema import json_schema

    if as_json:
        emit(json_schema())
    else:
        say(json.dumps(json_schema(), indent=2))


@app.command(
    "schedule",
    epilog=examples(
        "config schedule",
        "config schedule office-hours --days 14",
        "config schedule office-hours --at 2026-12-24T13:00 --json",
    ),
)
def schedule(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="ID",
            help="One of [[schedule]] [default: all].",
            autocompletion=completion.ids_of("schedule"),
        ),
    ] = None,
    *,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="WHEN", help="A date, or a date and time [default: now]."),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option("--days", min=0, max=366, help="So many days [default: 7; with --at none]."),
    ] = None,
    config: Config = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Show when schedules hold.

    Times are the kiosk's; holidays, exceptions and the days of daylight saving are marked.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from agent.app.open.schedules import schedules
    from agent.config import load_config
    from agent.operations.config.schedule import chosen, described, rows, summary
    from agent.operations.moments import parse_at

    found = load_config(config_path(config)).config
    zone = ZoneInfo(found.kiosk.timezone)
    moment = datetime.now(UTC) if at is None else parse_at(at, zone)
    shown = days if days is not None else 7 if at is None else 0
    known = chosen(schedules(found), name)
    first = moment.astimezone(zone).date()
    if as_csv:
        sheet(
            ("schedule", "date", "open", "remarks"),
            [
                (one, *row)
                for one, plan in known.items()
                for row in rows(plan, first, shown, day="%Y-%m-%d")
            ],
        )
        return
    if not known and not as_json:
        line("the config has no [[schedule]]; gate-agent config schema says how one is written")
    for one, plan in known.items():
        if as_json:
            emit(described(one, plan, moment, shown))
            continue
        if one != next(iter(known)):
            say()
        meaning = Meaning.GOOD if plan.holds(moment) else Meaning.DOUBT
        line(Cell(one, Meaning.STRONG), Cell(summary(plan, moment), meaning))
        if shown:
            table(
                ("day", "open", "remarks"),
                [
                    (
                        day,
                        Cell(hours, Meaning.QUIET if hours == "closed" else None),
                        Cell(remarks, Meaning.DOUBT),
                    )
                    for day, hours, remarks in rows(plan, first, shown)
                ],
            )


boot.add_to(app)
render.add_to(app)

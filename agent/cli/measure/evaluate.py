"""``gate-agent evaluate``: how well a model pack recognises people, and a thermometer faces."""

from pathlib import Path
from typing import Annotated, Any

import typer

from agent.app.open.paths import config_path, state_dir
from agent.cli import completion
from agent.cli.common import (
    Commands,
    Config,
    Json,
    PackOption,
    StateDir,
    Task,
    emit,
    examples,
    file_option,
)
from agent.cli.measure.sheets import Sheets, need_folder, write_sheets
from agent.cli.progress import progress
from agent.cli.terminal.table import table

Packs = Annotated[
    list[str] | None,
    typer.Option(
        "--pack",
        metavar="NAME",
        help="A model pack; several stand side by side [default: the chosen one].",
        autocompletion=completion.installed_packs,
    ),
]
Plot = Annotated[
    Path | None,
    file_option("--plot", "Draw the error trade-off and the scores as PNG or SVG."),
]
Curve = Annotated[
    Path | None,
    file_option("--curve", "Write a manifest's curve as TOML."),
]

Bits = Annotated[
    int | None,
    typer.Option(
        "--reference-bits",
        metavar="8|4|1",
        help="Keep one template of a pair in so few bits a component, as a gate pass does.",
    ),
]

app = Commands(
    "evaluate pairs --images faces --csv pairs.csv",
    "evaluate identities faces",
    "evaluate thermal",
)


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(
        app,
        rich_help_panel=Task.MEASURE,
        name="evaluate",
        help="Measure model packs on photographs, or the thermal cue in a simulation.",
    )


@app.command("pairs", epilog=examples("evaluate pairs --images faces --csv pairs.csv --json"))
def pairs(
    *,
    images: Annotated[
        Path,
        file_option("--images", "Where the CSV's files lie.", "DIR"),
    ],
    csv: Annotated[
        Path,
        file_option("--csv", "Columns file_x, file_y, decision (Yes/No)."),
    ],
    pack: Packs = None,
    plot: Plot = None,
    curve: Curve = None,
    reference_bits: Bits = None,
    sheets: Sheets = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Compare listed pairs of photographs.

    Needs neither config nor key.
    """
    from agent.lab.evaluate.open import Reports, evaluate_pairs
    from agent.operations.packs.choice import pack_of

    _check(reference_bits)
    need_folder(sheets)
    reports = Reports(plot, curve)
    with progress(wanted=not as_json) as advance:
        found = evaluate_pairs(
            images,
            csv,
            state_dir(state),
            pack or [pack_of(None, state_dir(state))],
            advance,
            reports,
            reference_bits,
        )
    _answer(found, sheets, as_json=as_json)


@app.command(
    "identities",
    epilog=examples(
        "evaluate identities faces --json",
        "evaluate identities faces --pack retail --pack dlib --plot faces.png",
        "evaluate identities faces --labels people.csv --by sex --sheets tables",
    ),
)
def identities(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="One folder a person.", readable=False)
    ],
    *,
    pack: Packs = None,
    plot: Plot = None,
    curve: Curve = None,
    labels: Annotated[
        Path | None,
        file_option("--labels", "A CSV with a column person (the folder) and others."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="COLUMN", help="Error rates by this column of the labels."),
    ] = None,
    reference_bits: Bits = None,
    sheets: Sheets = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Compare every photograph with every other.

    Needs neither config nor key.
    """
    from agent.lab.evaluate.open import Reports, evaluate_identities
    from agent.operations.packs.choice import pack_of

    _check(reference_bits)
    need_folder(sheets)
    reports = Reports(plot, curve, labels, by)
    with progress(wanted=not as_json) as advance:
        found = evaluate_identities(
            folder,
            state_dir(state),
            pack or [pack_of(None, state_dir(state))],
            advance,
            reports,
            reference_bits,
        )
    _answer(found, sheets, as_json=as_json)


@app.command(
    "operating-point",
    epilog=examples(
        "evaluate operating-point faces --dry-run",
        "evaluate operating-point faces --config gate.toml --json",
    ),
)
def operating_point(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="One folder a person.", readable=False)
    ],
    *,
    fmr: Annotated[
        float | None,
        typer.Option(
            "--fmr",
            min=1e-6,
            max=0.1,
            help="Tell the threshold at this one [default: the promise over as many references].",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be written; write nothing.")
    ] = False,
    pack: PackOption = None,
    sheets: Sheets = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Write the threshold of this site's people.

    Two photographs of each make a reference, as at enrolment. With --dry-run it needs no config.
    """
    need_folder(sheets)
    from datetime import UTC, datetime

    from agent.app.open.site import site_of
    from agent.cli.measure.evaluate_text import show_operating_point
    from agent.lab.evaluate.operating_point import evaluate_operating_point
    from agent.lab.evaluate.sheets import tables_of_operating_point
    from agent.operations.config.operating_point import table_lines, write_operating_point

    file = None if dry_run and config is None else config_path(config)
    site = site_of(state_dir(state), file)
    with progress(wanted=not as_json) as advance:
        found = evaluate_operating_point(
            folder,
            site.state,
            pack or site.face.pack,
            fmr,
            site.face.max_false_grant_rate,
            datetime.now(UTC).astimezone(site.zone).date(),
            advance,
        )
    if file is not None and not dry_run:
        write_operating_point(file, found.table)
    write_sheets(tables_of_operating_point(found.values), sheets)
    written = None if file is None or dry_run else str(file)
    if as_json:
        emit({**found.values, "written": written})
        return
    show_operating_point(found.values, list(table_lines(found.table)), written)


@app.command("thermal", epilog=examples("evaluate thermal", "evaluate thermal --json"))
def thermal(
    *,
    people: Annotated[
        int, typer.Option("--people", min=1, max=100_000, help="So many, and of each attack.")
    ] = 200,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same one, the same people.")] = 1,
    sheets: Sheets = None,
    as_json: Json = False,
) -> None:
    """Simulate faces, screens and prints before a thermometer.

    No measurement: it says what the thermal cue makes of a made-up world.
    """
    need_folder(sheets)
    from agent.lab.evaluate.sheets import tables_of_thermal
    from agent.lab.evaluate.thermal import THRESHOLD, evaluate_thermal, table_rows

    with progress(wanted=not as_json) as advance:
        found = evaluate_thermal(
            people, seed, THRESHOLD, lambda done, total: advance("looking", done, total)
        )
    write_sheets(tables_of_thermal(found), sheets)
    if as_json:
        emit(found)
        return
    typer.echo("a simulation, no measurement: docs/thermometer.md says of what")
    table(("sensor", "day", "BPCER", "APCER", "of", "cannot tell"), table_rows(found))


@app.command("pad", epilog=examples("evaluate pad DIR", "evaluate pad DIR --pack antispoof --json"))
def pad(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR",
            help="bona_fide/ and one further folder a kind of attack.",
            readable=False,
        ),
    ],
    *,
    pack: Annotated[
        list[str] | None,
        typer.Option(
            "--pack",
            metavar="NAME",
            help="One of them; repeated [default: all].",
            autocompletion=completion.installed_packs,
        ),
    ] = None,
    face_pack: Annotated[
        str | None,
        typer.Option(
            "--face-pack",
            metavar="NAME",
            help="What finds the faces [default: yours].",
            autocompletion=completion.installed_packs,
        ),
    ] = None,
    sheets: Sheets = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Measure attack detection on photographs.

    All installed packs are fused as at the gate. Needs neither config nor key.
    """
    need_folder(sheets)
    from agent.cli.measure.evaluate_text import show_pad
    from agent.lab.evaluate.open_pad import evaluate_folder
    from agent.lab.evaluate.sheets import tables_of_pad

    with progress(wanted=not as_json) as advance:
        found = evaluate_folder(folder, state_dir(state), pack or (), advance, face_pack)
    write_sheets(tables_of_pad(found), sheets)
    if as_json:
        emit(found)
        return
    show_pad(found)


@app.command("playback", epilog=examples("evaluate playback", "evaluate playback portraits --json"))
def playback(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DIR", help="Portraits [default: the demo's two].", readable=False),
    ] = None,
    *,
    rounds: Annotated[
        int, typer.Option("--rounds", min=1, max=1000, help="So often each portrait in each way.")
    ] = 5,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same one, the same frames.")] = 1,
    face_pack: Annotated[
        str | None,
        typer.Option(
            "--face-pack",
            metavar="NAME",
            help="What finds the faces [default: yours].",
            autocompletion=completion.installed_packs,
        ),
    ] = None,
    sheets: Sheets = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Simulate faces that screens and prints play back.

    No measurement: it says what the models and cues make of made-up frames. Needs neither config
    nor key.
    """
    need_folder(sheets)
    from agent.lab.evaluate.open_playback import evaluate_played_back
    from agent.lab.evaluate.playback import columns, table_rows
    from agent.lab.evaluate.sheets import tables_of_playback

    with progress(wanted=not as_json) as advance:
        found = evaluate_played_back(folder, state_dir(state), rounds, seed, advance, face_pack)
    write_sheets(tables_of_playback(found), sheets)
    if as_json:
        emit(found)
        return
    typer.echo("a simulation, no measurement: docs/attack-detection.md says of what")
    table(columns(found), table_rows(found))


def _check(reference_bits: int | None) -> None:
    if reference_bits not in (None, 8, 4, 1):
        raise typer.BadParameter("8, 4 or 1", param_hint="--reference-bits")


def _answer(found: dict[str, Any], sheets: Path | None, *, as_json: bool) -> None:
    from agent.lab.evaluate.sheets import tables_of_faces

    write_sheets(tables_of_faces(found), sheets)
    if as_json:
        emit(found)
        return
    from agent.cli.measure.evaluate_text import show

    show(found)

"""``gate-agent bench``: what each stage costs on this machine."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agent.app.open.paths import state_dir
from agent.cli.common import (
    Csv,
    Json,
    PackWithoutConfig,
    StateDir,
    Task,
    emit,
    examples,
    file_option,
    one_form,
    say,
)
from agent.cli.progress import progress
from agent.cli.terminal.table import table


class BenchSubject(StrEnum):
    """What else can be timed."""

    SYMBOLS = "symbols"
    JOURNAL = "journal"


class Peer(StrEnum):
    """Whom to compare with."""

    FACE_RECOGNITION = "face_recognition"
    OPENCV = "opencv"
    INSIGHTFACE = "insightface"
    DEEPFACE = "deepface"


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "bench",
        rich_help_panel=Task.MEASURE,
        epilog=examples(
            "bench",
            "bench --peer face_recognition --json",
            "bench --pack retail --peer opencv --peer face_recognition --images faces",
            "bench symbols",
            "bench journal --large",
        ),
    )(bench)


def bench(
    subject: Annotated[
        BenchSubject | None,
        typer.Argument(
            metavar="symbols|journal", help="The reading of codes, or the journal, not the gate."
        ),
    ] = None,
    *,
    peer: Annotated[
        list[Peer] | None,
        typer.Option("--peer", help="Also this library, on the same image; repeated for several."),
    ] = None,
    images: Annotated[
        Path | None,
        file_option("--images", "Accuracy too, on these photographs: one folder a person.", "DIR"),
    ] = None,
    large: Annotated[
        bool,
        typer.Option(
            "--large",
            help="Also a gate with 100,000 references; a journal with 1,000,000 events.",
        ),
    ] = False,
    pack: PackWithoutConfig = None,
    state: StateDir = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Time every stage from frame to relay.

    On this machine and one thread, each stage beside its bare library or model. With symbols: how
    many degraded codes are read, and what a stream without any costs, beside each library alone.
    With journal: what an event costs, and how fast those that waited go to a broker.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    if subject is not None:
        if as_csv:
            raise typer.BadParameter(f"{subject.value} has none", param_hint="--csv")
        if subject is BenchSubject.SYMBOLS:
            _bench_symbols(as_json=as_json)
        else:
            _bench_journal(large=large, as_json=as_json)
        return
    from agent.cli.measure.bench_text import sheet, show
    from agent.lab.bench.frame import run_bench
    from agent.operations.packs.choice import pack_of

    with progress(wanted=not as_json) as advance:
        found = run_bench(
            state_dir(state),
            pack_of(pack, state_dir(state)),
            peers=[one.value for one in peer or ()],
            images=images,
            large=large,
            progress=advance,
        )
    if as_json:
        emit(found)
        return
    if as_csv:
        sheet(found)
        return
    show(found)


def _bench_symbols(*, as_json: bool) -> None:
    from agent.lab.bench.symbols import bench_symbols

    with progress(wanted=not as_json) as advance:
        found = bench_symbols(50, 300, advance)
    if as_json:
        emit(found)
        return
    ways = ("ours", "zxing", "zbar", "union")
    rows = {**found["scenes"], "total": found["total"]}
    table(
        ("scenes", *(f"{way} {unit}" for way in ways for unit in ("read", "ms"))),
        [
            (name, *(row[way][key] for way in ways for key in ("rate", "ms")))
            for name, row in rows.items()
        ],
    )
    ratio = found["live_to_zxing"]
    say(f"a frame without a symbol: {found['live_ms']} ms, {ratio} times zxing-cpp at its defaults")
    say(f"read where there is nothing: {found['false_positives']}")
    wall = found["wall"]
    say(f"{wall['codes']} forged codes in a frame: {wall['decode_to_one']} times one code to read")
    film, standing = wall["film_to_decode"], wall["standing_to_decode"]
    say(f"and beside that {film} times as long to judge, {standing} once they hang there")


def _bench_journal(*, large: bool, as_json: bool) -> None:
    from agent.lab.bench.journal import MANY_WAITING, WAITING, bench_journal

    with progress(wanted=not as_json) as advance:
        found = bench_journal(MANY_WAITING if large else WAITING, advance)
    if as_json:
        emit(found)
        return
    append, start, written = found["append"], found["start"], found["written"]
    say(f"an event is written down in {append['p50_us']} us (p99 {append['p99_us']} us)")
    say(f"the start with {start['waiting']:.0f} waiting: {start['all_s']} s")
    say(
        f"written to the disk an event: {written['single']['bytes_per_event']} bytes for one alone,"
        f" {written['burst']['bytes_per_event']} in a burst"
    )
    table(
        ("drain", "events a second", "paho alone", "ratio", "at least"),
        [
            (kind, row["per_s"], row["bare_per_s"], row["ratio"], row["limit"])
            for kind, row in found["drain"].items()
        ],
    )

"""``gate-agent fleet``: many kiosks against one broker and the reference backend."""

from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.common import Json, Task, emit, examples, say
from agent.cli.progress import progress
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import record, table

if TYPE_CHECKING:
    from agent.lab.fleet.report import Recovery, Report


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "fleet",
        rich_help_panel=Task.MEASURE,
        epilog=examples("fleet 100", "fleet 1000 --json", "fleet 200 --seconds 20 --per-s 5"),
    )(fleet)


def fleet(
    kiosks: Annotated[int, typer.Argument(min=1, max=20_000, metavar="N", help="How many.")],
    *,
    seconds: Annotated[
        float, typer.Option("--seconds", min=1.0, max=86_400.0, help="How long the steady part is.")
    ] = 60.0,
    per_s: Annotated[
        float, typer.Option("--per-s", min=0.01, max=100.0, help="Events a second of each kiosk.")
    ] = 1.0,
    instances: Annotated[
        int, typer.Option("--instances", min=1, max=16, help="Of the backend, sharing the load.")
    ] = 2,
    seed: Annotated[int, typer.Option("--seed", min=0, help="One seed makes one fleet.")] = 0,
    as_json: Json = False,
) -> None:
    """Let N kiosks speak to one broker and the reference backend, and break both.

    The agent's own outbox and MQTT client for each kiosk, in one process; a Mosquitto, a PostgreSQL
    and the backend of their own on free ports. They speak for a while, then the broker restarts,
    then an instance of the backend is killed; in the end PostgreSQL is asked what it has. Exit code
    1 if an event is missing, double or doubtful. Needs neither config nor key.
    """
    from agent.lab.fleet.fleet import Plan, run_fleet

    plan = Plan(kiosks, seconds, per_s, instances, seed)
    with progress(wanted=not as_json) as advance:
        found = run_fleet(plan, lambda phase, done, whole: advance(phase, int(done), int(whole)))
    if as_json:
        emit(found.as_json())
    else:
        show(found)
    raise typer.Exit(0 if found.whole else 1)


def show(found: "Report") -> None:
    """What a fleet's day came to."""
    counted = found.counted
    missing = Cell(counted.missing, Meaning.BAD if counted.missing else Meaning.GOOD)
    record(
        {
            "kiosks": found.kiosks,
            "events": found.said,
            "events a second": _rate(found),
            "in PostgreSQL": counted.stored,
            "missing": missing,
            "double": counted.doubles,
            "doubtful": counted.flaws,
            "bytes an event": counted.bytes_per_event,
            "until all were connected": _seconds(found.connect_s),
            "a change with every kiosk": _seconds(found.registry_s),
            "broker away": _recovered(found.broker_restart),
            "backend killed": _recovered(found.backend_kill),
            "until all was stored": _seconds(found.settle_s),
            "processor an event": ", ".join(
                f"{name} {one:.2f} ms" for name, one in found.cpu_ms_per_event.items()
            ),
            "this process": f"{found.cpu_share:.0%} of a core, {found.rss_mb:.0f} MB",
        }
    )
    say()
    rows = {"acknowledged": found.acknowledged_ms, "stored": found.end_to_end_ms}
    table(
        ("after the event, ms", "half", "95 %", "99 %", "at most"),
        [(name, *(spread.get(one) for one in _SHARES)) for name, spread in rows.items()],
    )


_SHARES = ("p50", "p95", "p99", "max")


def _rate(found: "Report") -> Cell:
    if found.rate_held:
        return Cell(found.events_per_s)
    return Cell(
        f"{found.events_per_s} of {found.asked_per_s}: this machine could not hold the rate",
        Meaning.DOUBT,
    )


def _recovered(one: "Recovery") -> str:
    return f"for {one.away_s:.0f} s; all as before after {_seconds(one.caught_up_s)}"


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f} s"

"""``gate-agent simulate``: a whole day at a gate in seconds, and what of it should never happen."""

import sys
from typing import Annotated, Any

import typer

from agent.cli.common import Csv, Json, Task, emit, examples, one_form, say
from agent.cli.progress import progress
from agent.cli.terminal.sheet import sheet
from agent.cli.terminal.table import record, table

_ARRIVALS_AN_HOUR, _FAULTS_AN_HOUR, _RESTARTS_AN_HOUR = 5000 / 24, 10.0, 1000 / 24
_PROBES_AN_HOUR = 1000 / 24
_BAR = 40
_SHOWN_INPUTS = 5


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "simulate",
        rich_help_panel=Task.MEASURE,
        epilog=examples(
            "simulate", "simulate --hours 1 --arrivals 300 --seed 7", "simulate --hours 2 --json"
        ),
    )(simulate)


def simulate(
    *,
    hours: Annotated[
        float,
        typer.Option("--hours", min=0.1, max=720.0, help="How long, from seven in the morning."),
    ] = 24.0,
    arrivals: Annotated[
        int | None,
        typer.Option(
            "--arrivals", min=1, max=1_000_000, help="How many people come [default: 208 an hour]."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="One seed makes one day.")] = 1,
    faults: Annotated[
        int | None,
        typer.Option("--faults", min=0, max=100_000, help="How many faults [default: 10 an hour]."),
    ] = None,
    restarts: Annotated[
        int | None,
        typer.Option(
            "--restarts",
            min=0,
            max=100_000,
            help="How many crashes and stops [default: 42 an hour].",
        ),
    ] = None,
    probes: Annotated[
        int | None,
        typer.Option(
            "--probes", min=0, max=1_000_000, help="How many people probe [default: 42 an hour]."
        ),
    ] = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Let a day pass at a simulated gate.

    The agent's own controller, doors and journal under a virtual clock, with people, faults and
    crashes by a seed; a checker looks at pins and published events only. Needs neither config nor
    key. Exit code 1 if anything happened that never may.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    from agent.lab.simulate.world import Wish, run_simulation

    wish = Wish(
        hours,
        arrivals=_scaled(arrivals, _ARRIVALS_AN_HOUR, hours),
        seed=seed,
        faults=_scaled(faults, _FAULTS_AN_HOUR, hours),
        restarts=_scaled(restarts, _RESTARTS_AN_HOUR, hours),
        probes=_scaled(probes, _PROBES_AN_HOUR, hours),
    )
    with progress(wanted=not as_json) as advance:
        found = run_simulation(wish, advance)
    if as_json:
        emit(found)
    elif as_csv:
        sheet(("hour", "arrivals"), enumerate(found["arrivals_by_hour"]))
    else:
        show(found)
    raise typer.Exit(1 if found["violations"] else 0)


def _scaled(given: int | None, an_hour: float, hours: float) -> int:
    return max(round(an_hour * hours), 1) if given is None else given


def show(found: dict[str, Any]) -> None:
    """What a simulated day came to."""
    keys = ("arrivals", "granted", "denied", "openings", "events", "faults", "restarts")
    signs = {"people without a sign": found["people_without_a_sign"]}
    times = {
        "simulated": f"{found['simulated_s'] / 3600:.2f} h in {found['wall_s']:.1f} s",
        "seed": found["seed"],
    }
    record({**{key: found[key] for key in keys}, **_probing(found), **signs, **times})
    say()
    table(
        ("what came of the arrivals", "people"),
        [
            *((_OUTCOMES[name], count) for name, count in found["arrivals_by_outcome"].items()),
            ("all who came", found["arrivals"]),
        ],
    )
    say()
    _plot(found["arrivals_by_hour"])
    if found["faults_by_kind"]:
        say()
        table(("fault", "times"), found["faults_by_kind"].items())
    say()
    if not found["violations"]:
        say("no violation: nothing happened that never may")
    for one in found["violations"]:
        more = {key: value for key, value in one.items() if key not in _ALWAYS}
        say(f"{one['time']:.3f} s  {one['invariant']}  {_words(more)}")
        for led in one["inputs"][-_SHOWN_INPUTS:]:
            rest = {key: value for key, value in led.items() if key not in ("time", "what")}
            say(f"    {led['time']:.3f} s  {led['what']}  {_words(rest)}".rstrip())


def _probing(found: dict[str, Any]) -> dict[str, str]:
    """Who probed, and what strangers' faces were let to risk; nothing where nobody did."""
    if not found["probes"]:
        return {}
    risk = found["false_grants"]
    kinds = ", ".join(f"{kind} {count}" for kind, count in found["probes"].items())
    return {"probes": kinds, "false grants": f"{risk['seen']} seen, {risk['expected']} expected"}


_OUTCOMES = {
    "granted": "granted",
    "denied": "denied",
    "way_stood_free": "went while the way stood free",
    "left_unjudged": "left before they were judged",
    "still_there": "stood there at the end",
}
_ALWAYS = ("time", "invariant", "inputs")


def _words(values: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in values.items())


def _plot(by_hour: list[int]) -> None:
    """Arrivals an hour as bars."""
    most = max(by_hour, default=0) or 1
    block = "\u2587" if (sys.stdout.encoding or "").lower().startswith("utf") else "#"
    for hour, count in enumerate(by_hour):
        if count:
            say(f"{hour:02d}:00 {count:>5}  {block * max(round(_BAR * count / most), 1)}")

"""``gate-agent gallery check``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import (
    Commands,
    Config,
    Csv,
    Json,
    PackOption,
    StateDir,
    Task,
    counted,
    emit,
    examples,
    file_option,
    one_form,
    say,
    warn,
)
from agent.cli.people.holders_text import NOBODY
from agent.cli.terminal.sheet import sheet_of
from agent.cli.terminal.style import Cell, Meaning
from agent.cli.terminal.table import console, heading, record, table

app = Commands(
    "gallery check",
)


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(
        app, rich_help_panel=Task.PEOPLE, name="gallery", help="The enrolled faces as a whole."
    )


@app.callback()
def gallery() -> None:
    """Keep the group a group, though it has one command."""


@app.command(
    "check",
    epilog=examples(
        "gallery check", "gallery check --csv > close.csv", "gallery check --plot scores.svg"
    ),
)
def check(
    *,
    plot: Annotated[
        Path | None,
        file_option("--plot", "Draw it as well: FILE.png or FILE.svg."),
    ] = None,
    pack: PackOption = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Compare the gallery with itself.

    Who could pass for whom, how often a stranger is to be expected to pass, what decides the
    threshold and why, and how many holders face alone can serve.
    """
    one_form(as_json=as_json, as_csv=as_csv)
    from agent.operations.pictures import SUFFIXES, is_picture, need_matplotlib

    if plot is not None:
        if not is_picture(plot):
            raise typer.BadParameter(f"{plot.name}: a picture ends in {' or '.join(SUFFIXES)}")
        need_matplotlib()
    from agent.app.desk.people import check_gallery, with_pack
    from agent.app.open.site import command_site

    site = with_pack(command_site(state_dir(state), given_config_path(config)), pack)
    found = check_gallery(site)
    if plot is not None:
        from agent.operations.people.gallery_picture import draw

        draw(found, plot)
    if as_json:
        emit(found)
        return
    if as_csv:
        sheet_of(("one", "other", "score"), found["close_pairs"])
    else:
        _show(found)
    if found["extrapolated"]:
        warn("the threshold lies beyond what was measured: it follows a fitted tail")
    if not found["sufficient"]:
        warn("face alone opens for nobody: a rule must ask for a second factor (pass+face)")


def _show(found: dict[str, Any]) -> None:
    """The figures, the scores drawn, what growing would bring, and who is too close to whom."""
    from agent.operations.decisions import score_and_limit
    from agent.operations.people.gallery_plot import plot_lines

    rate = found["false_grant_rate"]
    bound = (
        ""
        if rate["upper_bound"] is None
        else f"; {rate['upper_bound']:.2g} at most ({rate['confidence']:.0%} confidence)"
    )
    close = counted(found["ambiguous_holders"], "holder")
    record(
        {
            "pack": Cell(found["pack"], Meaning.STRONG),
            "holders": found["holders"] or NOBODY,
            "references": found["references"],
            "threshold": f"{found['threshold']} (FMR {found['fmr']:.2g})",
            "face alone": _enough(found, ": too many holders"),
            "stranger passes": f"{rate['expected']:.2g} of attempts{bound}",
            "a day": _per_day(found["false_grants_per_day"]),
            "too close": Cell(close, Meaning.DOUBT) if found["ambiguous_holders"] else close,
            **_decision(found),
        }
    )
    for line in plot_lines(found, console().width):
        say(line)
    say()
    table(
        ("holders", "a stranger passes", "by a threshold that follows", "face alone"),
        [
            (
                grown["holders"],
                f"{grown['false_grant_rate_at_this_threshold']:.2g}",
                f"{grown['false_grant_rate']:.2g} at {grown['threshold']}",
                _enough(grown),
            )
            for grown in found["growth"]
        ],
    )
    if pairs := found["close_pairs"]:
        say()
        heading("For these the gate does not open by face alone")
        table(
            ("holder", "other holder", "score/limit"),
            [
                (
                    pair["one"],
                    pair["other"],
                    score_and_limit({**pair, "threshold": found["threshold"]}),
                )
                for pair in pairs
            ],
        )


def _enough(found: dict[str, Any], why: str = "") -> Cell:
    if found["sufficient"]:
        return Cell("is enough", Meaning.GOOD)
    return Cell(f"is not enough{why}", Meaning.BAD)


def _decision(found: dict[str, Any]) -> dict[str, object]:
    """Who decides the threshold, what the fit is worth, and how many can be served by it."""
    decision, serves = found["decision"], found["face_alone_serves"]
    shown: dict[str, object] = {"decided by": f"{decision['decided_by']}: {decision['why']}"}
    people = decision["people"]
    if people is not None:
        left_out = people["look_alike_pairs_left_out"]
        shown["fit"] = (
            f"{people['fit']['verdict']}: mean {people['fit']['mean']}, deviation"
            f" {people['fit']['std']}, {people['pairs']} pairs of {people['people']} people"
            + (f", {left_out} look-alike pairs left out" if left_out else "")
        )
    most = f"{serves['holders']:,} holders at {serves['at_false_grant_rate']}"
    if serves["extrapolated"]:
        measured = f"{serves['measured_holders']:,}" if serves["measured_holders"] else "none"
        most += f" by a fit; measured for {measured}"
    shown["face alone serves"] = most
    return shown


def _per_day(budget: dict[str, float | None]) -> str:
    bound = f"{budget['max']:.2g} false grants expected at most"
    full, strictest = budget["attempts_at_threshold"], budget["attempts_at_strictest"]
    if full is None or strictest is None:
        return bound
    rising = f"{_about(strictest)} as the threshold rises"
    return f"{bound}: {_about(full)} attempts without a grant, {rising}"


def _about(attempts: float) -> str:
    """Three digits of it, written out."""
    return f"{float(f'{attempts:.3g}'):,g}" if attempts < 1e6 else f"{attempts:.3g}"

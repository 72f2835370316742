"""``gate-agent gallery check``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from agent.app.open.paths import given_config_path, state_dir
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
    say,
    warn,
)
from agent.cli.terminal.table import record, table

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
    epilog=examples("gallery check", "gallery check --json", "gallery check --plot scores.svg"),
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
) -> None:
    """Compare the gallery with itself.

    Who could pass for whom, how often a stranger is to be expected to pass, what decides the
    threshold and why, and how many holders face alone can serve.
    """
    from agent.operations.people.gallery_plot import plot_lines
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
    rate = found["false_grant_rate"]
    bound = (
        ""
        if rate["upper_bound"] is None
        else f"; {rate['upper_bound']:.2g} at most ({rate['confidence']:.0%} confidence)"
    )
    record(
        {
            **{name: found[name] for name in ("pack", "holders", "references")},
            "threshold": f"{found['threshold']} (FMR {found['fmr']:.2g})",
            "face alone": "is enough" if found["sufficient"] else "is not enough: too many holders",
            "stranger passes": f"{rate['expected']:.2g} of attempts{bound}",
            "a day": _per_day(found["false_grants_per_day"]),
            "too close": f"{found['ambiguous_holders']} holders",
            **_decision(found),
        }
    )
    for line in plot_lines(found):
        say(line)
    say()
    table(
        ("holders", "a stranger passes", "by a threshold that follows", "face alone"),
        [
            (
                grown["holders"],
                f"{grown['false_grant_rate_at_this_threshold']:.2g}",
                f"{grown['false_grant_rate']:.2g} at {grown['threshold']}",
                "is enough" if grown["sufficient"] else "is not enough",
            )
            for grown in found["growth"]
        ],
    )
    if found["extrapolated"]:
        warn("the threshold lies beyond what was measured: it follows a fitted tail")
    if not found["sufficient"]:
        warn("face alone opens for nobody: a rule must ask for a second factor (pass+face)")
    if pairs := found["close_pairs"]:
        say()
        say("For these the gate does not open by face alone:")
        table(
            ("holder", "other holder", "score"),
            [(pair["one"], pair["other"], f"{pair['score']:.3f}") for pair in pairs],
        )


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
    shown["face alone serves"] = f"{serves['holders']} holders at {serves['at_false_grant_rate']}"
    return shown


def _per_day(budget: dict[str, float | None]) -> str:
    bound = f"{budget['max']:.2g} false grants expected at most"
    full, strictest = budget["attempts_at_threshold"], budget["attempts_at_strictest"]
    if full is None or strictest is None:
        return bound
    return f"{bound}: {full:.3g} attempts without a grant, {strictest:.3g} as the threshold rises"

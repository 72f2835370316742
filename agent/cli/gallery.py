"""``gate-agent gallery check``."""

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import (
    Config,
    Json,
    PackOption,
    StateDir,
    emit,
    examples,
    fields,
    say,
    table,
    warn,
)

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(app, name="gallery", help="The enrolled faces as a whole.")


@app.callback()
def gallery() -> None:
    """Keep the group a group, though it has one command."""


@app.command("check", epilog=examples("gallery check", "gallery check --json"))
def check(
    *,
    pack: PackOption = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Compare the gallery with itself.

    Who could pass for whom, and how often a stranger is to be expected to pass.
    """
    from agent.app.desk.people import check_gallery, with_pack
    from agent.app.open.site import command_site

    site = with_pack(command_site(state_dir(state), given_config_path(config)), pack)
    found = check_gallery(site)
    if as_json:
        emit(found)
        return
    rate = found["false_grant_rate"]
    bound = (
        ""
        if rate["upper_bound"] is None
        else f"; {rate['upper_bound']:.2g} at most ({rate['confidence']:.0%} confidence)"
    )
    fields(
        {
            **{name: found[name] for name in ("pack", "holders", "references")},
            "threshold": f"{found['threshold']} (FMR {found['fmr']:.2g})",
            "face alone": "is enough" if found["sufficient"] else "is not enough: too many holders",
            "stranger passes": f"{rate['expected']:.2g} of attempts{bound}",
            "a day": _per_day(found["false_grants_per_day"]),
            "too close": f"{found['ambiguous_holders']} holders",
        }
    )
    if found["extrapolated"]:
        warn("the threshold lies beyond what was measured for this pack")
    if pairs := found["close_pairs"]:
        say("For these the gate does not open by face alone:")
        table(
            ("holder", "other holder", "score"),
            [(pair["one"], pair["other"], f"{pair['score']:.3f}") for pair in pairs],
        )


def _per_day(budget: dict[str, float | None]) -> str:
    bound = f"{budget['max']:.2g} false grants expected at most"
    full, strictest = budget["attempts_at_threshold"], budget["attempts_at_strictest"]
    if full is None or strictest is None:
        return bound
    return f"{bound}: {full:.3g} attempts without a grant, {strictest:.3g} as the threshold rises"

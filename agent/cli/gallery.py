"""``gate-agent gallery check``."""

import typer

from agent.app.paths import given_config_path, state_dir
from agent.cli.common import Config, Json, PackOption, StateDir, emit, examples, fields, say, table
from agent.cli.progress import progress

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
    from agent.app.identification import check_gallery

    with progress(wanted=not as_json) as advance:
        advance("comparing", 0, 0)
        found = check_gallery(state_dir(state), given_config_path(config), pack)
    if as_json:
        emit(found)
        return
    pairs = found.get("close_pairs", [])
    fields({k: v for k, v in found.items() if not isinstance(v, list | dict)})
    if pairs:
        say()
        table(
            ("holder", "other holder", "score"),
            [(pair["one"], pair["other"], f"{pair['score']:.3f}") for pair in pairs],
        )

"""``gate-agent config``: check and show the config."""

import typer

from agent.app.paths import config_path
from agent.cli.common import Config, Json, emit, examples, fields, say, warn

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(app, name="config", help="The kiosk's config.")


@app.command(
    "check", epilog=examples("config check", "config check --config config/gate.example.toml")
)
def check(*, config: Config = None, as_json: Json = False) -> None:
    """Check the config.

    Every fault at once, with file, line and key, and exit code 78.
    """
    from agent.config import load_config
    from agent.operations.describe_config import summary, warnings

    file = load_config(config_path(config))
    about, risks = summary(file.config), warnings(file)
    if as_json:
        emit({"ok": True, "file": str(file.path), "summary": about, "warnings": risks})
        return
    for risk in risks:
        warn(risk)
    say(f"OK {file.path}")
    fields(
        {
            name: ", ".join(value) if isinstance(value, list) else value
            for name, value in about.items()
        }
    )


@app.command("show", epilog=examples("config show", "config show --json"))
def show(*, config: Config = None, as_json: Json = False) -> None:
    """Show the config with its defaults.

    Logins and tokens are masked; passwords and keys are in files of their own.
    """
    import json

    from agent.config import load_config
    from agent.operations.describe_config import masked

    shown = masked(load_config(config_path(config)).config)
    if as_json:
        emit(shown)
    else:
        say(json.dumps(shown, indent=2))

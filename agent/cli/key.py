"""``gate-agent key``: the key that seals the references."""

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import Config, Json, StateDir, emit, examples, say

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(app, name="key", help="The key that seals the references.")


@app.command("init", epilog=examples("key init", "key init --config gate.toml"))
def init(*, config: Config = None, state: StateDir = None, as_json: Json = False) -> None:
    """Make the key.

    Its file has mode 0600. An existing key is never replaced: what it sealed would be lost.
    """
    from agent.app.open.keys import make_key
    from agent.app.open.site import command_site

    site = command_site(state_dir(state), given_config_path(config))
    key_id, path = make_key(site), site.key_file
    if as_json:
        emit({"key_id": key_id, "file": str(path)})
    else:
        say(f"made {path} (key id {key_id})")
        say("Keep a copy in a safe place: without it every holder must be enrolled again.")


@app.command("show-id", epilog=examples("key show-id"))
def show_id(*, config: Config = None, state: StateDir = None, as_json: Json = False) -> None:
    """Show the key's id, never the key.

    By it two kiosks see whether they share a key.
    """
    from agent.app.open.keys import key_id_of
    from agent.app.open.site import command_site

    key_id = key_id_of(command_site(state_dir(state), given_config_path(config)))
    if as_json:
        emit({"key_id": key_id})
    else:
        say(key_id)

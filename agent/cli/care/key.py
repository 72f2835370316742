"""``gate-agent key``: the key that seals references and names, and the kiosk's own two."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import (
    Commands,
    Config,
    Json,
    StateDir,
    Task,
    counted,
    emit,
    examples,
    file_option,
    say,
    user,
    warn,
)
from agent.cli.progress import progress
from agent.cli.terminal.ask import Yes, confirm
from agent.cli.terminal.table import line

app = Commands(
    "key init",
    "key show",
)


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(
        app,
        rich_help_panel=Task.LOOK_AFTER,
        name="key",
        help="The keys: of references and names, and the kiosk's own.",
    )


@app.command("init", epilog=examples("key init", "key init --config gate.toml"))
def init(*, config: Config = None, state: StateDir = None, as_json: Json = False) -> None:
    """Make whichever key is missing.

    That is the key of references and names, and the two of the kiosk: one signs what it says, one
    opens what is sealed for it. Their files have mode 0600. An existing key is never replaced: what
    it sealed would be lost.
    """
    from agent.app.open.files.keys import make_missing
    from agent.app.open.site import command_site

    site = command_site(state_dir(state), given_config_path(config))
    key_id, made = make_missing(site)
    if as_json:
        emit({"key_id": key_id, "file": str(site.key_file), "made": [str(one) for one in made]})
        return
    for path in made:
        line(f"made {path}" + (f" (key id {key_id})" if path == site.key_file else ""))
    if site.key_file in made:
        line("Keep a copy in a safe place: without it every holder must be enrolled again.")
    line("The backend wants the public halves of the kiosk's own: gate-agent key show --json")


@app.command(
    "show",
    epilog=examples("key show", "key show --json > north-1.json", "key show --label north-1.svg"),
)
def show(
    *,
    label: Annotated[
        Path | None,
        file_option("--label", "Write them as a QR code too: a file named .png or .svg."),
    ] = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Show the public halves of the kiosk's own keys.

    A backend pins them, so that nobody else can speak for this kiosk. Give the config: it says
    which kiosk this is.
    """
    from agent.app.open.files.kiosk_keys import public_keys
    from agent.app.open.site import command_site
    from agent.operations.pictures import save_code

    keys = public_keys(command_site(state_dir(state), given_config_path(config)))
    if label is not None:
        save_code(json.dumps(keys, separators=(",", ":")), label)
    if as_json:
        emit(keys)
        return
    shown = [f"{one}: {keys[one]['public']} (key id {keys[one]['key_id']})" for one in _OWN]
    for text in (f"kiosk: {keys['kiosk']}", *shown):
        line(text)


_OWN = ("signing", "sealing")


@app.command("show-id", epilog=examples("key show-id"))
def show_id(*, config: Config = None, state: StateDir = None, as_json: Json = False) -> None:
    """Show the key's id, never the key.

    By it two kiosks see whether they share a key.
    """
    from agent.app.open.files.keys import key_id_of
    from agent.app.open.site import command_site

    key_id = key_id_of(command_site(state_dir(state), given_config_path(config)))
    if as_json:
        emit({"key_id": key_id})
    else:
        say(key_id)


@app.command(
    "rotate",
    epilog=examples("key rotate", "key rotate --key-file /etc/gate-agent/gallery.key"),
)
def rotate(
    *,
    yes: Yes = False,
    key_file: Annotated[
        Path | None,
        file_option("--key-file", "The key's file, where systemd hands the agent a copy of it."),
    ] = None,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Change the key.

    Everything sealed is sealed anew, then the old key is destroyed. Ended half-way, by whatever,
    repeat it: it goes on. The running agent decides on all the while. Asks first, at a terminal.
    """
    from agent.app.desk import rotation
    from agent.app.open.site import command_site

    site = command_site(state_dir(state), given_config_path(config))
    if key_file is not None:
        site = replace(site, key_file=key_file)
    confirm(
        f"Change the key {site.key_file}, and destroy the old one?",
        yes=yes,
    )
    with progress(wanted=not as_json) as advance:
        made = rotation.rotate(site, lambda done, total: advance("values", done, total), by=user())
    if made.unreadable:
        warn(
            f"{counted(made.unreadable, 'value')} opened by neither key and stayed as before:"
            " enrol those holders again"
        )
    if key_file is not None:
        warn("the running agent has a copy of the old key: sudo systemctl restart gate-agent")
    if as_json:
        emit(made.as_json())
        return
    line(f"{made.file} holds a new key (key id {made.key_id})")
    line(f"{counted(made.resealed, 'value')} sealed anew; the old key is destroyed")
    line("Keep a copy of the new one in a safe place, and destroy the copies of the old one.")

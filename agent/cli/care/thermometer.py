"""``gate-agent thermometer``: look through the IR thermometer, and set what it keeps itself."""

from typing import Annotated

import typer

from agent.app.open.paths import config_path
from agent.cli.common import Commands, Config, Json, Task, emit, examples, say
from agent.cli.terminal.ask import Yes, confirm
from agent.cli.terminal.table import record

app = Commands(
    "thermometer read",
)


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(
        app, rich_help_panel=Task.LOOK_AFTER, name="thermometer", help="The IR thermometer."
    )


@app.command("read", epilog=examples("thermometer read", "thermometer read --json"))
def read(*, config: Config = None, as_json: Json = False) -> None:
    """Read the thermometer once, to test it.

    A running agent uses an array too: stop it first.
    """
    from agent.app.open.thermometers import read_once
    from agent.config import load_config

    shown = read_once(load_config(config_path(config)).config.thermometer)
    if as_json:
        emit(shown)
    else:
        record(shown)


@app.command("set-emissivity", epilog=examples("thermometer set-emissivity 0.98"))
def set_emissivity(
    emissivity: Annotated[
        float,
        typer.Argument(metavar="E", min=0.1, max=1.0, help="Of what is looked at; skin: 0.98."),
    ],
    *,
    yes: Yes = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Write the emissivity into an MLX90614.

    Hardly needed: readings are corrected. Not for parts named xCx (DCI, BCC): a factory cell of
    theirs would have to follow. Asks first, at a terminal.
    """
    from agent.app.open.thermometers import write_emissivity
    from agent.config import load_config

    found = load_config(config_path(config)).config.thermometer
    confirm(f"Write the emissivity {emissivity:g} into the part?", yes=yes)
    before, after = (round(one, 4) for one in write_emissivity(found, emissivity))
    if as_json:
        emit({"before": before, "emissivity": after})
    else:
        say(f"the part's emissivity was {before}, and is {after} from its next start")
        say("Take its power away for a second.")

"""``gate-agent thermometer``: look through the IR thermometer, and set what it keeps itself."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from agent.app.open.paths import config_path
from agent.cli.common import Commands, Config, Json, Task, emit, examples, say
from agent.cli.terminal.ask import Yes, confirm
from agent.cli.terminal.style import Cell, Meaning
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
        record(_told(shown))


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


def _told(shown: Mapping[str, Any]) -> dict[str, object]:
    """A reading in words and units, without what a part of this kind does not know."""
    told: dict[str, object] = {
        "kind": shown["kind"],
        "temperature": Cell(f"{shown['temperature_c']:.2f} C", Meaning.STRONG),
    }
    if shown["ambient_c"] is not None:
        told["ambient"] = f"{shown['ambient_c']:.2f} C"
    if shown["part_emissivity"] is not None:
        told["emissivity of the part"] = shown["part_emissivity"]
    if (wrong := shown["pec_failures"]) is not None:
        told["wrong check bytes"] = Cell(wrong, Meaning.DOUBT if wrong else None)
    if shown["warmest_at"] is not None:
        across, down = shown["warmest_at"]
        told["warmest"] = f"{across:.0%} from the left, {down:.0%} from the top"
    if shown["farthest_m"] is not None:
        told["farthest"] = f"{shown['farthest_m']} m"
    return told

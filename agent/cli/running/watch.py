"""``gate-agent watch``: what the running agent does, from another terminal.

    at a terminal    what stands now and the last decisions, refreshed in place
    anywhere else    a line whenever a fault, a door or the broker changes, and one an event
    --json           an event a line, as ``events tail --json``

Each second the agent is asked for its status, and its journal for new rows; an agent that is gone
is said to be, and what it says is shown again once it is back.
"""

import contextlib
import signal
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, tzinfo
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.care.daemon import ask_agent
from agent.cli.common import Config, Json, StateDir, Task, emit, examples, say
from agent.cli.terminal.style import is_terminal, plain

if TYPE_CHECKING:
    from agent.app.desk.watching import Round, Seen
    from agent.app.open.site import Site

_LOOKED_BACK = 500
_CHANGES = ("faults", "access_points", "modes", "broker")


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "watch",
        rich_help_panel=Task.RUN,
        epilog=examples("watch", "watch --config gate.toml", "watch --json"),
    )(watch)


def watch(
    *,
    lines: Annotated[
        int, typer.Option("--lines", metavar="N", min=0, help="So many events from before first.")
    ] = 10,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Watch the running agent, until Ctrl-C.

    Its doors, faults and queue, and each decision with its score and limit. It goes on while the
    agent restarts.
    """
    import sys

    from agent.app.desk.watching import rounds
    from agent.app.open.site import command_site

    site = command_site(state_dir(state), given_config_path(config))

    def ask() -> Mapping[str, Any]:
        answer: Mapping[str, Any] = ask_agent(config, state, {"command": "status"})["status"]
        return answer

    in_place = not as_json and is_terminal(sys.stdout)
    # A screen shows decisions only, and there may be few among the last events.
    found = rounds(site, None if as_json else ask, _LOOKED_BACK if in_place else lines)
    # Ctrl-C is how one stops to watch, and whoever ends the process wants the terminal back.
    with _ends_as_ctrl_c(), contextlib.suppress(KeyboardInterrupt):
        if as_json:
            _as_json(site, found)
        elif in_place:
            _in_place(site, found)
        else:
            _as_lines(site, found)


def _as_json(site: "Site", found: "Iterator[Round]") -> None:
    from agent.operations.events import as_json

    for _, new in found:
        for stored in new:
            emit(as_json(stored, site.source))


def _as_lines(site: "Site", found: "Iterator[Round]") -> None:
    from agent.app.desk.people import name_of
    from agent.operations.events import as_row

    told: dict[str, object] = {}
    for seen, new in found:
        for name, value in _standing(seen, site.zone).items():
            if told.get(name) != value:
                told[name] = value
                say(f"{name}  {plain(value)}")
        with name_of(site) as named:
            for stored in new:
                say("  ".join(plain(cell) for cell in as_row(stored, site.zone, named)))


def _standing(seen: "Seen", zone: tzinfo) -> dict[str, object]:
    """What is worth a line when it changes."""
    from agent.cli.terminal.table import flat

    if seen.away is not None or seen.status is None:
        since = datetime.fromtimestamp(seen.away_since_s, zone).strftime("%H:%M:%S")
        return {"agent": f"does not answer since {since}: {seen.away}"}
    standing = {name: flat(seen.status.get(name)) or "none" for name in _CHANGES}
    return {"agent": "answers", **{name.replace("_", " "): what for name, what in standing.items()}}


def _in_place(site: "Site", found: "Iterator[Round]") -> None:
    from rich.live import Live

    from agent.app.desk.people import name_of
    from agent.cli.running.watch_screen import screen
    from agent.cli.terminal.table import console
    from agent.domain.record.events import EventType

    shown = {EventType.ACCESS_GRANTED, EventType.ACCESS_DENIED}
    with Live(console=console(), screen=True, auto_refresh=False) as live:
        for seen, new in found:
            seen.decisions.extend(one for one in new if one.event.type in shown)
            with name_of(site) as named:
                size = live.console.size
                live.update(screen(seen, site.zone, named, (size.width, size.height)), refresh=True)


@contextlib.contextmanager
def _ends_as_ctrl_c() -> Iterator[None]:
    """SIGTERM ends the block as Ctrl-C does, so that the terminal is as it was."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before: Callable[[int, FrameType | None], Any] | int | None
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

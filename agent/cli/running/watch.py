"""``gate-agent watch``: what the running agent does, from another terminal.

    at a terminal    what stands now and the last decisions, refreshed in place
    anywhere else    a line whenever a fault, a door or the broker changes, and one an event;
                     so at a terminal that can only print (TERM=dumb)
    --json           an event a line, as ``events tail --json``

Each second the agent is asked for its status, and its journal for new rows; an agent that is gone,
or a journal that cannot be read, is said to be, and shown again once it is back.
"""

import contextlib
import signal
from collections.abc import Callable, Iterator
from datetime import tzinfo
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.app.open.paths import given_config_path, state_dir
from agent.cli.common import Config, Json, StateDir, Task, emit, examples, say, warn
from agent.cli.terminal.style import is_dumb, is_terminal, plain

if TYPE_CHECKING:
    from agent.app.desk.watching import Round, Seen
    from agent.app.open.site import Site

_LOOKED_BACK = 2000
_OF_A_SCREEN = "access.*"
_CHANGES = ("faults", "access_points", "modes", "inside")


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
    agent restarts, and while its journal cannot be read.
    """
    import sys

    from agent.app.desk.watching import rounds, status_of
    from agent.app.open.site import command_site

    folder, file = state_dir(state), given_config_path(config)
    site = command_site(folder, file)
    in_place = not as_json and is_terminal(sys.stdout) and not is_dumb()
    ask = None if as_json else status_of(file, folder)

    # A screen shows decisions only, and the last one at each access point may be long ago.
    kind, newest = (_OF_A_SCREEN, _LOOKED_BACK) if in_place else (None, lines)
    found = rounds(site, ask, lambda log: log.read(kind=kind, newest=newest))
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

    said: str | None = None
    for seen, new in found:
        if seen.unread != said and seen.unread is not None:
            warn(f"the journal cannot be read: {seen.unread}")
        said = seen.unread
        for stored in new:
            emit(as_json(stored, site.source))


def _as_lines(site: "Site", found: "Iterator[Round]") -> None:
    from agent.app.desk.people import name_of
    from agent.operations.events import as_row

    told: dict[str, object] = {}
    for seen, new in found:
        standing = _standing(seen, site.zone) | _journal(seen, was_told="journal" in told)
        for name, value in standing.items():
            if told.get(name) != value:
                told[name] = value
                say(f"{name}  {plain(value)}")
        if not new:
            continue
        with name_of(site) as named:
            for stored in new:
                say("  ".join(plain(cell) for cell in as_row(stored, site.zone, named)))


def _standing(seen: "Seen", zone: tzinfo) -> dict[str, object]:
    """What is worth a line when it changes."""
    from agent.cli.running.watch_screen import attack_detection, broker, why_away
    from agent.cli.terminal.table import flat

    status = seen.status
    if seen.away is not None or status is None:
        return {"agent": "; ".join(why_away(seen, zone))}
    standing = {name: flat(status.get(name)) or "none" for name in _CHANGES}
    return {
        "agent": "answers",
        **{name.replace("_", " "): what for name, what in standing.items()},
        "broker": broker(status).value,
        "attack detection": attack_detection(status).value,
    }


def _journal(seen: "Seen", *, was_told: bool) -> dict[str, object]:
    """Whether the journal can be read: nothing to say, as long as it always could."""
    if seen.unread is not None:
        return {"journal": "cannot be read: " + seen.unread.replace("\nFix: ", "; ")}
    return {"journal": "is read again"} if was_told else {}


def _in_place(site: "Site", found: "Iterator[Round]") -> None:
    from rich.live import Live

    from agent.app.desk.people import name_of
    from agent.cli.running.watch_screen import screen
    from agent.cli.terminal.table import console

    names: dict[str, str | None] = {}
    with Live(console=console(), screen=True, auto_refresh=False) as live:
        for seen, new in found:
            if new:
                # All of them anew: who was erased meanwhile is named no more.
                with name_of(site) as named:
                    names = {holder: named(holder) for holder in seen.holders()}
            size = live.console.size
            live.update(screen(seen, site.zone, names.get, (size.width, size.height)), refresh=True)


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

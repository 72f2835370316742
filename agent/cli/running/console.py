"""``gate-agent console``: the technician's page, for a browser behind an SSH tunnel."""

import contextlib
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from agent.app.open.paths import config_path, state_dir
from agent.cli.common import Config, Json, StateDir, Task, emit, examples, say
from agent.cli.terminal.style import is_terminal

if TYPE_CHECKING:
    from agent.technician.console.desk import Desk

PORT = 8020
_ALONE_S = 60.0
"""So long a page that systemd started waits for somebody with a link."""


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "console",
        rich_help_panel=Task.RUN,
        epilog=examples("console", "console --token", "console --port 9000 --config gate.toml"),
    )(console)


def console(
    *,
    token: Annotated[
        bool,
        typer.Option("--token", help="Print a link to the page that systemd serves, and end."),
    ] = False,
    port: Annotated[
        int,
        typer.Option("--port", metavar="N", min=1, max=65535, help="On this machine only."),
    ] = PORT,
    config: Config = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Serve the technician's page, until Ctrl-C.

    For a browser on your own machine, through an SSH tunnel. The link that is printed opens it
    once and within ten minutes; the page ends by itself after two hours, or 15 minutes unused.
    """
    if token:
        _made(port, as_json=as_json)
        return
    from agent.app.desk.console.desk import command_desk

    desk = command_desk(config_path(config), state_dir(state))
    try:
        # Ctrl-C is how one ends it before its time.
        with contextlib.suppress(KeyboardInterrupt):
            _serve(desk, port, as_json=as_json)
    finally:
        desk.close()


def _serve(desk: "Desk", port: int, *, as_json: bool) -> None:
    from agent.errors import UnavailableError

    try:
        from agent.technician.console.kept import KeptToken
        from agent.technician.console.server import Console, handed_over, listen
        from agent.technician.console.tickets import TOKEN_S, Tickets
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"starlette", "uvicorn"}:
            raise
        fix = "scripts/setup --console, or pip install 'gate-agent[console]'"
        raise UnavailableError("what serves the page is not installed", fix) from error
    given = handed_over()
    if given is not None:
        # Nobody reads what a service prints: links are made by --token.
        with given:
            Console(desk, Tickets(kept=KeptToken().redeem), given, _ALONE_S).serve()
        return
    tickets = Tickets()
    with listen(port) as server:
        page = Console(desk, tickets, server)
        _tell(tickets.issue(), port, TOKEN_S, as_json=as_json)
        page.serve()


def _made(port: int, *, as_json: bool) -> None:
    from agent.technician.console.kept import KeptToken
    from agent.technician.console.tickets import TOKEN_S

    _tell(KeptToken().issue(), port, TOKEN_S, as_json=as_json)


def _tell(token: str, port: int, valid_s: float, *, as_json: bool) -> None:
    link = f"http://127.0.0.1:{port}/#{token}"
    if as_json:
        emit({"url": link, "port": port, "valid_s": valid_s})
    else:
        _show(link, port)
    sys.stdout.flush()


def _show(link: str, port: int) -> None:
    import socket

    import segno

    if is_terminal(sys.stdout):
        segno.make_qr(link, error="l").terminal(compact=True)
    say(f"On your own machine: ssh -N -L {port}:127.0.0.1:{port} USER@{socket.gethostname()}")
    say(f"Then, once and within ten minutes: {link}")

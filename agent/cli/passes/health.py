"""``gate-agent health``: health certificates, and whose signatures on them count at this gate."""

import typer

from agent.cli.common import Commands, Task
from agent.cli.passes import trust, verify

app = Commands(
    "health trust eu-2026-05.pem",
    "health verify --text - --trust issuers.pem < code.txt",
    "health issuers",
)


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``, and what it was once called."""
    verify.add_to(app)
    trust.add_to(app)
    parent.add_typer(
        app, name="health", help="Health certificates: verify, trust.", rich_help_panel=Task.PASSES
    )
    verify.add_former_to(parent)
    trust.add_former_to(parent)

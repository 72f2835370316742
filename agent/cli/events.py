"""``gate-agent events``: what happened, from the journal of this kiosk."""

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(app, name="events", help="What happened, from the journal.")

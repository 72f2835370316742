"""How a command that speaks to the community's broker is told where it is, and as whom."""

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.common import Panel, file_option

Host = Annotated[
    str, typer.Option("--host", metavar="HOST", help="The broker.", rich_help_panel=Panel.WHERE)
]
Port = Annotated[
    int, typer.Option("--port", metavar="PORT", help="Its port.", rich_help_panel=Panel.WHERE)
]
Username = Annotated[
    str | None,
    typer.Option("--username", metavar="NAME", help="As whom.", rich_help_panel=Panel.WHERE),
]
PasswordFile = Annotated[
    Path | None, file_option("--password-file", "Mode 0600.", panel=Panel.WHERE)
]
CaFile = Annotated[
    Path | None, file_option("--ca-file", "TLS is on where it is given.", panel=Panel.WHERE)
]
CertFile = Annotated[
    Path | None, file_option("--cert-file", "Your own certificate.", panel=Panel.WHERE)
]
CertKeyFile = Annotated[
    Path | None, file_option("--key-file", "Of --cert-file.", panel=Panel.WHERE)
]

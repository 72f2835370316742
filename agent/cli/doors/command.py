"""``gate-agent command``: signed commands to a kiosk, as a backend sends them."""

import base64
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.cli.broker_options import (
    CaFile,
    CertFile,
    CertKeyFile,
    Host,
    PasswordFile,
    Port,
    Username,
)
from agent.cli.common import (
    Commands,
    Json,
    Task,
    emit,
    examples,
    file_option,
    say,
)
from agent.cli.terminal.table import record

app = Commands(
    "command keygen office.pem",
    "command sign lockdown --to lakeside/g3/* --key office.pem",
    "command send lockdown --to lakeside/* --key office.pem --host localhost",
)

Verb = Annotated[str, typer.Argument(metavar="VERB", help="As docs/commands.md lists them.")]
To = Annotated[
    str,
    typer.Option(
        "--to", metavar="PLACE", help="COMMUNITY/GRID/KIOSK, or a group: COMMUNITY/GRID/*."
    ),
]
KeyFile = Annotated[Path, file_option("--key", "The private key that signs: command keygen.")]
Argument = Annotated[
    list[str] | None,
    typer.Option(
        "--arg", metavar="NAME=VALUE", help="An argument; JSON, text or hex:; repeatable."
    ),
]
Valid = Annotated[
    int | None,
    typer.Option("--valid-s", metavar="S", min=1, help="Default: 60, of unlock 8."),
]
Nonce = Annotated[
    str | None, typer.Option("--nonce", metavar="HEX", help="The kiosk's own, for set_time.")
]


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(
        app,
        rich_help_panel=Task.DOORS,
        name="command",
        help="Signed commands to a kiosk, as a backend sends them.",
    )


@app.command("keygen", epilog=examples("command keygen office.pem"))
def keygen(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where the private key goes.", readable=False)
    ],
    *,
    as_json: Json = False,
) -> None:
    """Make a key for commands.

    FILE keeps the private key (mode 0600), FILE.pub the public one for [[command_key]] of a kiosk's
    config. Neither is ever overwritten.
    """
    from agent.operations.passes.keys import make_issuer_key, public_path

    key_id = make_issuer_key(file)
    made = {"key_id": key_id, "file": str(file), "public": str(public_path(file))}
    if as_json:
        emit(made)
    else:
        record({name.replace("_", " "): value for name, value in made.items()})


@app.command(
    "sign",
    epilog=examples(
        "command sign lockdown --to lakeside/g3/* --key office.pem --out lockdown.cbor",
        "command sign disable --to lakeside/g3/north-1 --arg holder=r-1042 --key office.pem --json",
    ),
)
def sign(
    verb: Verb,
    *,
    to: To,
    key: KeyFile,
    arg: Argument = None,
    valid_s: Valid = None,
    nonce: Nonce = None,
    out: Annotated[
        Path | None, file_option("--out", "Where the bytes go; else base64 is printed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a signed command, for whoever publishes it."""
    from agent.operations.commands import signed
    from agent.operations.files import write_whole

    command = _made(verb, to, arg, valid_s, nonce)
    data = signed(command, key)
    text = base64.b64encode(data).decode()
    if out is not None:
        write_whole(data, out)
    if as_json:
        emit(
            {
                "command": command.id.hex(),
                "verb": command.verb,
                "to": command.to,
                "issued": command.issued,
                "expires": command.expires,
                "file": None if out is None else str(out),
                "bytes": text,
            }
        )
    else:
        say(text if out is None else f"{command.id.hex()} signed: {out}")


@app.command(
    "send",
    epilog=examples(
        "command send unlock --to lakeside/g3/north-1 --arg access_point=north-entry"
        " --key office.pem --kiosk-key kiosk.json --host broker.lakeside.example --port 8883"
        " --ca-file ca.pem --cert-file backend.pem --key-file backend.key",
        "command send health --to lakeside/g3/north-1 --key office.pem --kiosk-key kiosk.json"
        " --host localhost --json",
    ),
)
def send(
    verb: Verb,
    *,
    to: To,
    key: KeyFile,
    host: Host,
    arg: Argument = None,
    valid_s: Valid = None,
    nonce: Nonce = None,
    kiosk_key: Annotated[
        str | None,
        typer.Option("--kiosk-key", metavar="KEY", help="The kiosk's: key show --json, in a file."),
    ] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout-s", metavar="S", min=0.1, help="To wait for the reply.")
    ] = 10.0,
    port: Port = 1883,
    username: Username = None,
    password_file: PasswordFile = None,
    ca_file: CaFile = None,
    cert_file: CertFile = None,
    key_file: CertKeyFile = None,
    as_json: Json = False,
) -> None:
    """Send a signed command by MQTT 5, and print the kiosk's signed reply.

    Exit code 0: done; 1: refused, failed or interrupted; 69: no reply that the kiosk signed. To a
    group nobody's reply is waited for.
    """
    from agent.app.desk import command as desk
    from agent.domain.record.command import in_words
    from agent.operations.kiosk_key import read_kiosk_key
    from agent.operations.passes.keys import read_issuer_key

    command = _made(verb, to, arg, valid_s, nonce)
    known = None if kiosk_key is None else read_kiosk_key(kiosk_key)
    reach = desk.Reach(host, port, username, password_file, ca_file, cert_file, key_file)
    reply = desk.send(reach, command, read_issuer_key(key), known, timeout_s)
    said = desk.as_json(command, reply)
    if as_json:
        emit(said)
    elif reply is None:
        say(f"{command.id.hex()} sent to {to}")
    else:
        why = in_words(said["reason"])
        shown = {"command": said["command"], "outcome": said["outcome"], "reason": why}
        record({**shown, **(said["result"] or {})})
    if reply is not None and reply.outcome.value != "done":
        raise typer.Exit(1)


def _made(
    verb: str, to: str, arguments: list[str] | None, valid_s: int | None, nonce: str | None
) -> Any:
    from agent.operations.commands import made_command

    now_s = int(time.time())
    return made_command(verb, to, arguments or (), now_s=now_s, valid_s=valid_s, nonce=nonce)

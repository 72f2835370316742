"""``gate-agent registry``: how far the community's registry is here, and an update sent to one."""

from pathlib import Path
from typing import Annotated

import typer

from agent.app.open.paths import given_config_path, state_dir
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
    Config,
    Json,
    StateDir,
    Task,
    counted,
    emit,
    examples,
    file_option,
    say,
    warn,
)
from agent.cli.terminal.table import line, record

app = Commands(
    "registry show",
    "registry send people.jsonl --kiosk north-1.json --key registry.pem --from 7 --to 8",
)


def add_to(parent: typer.Typer) -> None:
    """Hang the group into ``parent``."""
    parent.add_typer(
        app,
        rich_help_panel=Task.PEOPLE,
        name="registry",
        help="The community's registry, which comes by the broker.",
    )


@app.command("show", epilog=examples("registry show", "registry show --json"))
def show(*, config: Config = None, state: StateDir = None, as_json: Json = False) -> None:
    """Show which version of the registry is here, and what waits.

    By the files alone: what was refused and why, the running agent knows (gate-agent status).
    """
    from agent.app.desk import registry
    from agent.app.open.site import command_site

    found = registry.show(command_site(state_dir(state), given_config_path(config)))
    if as_json:
        emit(found)
        return
    if not found["version"]:
        say("no update of a registry was taken over here")
    waiting = found.pop("waiting")
    record(
        {
            **found,
            "parts on their way": waiting["parts"],
            "receipts waiting": waiting["receipts"],
        }
    )


@app.command(
    "send",
    epilog=examples(
        "registry send all.jsonl --kiosk north-1.json --key registry.pem --to 1",
        "registry send one.jsonl --kiosk north-1.json --key registry.pem --from 7 --to 8",
        "registry send one.jsonl --kiosk north-1.json --key registry.pem --to 8 --out messages",
    ),
)
def send(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A JSON object a line.", readable=False)
    ],
    *,
    kiosk: Annotated[Path, file_option("--kiosk", "What key show --json said there.")],
    key: Annotated[Path, file_option("--key", "The registry's private key, as PEM.")],
    to: Annotated[int, typer.Option("--to", metavar="N", help="The version it leads to.", min=1)],
    since: Annotated[
        int, typer.Option("--from", metavar="N", help="The version before it; 0: everything.")
    ] = 0,
    host: Host = "127.0.0.1",
    port: Port = 1883,
    username: Username = None,
    password_file: PasswordFile = None,
    ca_file: CaFile = None,
    cert_file: CertFile = None,
    key_file: CertKeyFile = None,
    message_bytes: Annotated[
        int, typer.Option("--message-bytes", metavar="N", help="The largest payload.")
    ] = 4096,
    within: Annotated[
        float, typer.Option("--within", metavar="S", help="Seconds to wait for the kiosk.")
    ] = 30.0,
    out: Annotated[
        Path | None, file_option("--out", "Write the messages here; send none.", "DIR")
    ] = None,
    as_json: Json = False,
) -> None:
    """Sign, seal and send an update to one kiosk: the reference for a registry.

    Templates stand in clear in FILE: it is as secret as a gallery. Receipts are acknowledged. Exit
    code 1 where the kiosk does not have the version in time.
    """
    from agent.app.desk import registry
    from agent.operations.files import read_lines
    from agent.operations.passes.keys import read_issuer_key

    recipient, signer = registry.addressee(kiosk), read_issuer_key(key)
    parcels = registry.pack(
        read_lines(file),
        file.name,
        file.parent,
        recipient,
        (since, to),
        signer,
        message_bytes,
    )
    said = {"kiosk": recipient.kiosk, "version": to, "parts": len(parcels)}
    if out is not None:
        written = registry.write(parcels, out)
        if as_json:
            emit({**said, "messages": written, "out": str(out)})
        else:
            line("wrote", counted(written, "message"), "to", out)
        return
    reach = registry.Reach(host, port, username, password_file, ca_file, cert_file, key_file)
    outcome = registry.send(parcels, recipient, to, signer, reach, within)
    receipts = [registry.receipt_json(one) for one in outcome.receipts.values()]
    if as_json:
        emit({**said, "sent": outcome.sent, "has": outcome.version, "receipts": receipts})
    else:
        line("sent", counted(outcome.sent, "message"), "to", recipient.kiosk)
        for one in receipts:
            line(one["holder"], one["outcome"], *([one["reason"]] if one["reason"] else []))
    if (outcome.version or 0) < to:
        has = "did not answer" if outcome.version is None else f"has version {outcome.version}"
        warn(f"{recipient.kiosk} {has}: it asks for the update once it is there")
        raise typer.Exit(1)

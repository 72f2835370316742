"""``gate-agent init``: a first gate without reading."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from agent.app.open.paths import CONFIG_VARIABLE
from agent.cli.common import Json, StateDir, Task, examples, file_option


def add_to(parent: typer.Typer) -> None:
    """Hang the command into ``parent``."""
    parent.command(
        "init",
        rich_help_panel=Task.RUN,
        epilog=examples(
            "init",
            "init --yes --camera film.mp4 --accept-no-pad",
            "init --out /etc/gate-agent/gate.toml --broker broker.example --broker-ca ca.pem",
            "init --json --relay-level high --relay-pin 17 --camera picamera2",
            "init --boot /media/bootfs --camera picamera2 --label north-1.pdf",
        ),
    )(init)


def _answer(name: str, what: str, metavar: str = "TEXT") -> Any:
    return typer.Option(f"--{name}", metavar=metavar, help=what)


def init(
    context: typer.Context,
    *,
    out: Annotated[
        Path | None,
        file_option("--out", f"The config to write [default: {CONFIG_VARIABLE}, else gate.toml]."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: what was found is the answer.")
    ] = False,
    community: Annotated[str | None, _answer("community", "Name of the site.", "NAME")] = None,
    grid: Annotated[str | None, _answer("grid", "The site's part.", "NAME")] = None,
    kiosk: Annotated[str | None, _answer("kiosk", "Name of this kiosk.", "NAME")] = None,
    timezone: Annotated[str | None, _answer("timezone", "An IANA name.", "ZONE")] = None,
    camera: Annotated[
        str | None,
        _answer("camera", "picamera2, a device, an address, a film, simulated:FILE.", "CAMERA"),
    ] = None,
    pins: Annotated[str | None, _answer("pins", "lgpio, simulated or mock.", "KIND")] = None,
    relay_level: Annotated[
        str | None, _answer("relay-level", "What energises the relay: high or low.", "LEVEL")
    ] = None,
    relay_pin: Annotated[str | None, _answer("relay-pin", "Its BCM number.", "PIN")] = None,
    pull_resistor: Annotated[
        bool, typer.Option("--pull-resistor", help="A resistor holds the relay's input at rest.")
    ] = False,
    pulse: Annotated[str | None, _answer("pulse", "Seconds that a grant frees.", "S")] = None,
    contact_pin: Annotated[
        str | None, _answer("contact-pin", "Of the door contact, or none.", "PIN")
    ] = None,
    exit_pin: Annotated[
        str | None, _answer("exit-pin", "Of the exit button, or none.", "PIN")
    ] = None,
    fire_pin: Annotated[
        str | None, _answer("fire-pin", "Of the fire alarm, or none.", "PIN")
    ] = None,
    thermometer: Annotated[
        str | None, _answer("thermometer", "none, mlx90614, mlx90640 or simulated.", "KIND")
    ] = None,
    field_of_view: Annotated[
        str | None, _answer("field-of-view", "The thermometer's, in degrees.", "DEG")
    ] = None,
    id_reader: Annotated[
        str | None, _answer("id-reader", "Its serial port, or none.", "PORT")
    ] = None,
    broker: Annotated[str | None, _answer("broker", "The MQTT broker, or none.", "HOST")] = None,
    broker_ca: Annotated[
        str | None, _answer("broker-ca", "TLS by this authority, or none.", "FILE")
    ] = None,
    broker_cert: Annotated[
        str | None, _answer("broker-cert", "The kiosk's own certificate, or none.", "FILE")
    ] = None,
    broker_key: Annotated[str | None, _answer("broker-key", "Of that certificate.", "FILE")] = None,
    broker_port: Annotated[str | None, _answer("broker-port", "1 to 65535.", "PORT")] = None,
    broker_user: Annotated[
        str | None, _answer("broker-user", "Who logs in there, or none.", "NAME")
    ] = None,
    broker_password_file: Annotated[
        str | None, _answer("broker-password-file", "The password, mode 0600, or none.", "FILE")
    ] = None,
    command_key: Annotated[
        str | None, _answer("command-key", "Whose signed commands count, or none.", "FILE")
    ] = None,
    command_verbs: Annotated[
        str | None, _answer("command-verbs", "What they may ask for.", "WORDS")
    ] = None,
    registry_key: Annotated[
        str | None, _answer("registry-key", "Of the community's registry, or none.", "FILE")
    ] = None,
    accept_no_pad: Annotated[
        bool,
        typer.Option("--accept-no-pad", help="Faces count without attack detection too."),
    ] = False,
    rule: Annotated[
        str | None, _answer("rule", "What lets people in: face,pass+face.", "FACTORS")
    ] = None,
    voice: Annotated[str | None, _answer("voice", "none, aplay or simulated.", "KIND")] = None,
    language: Annotated[
        str | None, _answer("language", "What it speaks: zh, en or zh,en.", "WORDS")
    ] = None,
    key_file: Annotated[
        str | None,
        _answer("key-file", "The gallery's key [default: gallery.key beside the config].", "FILE"),
    ] = None,
    enrol: Annotated[
        str | None, _answer("enrol", "Enrol this resident by the camera then.", "ID")
    ] = None,
    enrol_name: Annotated[
        str | None, _answer("enrol-name", "Their name, for the desk only.", "NAME")
    ] = None,
    boot: Annotated[
        Path | None,
        file_option("--boot", "Write for a kiosk that gets this card: its boot partition.", "DIR"),
    ] = None,
    label: Annotated[
        Path | None,
        file_option("--label", "Write the kiosk's label with a QR code: .png, .svg or .pdf."),
    ] = None,
    state: StateDir = None,
    as_json: Json = False,
) -> None:
    """Make a first gate by a few questions.

    It looks what is there, asks the rest, and writes a config and a key. Each question has an
    option; without a terminal, or with --yes, what was found is the answer. An existing file is
    never replaced, and Ctrl-C leaves none.
    """
    from agent.cli.running.first_gate import make
    from agent.cli.running.interview import Wanted

    answers = {
        "community": community,
        "grid": grid,
        "kiosk": kiosk,
        "timezone": timezone,
        "camera": camera,
        "pins": pins,
        "relay-level": relay_level,
        "relay-pin": relay_pin,
        "pulse": pulse,
        "contact-pin": contact_pin,
        "exit-pin": exit_pin,
        "fire-pin": fire_pin,
        "thermometer": thermometer,
        "field-of-view": field_of_view,
        "id-reader": id_reader,
        "broker": broker,
        "broker-ca": broker_ca,
        "broker-port": broker_port,
        "broker-user": broker_user,
        "broker-password-file": broker_password_file,
        "broker-cert": broker_cert,
        "broker-key": broker_key,
        "command-key": command_key,
        "command-verbs": command_verbs,
        "registry-key": registry_key,
        "accept-no-pad": "yes" if accept_no_pad else None,
        "rule": rule,
        "voice": voice,
        "language": language,
        "key-file": key_file,
    }
    if (enrol is None) != (enrol_name is None):
        context.fail("--enrol and --enrol-name go together")
    if boot is not None and not {out, enrol, key_file} <= {None}:
        context.fail("--boot goes without --out, --enrol and --key-file: the kiosk makes its keys")
    wanted = Wanted(
        file=_config(out, boot),
        state=state,
        answers={name: word for name, word in answers.items() if word is not None},
        pull_resistor=pull_resistor,
        asks=sys.stdin.isatty() and not yes,
        person=None if enrol is None or enrol_name is None else (enrol, enrol_name),
        as_json=as_json,
        is_card=boot is not None,
        label=label,
    )
    make(context, wanted)


def _config(out: Path | None, boot: Path | None) -> Path:
    if boot is not None:
        return boot.absolute() / "gate.toml"
    return (out or Path(os.environ.get(CONFIG_VARIABLE) or "gate.toml")).absolute()

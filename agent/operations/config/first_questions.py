"""What a first gate is asked, in order; each question is an option too, so none need be asked."""

from pathlib import Path

from agent.domain.record.command import Verb
from agent.operations.config import first_answers as read
from agent.operations.config.first_asking import Question
from agent.operations.config.first_found import Found
from agent.operations.config.first_gate import CATEGORIES, FirstGate

_VIEWS = {"mlx90614": (5, 10, 35, 90), "mlx90640": (55, 110)}
_RELAY_PINS = {True: 17, False: 5}
"""By the relay's level: what the Pi does at power-on leaves it at rest."""
_PINS_MAY = "a BCM number, 0 to 27"


def questions(folder: Path) -> tuple[Question, ...]:
    """All of them, in order; paths are meant as a config in ``folder`` has them."""
    return (*_PLACE, *_parts(folder), *_network(folder), *_people(folder))


_PIN_OR_NONE = read.or_none(read.pin)
_PLACE = (
    Question(
        "community",
        "Name of the site or community",
        "1 to 64 of A-Z a-z 0-9 . _ -",
        "community",
        read.text,
        lambda gate, _found: gate.community,
    ),
    Question(
        "grid",
        "Its part that the gate belongs to",
        "1 to 64 of A-Z a-z 0-9 . _ -",
        "grid",
        read.text,
        lambda gate, _found: gate.grid,
    ),
    Question(
        "kiosk",
        "Name of this kiosk",
        "1 to 64 of A-Z a-z 0-9 . _ -",
        "kiosk",
        read.text,
        lambda _gate, found: found.kiosk,
    ),
    Question(
        "timezone",
        "Time zone",
        "an IANA name: Asia/Shanghai",
        "timezone",
        read.zone,
        lambda _gate, found: found.timezone or "UTC",
    ),
)


def _wired(gate: FirstGate, _found: Found) -> bool:
    return gate.pins == "lgpio"


def _input(name: str, asks: str, sets: str) -> Question:
    may = f"{_PINS_MAY}, or none"
    return Question(name, asks, may, sets, _PIN_OR_NONE, lambda _g, _f: "none", _wired)


def _parts(folder: Path) -> tuple[Question, ...]:
    return (
        Question(
            "camera",
            "Camera",
            "picamera2, picamera2:1, /dev/video0, rtsp://..., a film, or simulated:photo.jpg",
            "camera",
            read.camera(folder),
            lambda _gate, found: next(iter(found.cameras), None),
        ),
        Question(
            "pins",
            "What drives the pins",
            f"lgpio (this Pi's header), simulated (in {folder.name or '.'}/pins.bin), or mock",
            "pins",
            read.one_of("lgpio", "simulated", "mock"),
            lambda _gate, found: "lgpio" if found.header else "simulated",
        ),
        Question(
            "relay-level",
            "Level that energises the relay and frees the door",
            "high or low; a wrong one opens the gate at rest",
            "active_high",
            read.level,
            # Nobody can find out by looking, and a wrong guess opens a real gate.
            lambda gate, _found: None if gate.pins == "lgpio" else "high",
            asked=_wired,
            takes=lambda gate: {"relay_pin": _RELAY_PINS[gate.active_high]},
            shows=read.level_shown,
        ),
        Question(
            "relay-pin",
            "Pin of the relay",
            f"{_PINS_MAY}; 9 to 27 for a high relay, 0 to 8 for a low one",
            "relay_pin",
            read.pin,
            lambda gate, _found: str(gate.relay_pin),
            asked=_wired,
        ),
        Question(
            "pulse",
            "Seconds that the door is free after a grant",
            "0.1 to 30",
            "pulse_s",
            read.seconds,
            lambda gate, _found: f"{gate.pulse_s:g}",
            asked=_wired,
        ),
        _input("contact-pin", "Pin of the door contact", "contact_pin"),
        _input("exit-pin", "Pin of the exit button", "exit_pin"),
        _input("fire-pin", "Pin of the fire alarm", "fire_pin"),
        Question(
            "thermometer",
            "IR thermometer",
            "none, mlx90614, mlx90640, or simulated",
            "thermometer",
            read.one_of("none", "mlx90614", "mlx90640", "simulated"),
            lambda _gate, found: next(iter(found.thermometers), "none"),
            asked=lambda _gate, found: found.i2c,
            takes=lambda gate: {"field_of_view_deg": _VIEWS.get(gate.thermometer, (None,))[0]},
        ),
        Question(
            "field-of-view",
            "Its field of view in degrees, as its name says",
            "mlx90614: 5, 10, 35 or 90; mlx90640: 55 or 110",
            "field_of_view_deg",
            read.whole,
            lambda _gate, _found: None,
            needs=lambda gate, _found: gate.thermometer in _VIEWS,
            goes_with="--thermometer mlx90614 or mlx90640",
        ),
        Question(
            "id-reader",
            "Serial port of an ID card reader",
            "none, or /dev/serial/by-id/...",
            "id_reader",
            read.or_none(read.device),
            lambda _gate, _found: "none",
            asked=lambda _gate, found: bool(found.serial_ports),
        ),
    )


def _has_broker(gate: FirstGate, _found: Found) -> bool:
    return gate.broker is not None


def _network(folder: Path) -> tuple[Question, ...]:
    return (
        Question(
            "broker",
            "MQTT broker of the community",
            "none yet: none (events stay in the journal here); else a host",
            "broker",
            read.or_none(read.text),
            lambda _gate, _found: "none",
        ),
        Question(
            "broker-ca",
            "Its certificate authority, for TLS",
            "a PEM file, or none: then events cross the network in the clear",
            "broker_ca",
            read.or_none(read.file_beside(folder)),
            lambda _gate, _found: "none",
            needs=_has_broker,
            goes_with="--broker",
            takes=lambda gate: {"broker_port": 1883 if gate.broker_ca is None else 8883},
        ),
        Question(
            "broker-cert",
            "This kiosk's own certificate there",
            "a PEM file, or none",
            "broker_cert",
            read.or_none(read.file_beside(folder)),
            lambda _gate, _found: "none",
            needs=lambda gate, _found: gate.broker_ca is not None,
            goes_with="--broker-ca",
        ),
        Question(
            "broker-key",
            "The key of that certificate",
            "a PEM file of mode 0600",
            "broker_key",
            read.file_beside(folder),
            lambda _gate, _found: None,
            needs=lambda gate, _found: gate.broker_cert is not None,
            goes_with="--broker-cert",
        ),
        Question(
            "broker-port",
            "Its port",
            "1 to 65535",
            "broker_port",
            read.whole,
            lambda gate, _found: str(gate.broker_port),
            needs=_has_broker,
            goes_with="--broker",
        ),
        Question(
            "broker-user",
            "User there",
            "a name, or none",
            "broker_user",
            read.or_none(read.text),
            lambda _gate, _found: "none",
            needs=_has_broker,
            goes_with="--broker",
        ),
        Question(
            "broker-password-file",
            "File with the password",
            "a file of mode 0600, or none",
            "broker_password_file",
            read.or_none(read.file_beside(folder)),
            lambda _gate, _found: "none",
            # A person is asked for the password itself, without an echo.
            asked=lambda _gate, _found: False,
            needs=lambda gate, _found: gate.broker_user is not None,
            goes_with="--broker-user",
        ),
        Question(
            "command-key",
            "Public key of who may send signed commands",
            "a PEM file that ends with .pub, or none",
            "command_key",
            read.or_none(read.public_key_beside(folder)),
            lambda _gate, _found: "none",
            needs=_has_broker,
            goes_with="--broker",
        ),
        Question(
            "command-verbs",
            "What they may ask for",
            "commas between: unlock, lockdown, free_passage, resume, announce, disable, health ...",
            "command_verbs",
            lambda word: tuple(read.one_of(*Verb)(one) for one in read.words(word)),
            lambda gate, _found: read.shown(gate.command_verbs),
            needs=lambda gate, _found: gate.command_key is not None,
            goes_with="--command-key",
        ),
        Question(
            "registry-key",
            "Public key of the community's registry",
            "a PEM file that ends with .pub, or none",
            "registry_key",
            read.or_none(read.public_key_beside(folder)),
            lambda _gate, _found: "none",
            needs=_has_broker,
            goes_with="--broker",
        ),
    )


def _people(folder: Path) -> tuple[Question, ...]:
    return (
        Question(
            "accept-no-pad",
            "No attack detection is installed: a photograph of a resident may pass. Accept that",
            "yes, or no: then a face opens nothing",
            "accept_no_pad",
            read.yes,
            lambda _gate, _found: "no",
            asked=lambda _gate, found: not found.pad,
        ),
        Question(
            "rule",
            f"What lets a {' or '.join(CATEGORIES)} in",
            "face, pass, id_document, joined by + where both are asked for; commas between ways",
            "factors",
            read.words,
            lambda gate, found: "face,pass+face" if found.pad or gate.accept_no_pad else "pass",
        ),
        Question(
            "voice",
            "Loudspeaker",
            "none, aplay (ALSA), or simulated",
            "voice",
            read.one_of("none", "aplay", "simulated"),
            lambda _gate, _found: "none",
            asked=lambda _gate, found: bool(found.sound),
        ),
        Question(
            "language",
            "Languages that it speaks, one after the other",
            "zh, en, or zh,en",
            "languages",
            lambda word: tuple(read.one_of("zh", "en")(one) for one in read.words(word)),
            lambda _gate, _found: "zh,en",
            needs=lambda gate, _found: gate.voice != "none",
            goes_with="--voice",
        ),
        Question(
            "key-file",
            "File of the gallery's key",
            "a path, best on another disk than the state folder",
            "key_file",
            lambda word: read.place_beside(folder, Path(read.text(word)).expanduser()),
            lambda _gate, _found: str(folder / "gallery.key"),
            asked=lambda _gate, _found: False,
        ),
    )

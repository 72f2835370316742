"""Looks for what a first gate could be made of, and tries what was chosen; nothing moves.

``root`` is where devices and settings are looked for. What is not there is said, never an error.
"""

import fcntl
import os
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import available_timezones

from agent.adapters.thermometer import mlx90614, mlx90640
from agent.adapters.thermometer.i2c import I2cBus, open_bus, transfer
from agent.app.open.cameras import open_camera
from agent.config import ConfigFile, GateConfig
from agent.errors import ModelPackError, UnavailableError
from agent.operations.config.first_found import Found
from agent.operations.packs.choice import in_use, installed_pad_packs

_ROOT = Path("/")
_QUERYCAP = 0x80685600
_CAPABILITIES = struct.Struct("16s32s32s3I12x")
_CAPTURE, _HAS_OWN = 0x1, 0x80000000
# They give the raw image of a sensor, or are parts of the board's image pipeline.
_NO_CAMERAS = ("unicam", "rp1-cfe", "bcm2835-isp", "pispbe")
_CONNECT_S = 3.0
_LOOKED_AT = 5
_DARK, _BRIGHT = 40.0, 215.0

VideoName = Callable[[Path], str | None]


def look(state: Path, root: Path = _ROOT, video_name: VideoName | None = None) -> Found:
    """What is there; ``video_name`` says what a /dev/video node is called, None: no camera."""
    device = root / "dev"
    cameras = dict(_board_cameras())
    cameras |= dict(_video_cameras(device, video_name or capture_name))
    absent = {"camera": "no camera of the board, and no /dev/video* takes pictures"}
    header = bool(list(device.glob("gpiochip*"))) and find_spec("lgpio") is not None
    absent["pins"] = "this is no Raspberry Pi with lgpio; simulated pins live in a file"
    bus = device / "i2c-1"
    parts: tuple[str, ...] = ()
    absent["thermometer"] = "there is no /dev/i2c-1"
    if bus.exists():
        absent["thermometer"] = "nothing answers on /dev/i2c-1"
        with suppress(UnavailableError):
            parts = tuple(thermometers_on(open_bus(1)))
    return Found(
        host=socket.gethostname(),
        timezone=_timezone(root),
        cameras=cameras,
        header=header,
        i2c=bus.exists(),
        thermometers=parts,
        serial_ports=tuple(
            f"/dev/{one.relative_to(device)}" for one in sorted(device.glob("serial/by-id/*"))
        ),
        sound=tuple(_sound(root)),
        pack=_pack(state),
        pad=installed_pad_packs(state),
        absent={
            **absent,
            "time zone": "the system has none set",
            "serial port": "nothing is in /dev/serial/by-id",
            "sound": "there is no sound card",
            "model pack": "gate-agent models setup installs one",
            "attack detection": "gate-agent models setup installs it; docs/attack-detection.md",
        },
    )


def thermometers_on(bus: I2cBus) -> Iterator[str]:
    """The kinds that answer at their usual address; each is only read."""
    asks = {
        "mlx90614": (mlx90614.ADDRESS, b"\x07", 3),
        "mlx90640": (mlx90640.ADDRESS, b"\x80\x00", 2),
    }
    with closing(bus):
        for kind, (address, written, read) in asks.items():
            with suppress(OSError):
                transfer(bus, address, written, read)
                yield kind


def capture_name(node: Path) -> str | None:
    """What a video node is called, where it is a camera that OpenCV could read."""
    answer = bytearray(_CAPABILITIES.size)
    try:
        descriptor = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.ioctl(descriptor, _QUERYCAP, answer)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    driver, card, _, _, all_of_it, own = _CAPABILITIES.unpack(answer)
    if driver.rstrip(b"\0").decode(errors="replace").startswith(_NO_CAMERAS):
        return None
    can = own if all_of_it & _HAS_OWN else all_of_it
    return card.partition(b"\0")[0].decode(errors="replace") if can & _CAPTURE else None


def try_camera(file: ConfigFile) -> str:
    """Take some pictures with the first camera of the config; their size and how bright they are.

    Raises:
        UnavailableError: it is not there, or sends nothing.
        ImageError: a photograph cannot be read.
    """
    with closing(open_camera(file, file.config.camera[0])) as camera:
        frame = None
        # A camera begins dark: the last of some pictures counts.
        for _ in range(_LOOKED_AT):
            frame = camera.read(_CONNECT_S) or frame
    if frame is None:
        raise UnavailableError("no picture comes", "name a camera or a film that plays")
    height, width = frame.image.shape[:2]
    mean = float(frame.image.mean())
    how = "dark: is there a lid, or no lamp?" if mean < _DARK else ""
    if mean > _BRIGHT:
        how = "very bright: does it look into a lamp?"
    return f"{width}x{height}, pictures come, brightness {mean:.0f} of 255{how and f' ({how})'}"


def try_broker(config: GateConfig, ca_file: Path | None) -> str:
    """Look the broker's name up and connect, by TLS where there is a ``ca_file``; nobody logs in.

    Raises:
        UnavailableError: it cannot be reached; the message says how far one came.
    """
    assert config.broker is not None
    host, port = config.broker.host, config.broker.port
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        fix = "check the name, and that this machine has a network"
        raise UnavailableError(f"no address is known for {host}", fix) from error
    address = str(places[0][4][0])
    try:
        line = socket.create_connection((host, port), _CONNECT_S)
    except OSError as error:
        why = error.strerror or str(error)
        fix = "is the broker on, and the port open on the way there?"
        raise UnavailableError(f"{host} is {address}, port {port}: {why}", fix) from error
    with line:
        if ca_file is None:
            return f"{host} ({address}) answers on port {port}, without TLS"
        try:
            context = ssl.create_default_context(cafile=ca_file)
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            with context.wrap_socket(line, server_hostname=host) as secure:
                return f"{host} ({address}) answers on port {port}, {secure.version()}"
        except (OSError, ssl.SSLError) as error:
            cause = getattr(error, "verify_message", None) or getattr(error, "reason", None)
            fix = "is it the authority of this broker, and the name that its certificate has?"
            said = f"{host} answers on port {port}, and TLS fails: {cause or error}"
            raise UnavailableError(said, fix) from error


def _board_cameras() -> Iterator[tuple[str, str]]:
    if find_spec("picamera2") is None:
        return
    try:
        from picamera2 import Picamera2  # noqa: PLC0415 - only a Pi has it

        there = list(Picamera2.global_camera_info())
    except Exception:  # noqa: BLE001 - libcamera's loader raises many kinds; then none is found
        return
    for number, one in enumerate(there):
        answer = "picamera2" if not number else f"picamera2:{number}"
        yield answer, str(one.get("Model", "camera of the board"))


def _video_cameras(device: Path, name_of: VideoName) -> Iterator[tuple[str, str]]:
    for node in sorted(device.glob("video*"), key=lambda one: (len(one.name), one.name)):
        name = name_of(node)
        if name is not None:
            yield f"/dev/{node.name}", name


def _timezone(root: Path) -> str | None:
    """By /etc/localtime, a link into the zones, or by Debian's own note."""
    name = os.path.realpath(root / "etc" / "localtime").partition("/zoneinfo/")[2]
    name = name.removeprefix("posix/").removeprefix("right/")
    if not name:
        with suppress(OSError, UnicodeError):
            name = (root / "etc" / "timezone").read_text(encoding="ascii").strip()
    if name == "Etc/UTC":
        return "UTC"
    return name if name in available_timezones() else None


def _sound(root: Path) -> Iterator[str]:
    try:
        cards = (root / "proc" / "asound" / "cards").read_text(errors="replace")
    except OSError:
        return
    for line in cards.splitlines():
        number, bracket, rest = line.partition("[")
        if bracket and number.strip().isdigit():
            yield rest.partition("]")[0].strip()


def _pack(state: Path) -> str | None:
    with suppress(ModelPackError):
        used = in_use(None, state)
        return used.pack if used.installed else None
    return None

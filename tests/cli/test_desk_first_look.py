"""What a first gate finds by looking, and what it says of what it tried."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tls import make_authority
from video_sources import closed_port, write_video

from agent.adapters.thermometer.simulated_i2c import FakeBus, SimulatedPart
from agent.adapters.thermometer.simulated_mlx90614 import SimulatedMlx90614
from agent.adapters.thermometer.simulated_mlx90640 import SimulatedMlx90640
from agent.app.desk.first_look import capture_name, look, thermometers_on, try_broker, try_camera
from agent.config import ConfigFile, GateConfig
from agent.errors import UnavailableError
from agent.operations.config.first_gate import Eye, FirstGate, config_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine that has nothing."""
    for name in ("dev", "etc", "proc"):
        (tmp_path / "root" / name).mkdir(parents=True)
    return tmp_path / "root"


def test_a_machine_without_anything_says_so_in_a_line_each(root: Path, tmp_path: Path) -> None:
    found = look(tmp_path / "state", root)
    lines = found.lines()
    assert all(said.startswith("none: ") for said in lines.values())
    assert set(lines) == set(found.absent)
    assert (found.cameras, found.thermometers, found.pad, found.pack) == ({}, (), (), None)


def test_what_is_there_is_found(root: Path, tmp_path: Path) -> None:
    for name in ("video0", "video2", "video10"):
        (root / "dev" / name).touch()
    (root / "dev" / "serial" / "by-id").mkdir(parents=True)
    (root / "dev" / "serial" / "by-id" / "usb-reader").touch()
    (root / "etc" / "localtime").symlink_to("/usr/share/zoneinfo/Asia/Shanghai")
    (root / "proc" / "asound").mkdir()
    (root / "proc" / "asound" / "cards").write_text(
        " 0 [Device         ]: USB-Audio - USB Audio Device\n                      a second line\n"
    )
    names = {"video0": "HD Webcam", "video10": "Another"}
    found = look(tmp_path / "state", root, lambda node: names.get(node.name))
    assert found.cameras == {"/dev/video0": "HD Webcam", "/dev/video10": "Another"}
    assert found.serial_ports == ("/dev/serial/by-id/usb-reader",)
    assert found.timezone == "Asia/Shanghai"
    assert found.sound == ("Device",)


def test_debians_own_note_of_the_zone_counts_too(root: Path, tmp_path: Path) -> None:
    (root / "etc" / "timezone").write_text("Europe/Berlin\n")
    assert look(tmp_path / "state", root).timezone == "Europe/Berlin"


@pytest.mark.parametrize(("noted", "zone"), [("Etc/UTC", "UTC"), ("Mars/Base", None)])
def test_only_a_zone_that_the_config_takes_is_offered(
    root: Path, tmp_path: Path, noted: str, zone: str | None
) -> None:
    (root / "etc" / "timezone").write_text(noted)
    assert look(tmp_path / "state", root).timezone == zone


def test_what_is_no_device_is_no_camera(root: Path) -> None:
    node = root / "dev" / "video0"
    assert capture_name(node) is None
    node.touch()
    assert capture_name(node) is None


def test_a_bus_on_which_nobody_answers_has_no_thermometer() -> None:
    bus = FakeBus({})
    assert list(thermometers_on(bus)) == []
    assert bus.closed


def test_the_thermometers_that_answer_are_named() -> None:
    assert list(thermometers_on(FakeBus({0x5A: SimulatedMlx90614(starts_after_s=0.0)}))) == [
        "mlx90614"
    ]
    both: dict[int, SimulatedPart] = {
        0x5A: SimulatedMlx90614(starts_after_s=0.0),
        0x33: SimulatedMlx90640(starts_after_s=0.0),
    }
    assert list(thermometers_on(FakeBus(both))) == ["mlx90614", "mlx90640"]


def test_a_film_says_its_size_and_how_bright_it_is(tmp_path: Path) -> None:
    write_video(tmp_path / "film.avi", frames=8, fps=100.0)
    said = try_camera(file_with(tmp_path, Eye("opencv", "film.avi")))
    assert said.startswith("160x120, pictures come, brightness ")
    assert "dark" in said


def test_a_camera_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        try_camera(file_with(tmp_path, Eye("opencv", "/dev/video99")))


def file_with(folder: Path, eye: Eye) -> ConfigFile:
    return ConfigFile(folder / "gate.toml", config_of(FirstGate(camera=eye)))


def broker_at(host: str, port: int) -> GateConfig:
    return config_of(FirstGate(broker=host, broker_port=port))


@contextmanager
def listening(context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port that takes one connection, by TLS where there is a context."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _ = server.accept()
            with line:
                try:
                    if context is not None:
                        context.wrap_socket(line, server_side=True).close()
                except OSError:
                    return  # whoever came did not trust us

        thread = threading.Thread(target=serve)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join(10)


def test_a_broker_that_answers() -> None:
    with listening() as port:
        said = try_broker(broker_at("127.0.0.1", port), None)
    assert said == f"127.0.0.1 (127.0.0.1) answers on port {port}, without TLS"


def test_a_broker_that_refuses_or_has_no_address() -> None:
    with pytest.raises(UnavailableError, match="Connection refused"):
        try_broker(broker_at("127.0.0.1", closed_port()), None)
    with pytest.raises(UnavailableError, match="no address is known"):
        try_broker(broker_at("broker.invalid", 1883), None)


def test_tls_by_its_authority_and_by_another(tmp_path: Path) -> None:
    authority, another = (make_authority(tmp_path / name) for name in ("ours", "another"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("broker", "127.0.0.1"))
    with listening(context) as port:
        said = try_broker(broker_at("127.0.0.1", port), authority.ca)
    assert said.endswith("TLSv1.3")
    with (
        listening(context) as port,
        pytest.raises(UnavailableError, match="TLS fails: unable to get local issuer"),
    ):
        try_broker(broker_at("127.0.0.1", port), another.ca)

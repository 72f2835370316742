"""``gate-agent doctor`` on films, brokers and a running agent: what is not well is told."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from gate_command import Gate
from tls import make_authority
from video_sources import HEIGHT, WIDTH, closed_port, picture

from agent.app.desk.examined import asked
from agent.app.desk.examined.line import broker_fact
from agent.app.desk.examined.machine import board_fact
from agent.app.desk.examined.sight import camera_fact
from agent.config import load_config
from agent.errors import UnavailableError
from agent.technician import checks
from agent.technician.verdict import Status

CONFIG = """\
[kiosk]
community = "c"
grid = "g"
id = "k"
[[camera]]
id = "front"
kind = "opencv"
source = "{source}"
[[door]]
id = "gate"
kind = "gpio"
pin = 17
active_high = true
pin_factory = "mock"
[[access_point]]
id = "entry"
direction = "entry"
camera = "front"
door = "gate"
[thermometer]
kind = "simulated"
temperature_c = {temperature}
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def made(more: str = "", source: str = "film.avi", temperature: float = 22.0) -> Path:
        path = tmp_path / "gate.toml"
        path.write_text(CONFIG.format(source=source, temperature=temperature) + more)
        return path

    return made


def film(path: Path, frames: list[Any]) -> None:
    # Without loss, so that what was the same stays the same and what was black stays so.
    made = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 25, (WIDTH, HEIGHT))
    assert made.isOpened()
    for frame in frames:
        made.write(frame)
    made.release()


BLACK = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
RNG = np.random.default_rng(3)
SCENE = cv2.resize(
    RNG.integers(40, 220, (23, 31, 3), np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST
)
ALIVE = [SCENE // 2 + picture(number) // 3 + 20 for number in range(15)]


@pytest.mark.parametrize(
    ("frames", "status", "says"),
    [
        ([BLACK] * 15, Status.FAIL, "brightness 0 of 255"),
        ([SCENE] * 15, Status.FAIL, "the same to the byte"),
        (ALIVE, Status.PASS, "160x120"),
    ],
    ids=("black", "frozen", "alive"),
)
def test_a_film_says_what_its_camera_would(
    write: Any, tmp_path: Path, frames: list[Any], status: Status, says: str
) -> None:
    film(tmp_path / "film.avi", frames)
    file = load_config(write())
    verdict = checks.camera(camera_fact(file, file.config.camera[0]))
    assert verdict.finding.status is status
    assert says in verdict.detail


def doctor(gate: Gate, config: Path) -> dict[str, dict[str, Any]]:
    told = gate("doctor", "--config", config, "--json")
    assert "hunter2" not in told.out + told.err
    assert told.code == (0 if all(one["ok"] for one in told.json["checks"]) else 1)
    return {one["name"]: one for one in told.json["checks"]}


def test_a_dead_stream_a_dead_broker_and_a_hot_spot_fail(gate: Gate, write: Any) -> None:
    stream = f"http://admin:hunter2@127.0.0.1:{closed_port()}/x?token=hunter2"
    broker = f'[broker]\nhost = "127.0.0.1"\nport = {closed_port()}\n'
    found = doctor(gate, write(broker, stream, temperature=54.0))
    assert found["camera front"]["status"] == "fail"
    assert found["broker"]["status"] == "fail"
    assert "nothing listens" in found["broker"]["detail"]
    assert found["thermometer"]["status"] == "fail"
    assert "ElevatedTemperature" in found["thermometer"]["meaning"]


def test_a_line_that_answers_nothing_is_a_verdict_in_time(
    gate: Gate, write: Any, tmp_path: Path
) -> None:
    authority = make_authority(tmp_path / "ca")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        told = write(f'[broker]\nhost = "127.0.0.1"\nport = {port}\nca_file = "{authority.ca}"\n')
        with pytest.raises(UnavailableError, match="does not answer"):
            broker_fact(load_config(told), None)


LOGIN = (
    '[broker]\nhost = "127.0.0.1"\nport = {port}\nprotocol = "{protocol}"\nusername = "{user}"\n'
)
OWN = ("user kiosk", "topic readwrite gate/c/g/k/events/#", "user other", "topic read gate/none")


@pytest.mark.parametrize(
    ("protocol", "user", "status", "says"),
    [
        ("5", "kiosk", Status.PASS, "an event came back"),
        ("3.1.1", "kiosk", Status.PASS, "an event came back"),
        ("5", "other", Status.FAIL, "Not authorized"),
        ("3.1.1", "other", Status.FAIL, "not passed on"),
    ],
)
def test_who_may_write_its_events_is_found_out(
    make_mosquitto: Any,
    tmp_path: Path,
    write: Any,
    protocol: str,
    user: str,
    *,
    status: Status,
    says: str,
) -> None:
    rights = tmp_path / "acl"
    rights.write_text("\n".join(OWN) + "\n")
    rights.chmod(0o600)
    server = make_mosquitto(f"acl_file {rights}")
    server.start()
    file = load_config(write(LOGIN.format(port=server.port, protocol=protocol, user=user)))
    verdict = checks.broker(broker_fact(file, None))
    assert verdict.finding.status is status, verdict
    assert says in verdict.detail


@pytest.mark.parametrize(
    ("begins_in_days", "expected"), [(-1.0, "ends in 1 days"), (-5.0, "has expired")]
)
def test_a_certificate_that_ends_is_told(
    make_mosquitto: Any, tmp_path: Path, write: Any, begins_in_days: float, expected: str
) -> None:
    authority = make_authority(tmp_path / "ca")
    certificate, key = authority.issue("broker", "127.0.0.1", begins_in_days=begins_in_days)
    server = make_mosquitto(f"certfile {certificate}", f"keyfile {key}")
    server.start()
    tls = f'[broker]\nhost = "127.0.0.1"\nport = {server.port}\nca_file = "{authority.ca}"\n'
    file = load_config(write(tls))
    if begins_in_days < -2.0:
        with pytest.raises(UnavailableError, match=expected):
            broker_fact(file, None)
        return
    verdict = checks.broker(broker_fact(file, None))
    assert verdict.finding.status is Status.WARN
    assert expected in verdict.detail


def test_a_wrong_password_is_refused_and_never_shown(
    make_mosquitto: Any, tmp_path: Path, gate: Gate, write: Any
) -> None:
    server = make_mosquitto(anonymous=False)
    server.start()
    secret = tmp_path / "word"
    secret.write_text("hunter2")
    secret.chmod(0o600)
    login = LOGIN.format(port=server.port, protocol="5", user="kiosk")
    found = doctor(gate, write(f'{login}password_file = "{secret}"\n'))
    assert found["broker"]["status"] == "fail"
    assert "Not authorized" in found["broker"]["detail"]


@contextmanager
def answering(state: Path, **told: Any) -> Iterator[None]:
    """Something that holds the state as an agent does; ``told`` has its answer by command."""
    state.mkdir(mode=0o700, exist_ok=True)
    with (
        (state / "agent.lock").open("w") as lock,
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server,
    ):
        flock(lock, LOCK_EX)
        server.bind(str(state / "control.sock"))
        server.listen()

        def serve() -> None:
            number = 0
            while True:
                connection, _ = server.accept()
                with connection:
                    asked = json.loads(connection.recv(4096))["command"]
                    if asked == "end":
                        return
                    number += 1
                    answer = {"ok": True, asked: numbered(told.get(asked, {}), number)}
                    connection.sendall(json.dumps(answer).encode() + b"\n")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as last:
                last.connect(str(state / "control.sock"))
                last.sendall(b'{"command": "end"}\n')
            thread.join(60)


def numbered(answer: dict[str, Any], number: int) -> dict[str, Any]:
    figures = answer.get("figures")
    return answer if figures is None else {**answer, "figures": {**figures, "frame": number}}


FIGURES = {
    "width": 640,
    "height": 480,
    "brightness": 120.0,
    "contours": 0.7,
    "zone_contours": 0.6,
    "blur": 0.4,
    "digest": 1,
    "blue": None,
}


def looked(celsius: float, **figures: Any) -> dict[str, Any]:
    reading = {"temperature_c": celsius, "ambient_c": 22.0, "age_s": 0.4}
    return {"thermometer": reading, "inputs": {}, "figures": {**FIGURES, **figures}}


def test_a_running_agent_is_asked_and_none_of_its_parts_is_opened(
    gate: Gate, write: Any, state_dir: Path
) -> None:
    # There is no such film: whoever opened it would say so.
    faults = {"thermometer": "the MLX90614 does not answer\nFix: check its wiring"}
    clock = {"clock_synced": False, "clock": {"state": "ahead"}}
    with answering(state_dir, status={"faults": faults, **clock}, look=looked(36.4)):
        found = doctor(gate, write())
    assert (found["agent"]["status"], found["agent"]["ok"]) == ("warn", True)
    assert found["thermometer"]["status"] == "fail"
    assert found["thermometer"]["fix"] == "check its wiring"
    assert "ahead" in found["time"]["detail"]
    assert "i2c bus" not in found


@pytest.mark.parametrize(
    ("celsius", "figures", "camera", "thermometer"),
    [
        (54.0, {"brightness": 0.0, "contours": 0.0}, "brightness 0", "living skin has"),
        (36.4, {}, "the same to the byte", None),
    ],
)
def test_what_a_running_agent_reads_is_judged_as_what_the_doctor_reads(
    gate: Gate,
    write: Any,
    state_dir: Path,
    celsius: float,
    figures: dict[str, Any],
    camera: str,
    thermometer: str | None,
) -> None:
    with answering(state_dir, status={"faults": {}}, look=looked(celsius, **figures)):
        found = doctor(gate, write())
    assert found["camera front"]["status"] == "fail"
    assert camera in found["camera front"]["detail"]
    assert found["thermometer"]["ok"] is (thermometer is None)
    assert (thermometer or f"{celsius:.1f} C") in found["thermometer"]["detail"]


def test_an_agent_that_has_no_frame_and_no_reading_yet_says_so(
    gate: Gate, write: Any, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asked, "_WAIT_S", 0.3)
    nothing: dict[str, Any] = {"thermometer": None, "inputs": {}, "figures": None}
    with answering(state_dir, status={"faults": {}}, look=nothing):
        found = doctor(gate, write())
    assert "no picture comes" in found["camera front"]["detail"]
    assert found["thermometer"]["status"] == "pass"
    assert "nothing yet" in found["thermometer"]["detail"]


@pytest.mark.parametrize(("said", "bits"), [("50005\n", 0x50005), ("0\n", 0), ("", None)])
def test_the_firmwares_word_is_read_as_hexadecimal(
    tmp_path: Path, said: str, bits: int | None
) -> None:
    (tmp_path / "throttled").write_text(said)
    assert board_fact(tmp_path / "throttled").throttled == bits

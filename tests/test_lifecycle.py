"""What systemd hears over a real socket, signals in a real process, and the boot's name."""

import os
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from places import ROOT

from agent.app.gate import agent as running
from agent.errors import ConfigError, InternalError, RefusedError, UnavailableError
from agent.lifecycle import (
    ENDS_WITHIN_S,
    ExitCode,
    Notifier,
    boot_id,
    last_resort,
    on_termination,
    watchdog_s,
)

PATIENCE_S = 60.0


class Systemd:
    """systemd's end of the socket."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.settimeout(PATIENCE_S)

    def hear(self) -> str:
        return self.socket.recv(4096).decode()

    def silent(self) -> bool:
        self.socket.setblocking(False)
        try:
            self.socket.recv(4096)
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(PATIENCE_S)
        return False


@pytest.fixture(params=["path", "abstract"])
def systemd(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Systemd]:
    abstract = f"@gate-agent-test-{uuid.uuid4()}"
    listening = Systemd(str(tmp_path / "notify") if request.param == "path" else abstract)
    monkeypatch.setenv("NOTIFY_SOCKET", listening.address)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    yield listening
    listening.socket.close()


def test_systemd_hears_what_becomes_of_the_service(systemd: Systemd) -> None:
    notifier = Notifier()
    notifier.ready()
    notifier.status("in service")
    notifier.beat()
    notifier.stopping()
    assert [systemd.hear() for _ in range(4)] == [
        "READY=1",
        "STATUS=in service",
        "WATCHDOG=1",
        "STOPPING=1",
    ]
    notifier.close()
    notifier.ready()
    assert systemd.silent()


def test_a_status_is_one_line_and_no_second_field(systemd: Systemd) -> None:
    notifier = Notifier()
    notifier.status("bad\nMAINPID=1\r\nWATCHDOG=trigger")
    assert systemd.hear() == "STATUS=bad MAINPID=1 WATCHDOG=trigger"
    notifier.close()


@pytest.mark.parametrize(("usec", "every_s"), [("10000000", 2.5), (None, 1.0)])
def test_the_watchdog_is_fed_four_times_an_interval(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, usec: str | None, every_s: float
) -> None:
    if usec is not None:
        monkeypatch.setenv("WATCHDOG_USEC", usec)
    now_s = [100.0]
    notifier = Notifier(now_s=lambda: now_s[0])
    heard = []
    for _ in range(101):
        notifier.beat()
        if not systemd.silent():
            heard.append(now_s[0])
        now_s[0] += 0.125
    assert heard[0] == 100.0
    gaps = {round(b - a, 3) for a, b in pairwise(heard)}
    assert gaps == {every_s}
    notifier.close()


def test_a_systemd_that_is_gone_or_does_not_read_disturbs_nothing(tmp_path: Path) -> None:
    gone = Notifier(str(tmp_path / "nobody"))
    gone.ready()
    gone.close()
    deaf = Systemd(str(tmp_path / "deaf"))
    notifier = Notifier(deaf.address)
    for _ in range(5000):
        notifier.ready()
    assert deaf.hear() == "READY=1"
    notifier.close()
    notifier.close()
    deaf.socket.close()


def test_without_systemd_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notifier = Notifier()
    notifier.ready()
    notifier.beat()
    assert notifier._socket is None


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "10000000"}, 10.0),
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": str(os.getpid())}, 10.0),
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": ""}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "\u0663"}, None),
    ],
)
def test_the_watchdogs_interval(environment: dict[str, str], seconds: float | None) -> None:
    assert watchdog_s(environment) == seconds


def test_the_boots_name_is_the_kernels() -> None:
    assert boot_id() == Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@pytest.mark.parametrize("content", [None, "", "no uuid\n", "\ud7ff"])
def test_without_a_kernels_name_the_process_has_one(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "boot_id"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    found = boot_id(path)
    assert str(uuid.UUID(found)) == found
    assert boot_id(path) == found
    assert found != boot_id()


def test_the_exit_codes_are_those_of_the_errors() -> None:
    assert ExitCode.CONFIG == ConfigError.exit_code == 78
    assert ExitCode.UNAVAILABLE == UnavailableError.exit_code == 69
    assert ExitCode.FAILED == RefusedError.exit_code == 1
    assert ExitCode.INTERNAL == InternalError.exit_code == 70
    assert (ExitCode.OK, ExitCode.USAGE) == (0, 2)


PROCESS = """
import sys, threading
from agent.lifecycle import on_termination
came = threading.Event()
names = []
restore = on_termination(lambda name: (names.append(name), came.set()))
print("ready", flush=True)
came.wait(30)
restore()
print(*names, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_is_a_call_and_not_the_end(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROCESS], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        watchdog = threading.Timer(PATIENCE_S, process.kill)
        watchdog.start()
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.readline() == f"{number.name}\n"
        assert process.wait(PATIENCE_S) == 0
        watchdog.cancel()


def test_handlers_are_put_back() -> None:
    wanted = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(number) for number in wanted]
    restore = on_termination(lambda name: None)
    assert all(
        signal.getsignal(number) is not old for number, old in zip(wanted, before, strict=True)
    )
    restore()
    assert [signal.getsignal(number) for number in wanted] == before


# --- the end --------------------------------------------------------------------------------------

HANGS = """
import threading
from agent.lifecycle import last_resort
with last_resort(0.05) as must_end:
    must_end(70)
    threading.Event().wait()
"""


def test_what_hangs_after_the_end_began_keeps_no_process_alive() -> None:
    done = subprocess.run([sys.executable, "-c", HANGS], cwd=ROOT, timeout=PATIENCE_S, check=False)
    assert done.returncode == 70


def test_whoever_leaves_in_time_is_let_go() -> None:
    with last_resort(PATIENCE_S) as must_end:
        before = threading.active_count()
        must_end(70)
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(PATIENCE_S)
    assert threading.active_count() <= before


def test_threads_that_hang_leave_the_last_resort_unused() -> None:
    broker_s = 1.0
    assert running._STOP_S + running._LAST_WORDS_S + broker_s < ENDS_WITHIN_S

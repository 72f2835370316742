"""The control socket: who may ask, who asked, and what no client can do to the agent."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

import pytest
from mosquitto import wait_until

from agent.app.open.control import CLIENT_TIMEOUT_S, ask, user_name
from agent.app.threads.control import socket as control
from agent.app.threads.control.clients import MOST_OF_ONE_USER
from agent.app.threads.control.socket import ControlServer, caller_name
from agent.errors import RefusedError, StoreError, UnavailableError

ME = f"uid:{os.getuid()}"


class Running:
    """A server in its thread, and what it was asked."""

    def __init__(self, path):
        self.path = path
        self.asked: list[tuple[dict[str, object], str]] = []
        self.server = ControlServer(
            path,
            {
                "status": self._status,
                "refuse": lambda *_: self._raise(ValueError("no such fault")),
                "veto": lambda *_: self._raise(RefusedError("vetoed", "not now")),
                "late": lambda *_: self._raise(OverflowError("date value out of range")),
                "locked": lambda *_: self._raise(StoreError("journal is locked", "try again")),
            },
        )
        self.thread = threading.Thread(target=self.server.work)
        self.thread.start()

    def _status(self, request, caller):
        self.asked.append((dict(request), caller))
        return {"status": {"online": True}}

    def _raise(self, error):
        raise error

    def raw(self, *parts: bytes, timeout_s: float = 5.0) -> bytes:
        """What comes back until the server hangs up."""
        answer = b""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(timeout_s)
            client.connect(str(self.path))
            try:
                for part in parts:
                    client.sendall(part)
                while chunk := client.recv(4096):
                    answer += chunk
            except (BrokenPipeError, ConnectionResetError):
                pass  # cut off while there was something left to send
        return answer

    def alive(self) -> bool:
        return ask(self.path, {"command": "status"}) == {"ok": True, "status": {"online": True}}

    def close(self):
        self.server.stop()
        self.thread.join(60)
        assert not self.thread.is_alive()


@pytest.fixture
def make_server(tmp_path, monkeypatch):
    monkeypatch.setattr(control, "_POLL_S", 0.02)  # how soon ``stop`` is seen
    made: list[Running] = []

    def make(path=tmp_path / "run" / "control.sock"):
        made.append(Running(path))
        return made[-1]

    yield make
    for running in made:
        running.close()


@pytest.fixture
def running(make_server):
    return make_server()


def test_a_command_is_answered_and_its_caller_known(running: Running) -> None:
    assert ask(running.path, {"command": "status", "extra": [1]}) == {
        "ok": True,
        "status": {"online": True},
    }
    ((request, caller),) = running.asked
    assert request == {"command": "status", "extra": [1]}
    assert caller == user_name(os.getuid())
    assert caller.split()[0] == ME


def test_the_name_is_the_kernels_and_never_the_requests(running: Running) -> None:
    ask(running.path, {"command": "status", "by": "uid:0 root", "caller": "uid:0 root"})
    assert running.asked[0][1] == user_name(os.getuid())
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert caller_name(one) == user_name(os.getuid())


def test_a_user_without_a_login_is_a_number() -> None:
    assert user_name(4_000_000_001) == "uid:4000000001"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_socket_is_for_its_owner_and_group(make_server, umask: int) -> None:
    before = os.umask(umask)
    try:
        running = make_server()
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    mode = running.path.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o660
    assert running.path.parent.stat().st_mode & 0o007 == 0


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"status\n",
        b"{\n",
        b'"status"\n',
        b"[]\n",
        b"null\n",
        b"{}\n",
        b'{"command": null}\n',
        b'{"command": ["status"]}\n',
        b'{"command": {"a": 1}}\n',
        b'{"command": "STATUS"}\n',
        b'{"command": "open_door"}\n',
        b'{"command": "status"}\n{"command": "status"}\n',
        b"\x00\n",
        b'{"command": "status\x00"}\n',
        b"\x00\x00\x00{\n",
        b"\xff\xfe{\n",
        b"\xef\xbb\xbf{}\n",
        b"[" * 4000 + b"\n",
        b'{"a":' * 800 + b"\n",
        b"9" * 4000 + b"\n",
        b"-Infinity\n",
    ],
    ids=lambda line: repr(line[:24]),
)
def test_what_is_no_request_is_refused(running: Running, line: bytes) -> None:
    answer = json.loads(running.raw(line))
    assert answer["ok"] is False
    assert set(answer) == {"ok", "error"}
    assert len(answer["error"]) < 300
    assert running.asked == []
    assert running.alive()


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("refuse", "no such fault"),
        ("veto", "not now"),
        # A journal that somebody holds must not end the agent because of a question.
        ("locked", "journal is locked"),
        # Nor what no command foresaw in what it was asked.
        ("late", "cannot be read"),
    ],
)
def test_a_refusal_says_why(running: Running, command: str, error: str) -> None:
    answer = ask(running.path, {"command": command})
    assert answer["ok"] is False
    assert error in answer["error"]
    assert running.alive()


def test_a_request_without_an_end_is_cut_off(running: Running) -> None:
    assert running.raw(b'{"command": "status"' + b" " * 5000 + b"}\n") == b""
    assert running.raw(b"x" * 200_000) == b""
    assert running.alive()


def test_a_client_that_says_nothing_is_cut_off(running: Running) -> None:
    assert running.raw() == b""
    assert running.alive()


@pytest.mark.parametrize("many", [10, MOST_OF_ONE_USER, 200])
def test_silent_clients_keep_nobody_waiting(running: Running, many: int) -> None:
    with contextlib.ExitStack() as silent:
        for _ in range(many):
            client = silent.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(str(running.path))
        for _ in range(3):
            begun_s = time.monotonic()
            assert running.alive()
            assert time.monotonic() - begun_s < CLIENT_TIMEOUT_S


def test_a_client_that_reads_no_answer_keeps_nobody_waiting(running: Running) -> None:
    running.server._commands = {**running.server._commands, "much": lambda *_: {"a": "x" * 4000000}}
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.connect(str(running.path))
        deaf.sendall(b'{"command": "much"}\n')
        begun_s = time.monotonic()
        assert running.alive()
        assert time.monotonic() - begun_s < CLIENT_TIMEOUT_S
    assert len(running.raw(b'{"command": "much"}\n')) > 4_000_000


def test_a_byte_now_and_then_does_not_hold_the_socket(running: Running) -> None:
    with socket.socket(socket.AF_UNIX) as slow:
        slow.connect(str(running.path))
        cut = threading.Event()

        def drip() -> None:
            try:
                while not cut.wait(0.1):
                    slow.sendall(b" ")
            except OSError:
                cut.set()

        thread = threading.Thread(target=drip)
        thread.start()
        assert cut.wait(60)
        thread.join(60)
    assert running.alive()


def test_clients_that_hang_up_are_no_matter(running: Running) -> None:
    for sent in (b"", b"{", b'{"command": "status"}\n'):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(running.path))
            client.sendall(sent)
    assert running.alive()


def test_half_a_line_and_a_hang_up_is_still_a_line(running: Running) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(running.path))
        client.sendall(b'{"command": "status"}')
        client.shutdown(socket.SHUT_WR)
        assert json.loads(client.recv(4096))["ok"] is True


def test_a_second_agent_stays_outside(make_server, running: Running) -> None:
    with pytest.raises(UnavailableError, match="already listens") as caught:
        make_server()
    assert caught.value.fix is not None
    assert running.alive()


def test_a_busy_agent_is_not_taken_for_a_dead_one(make_server, tmp_path) -> None:
    path = tmp_path / "busy.sock"
    server = ControlServer(path, {})  # nobody accepts
    waiting = []
    try:
        for _ in range(64):
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            waiting.append(client)
            try:
                client.connect(str(path))
            except BlockingIOError:
                break
        else:
            pytest.fail("the queue of the socket never filled")
        with pytest.raises(UnavailableError, match="already listens"):
            make_server(path)
        assert path.is_socket()
    finally:
        for client in waiting:
            client.close()
        server.stop()
        server.work()


HELD = """
import sys, time
from pathlib import Path
from agent.app.threads.control import socket as control
from agent.app.threads.control.socket import ControlServer
server = ControlServer(Path(sys.argv[1]), {})
print("listening", flush=True)
time.sleep(60)
"""


def test_the_socket_of_a_killed_agent_is_cleared_away(make_server, tmp_path) -> None:
    path = tmp_path / "control.sock"
    other = subprocess.Popen([sys.executable, "-c", HELD, str(path)], stdout=subprocess.PIPE)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == b"listening\n"
        with pytest.raises(UnavailableError, match="already listens"):
            make_server(path)
        other.send_signal(signal.SIGKILL)
        other.wait(60)
        assert path.is_socket()
        assert make_server(path).alive()
    finally:
        other.kill()
        other.communicate(timeout=60)


def test_at_the_end_the_socket_is_gone_and_the_next_may_listen(make_server) -> None:
    for _ in range(3):
        running = make_server()
        assert running.alive()
        running.close()
        assert not running.path.exists()


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_socket_is_left_alone(make_server, tmp_path, kind: str) -> None:
    path = tmp_path / "gallery.key"
    kept = tmp_path / "kept"
    kept.write_text("secret")
    if kind == "file":
        path.write_text("secret")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(kept)
    with pytest.raises(UnavailableError, match="no socket") as caught:
        make_server(path)
    assert "[control] socket" in str(caught.value.fix)
    assert os.path.lexists(path)
    assert kept.read_text() == "secret"


def test_a_place_that_cannot_be_is_said(make_server, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "control.sock", tmp_path / ("x" * 120)):
        with pytest.raises(UnavailableError, match="cannot listen") as caught:
            make_server(path)
        assert "108" in str(caught.value.fix)


def test_nobody_listens(tmp_path) -> None:
    with pytest.raises(UnavailableError, match="no agent answers") as caught:
        ask(tmp_path / "none.sock", {"command": "status"}, timeout_s=1)
    assert "gate-agent run" in str(caught.value.fix)


@pytest.mark.parametrize("answer", [b"", b"hello\n", b"[1]\n", b'{"ok": tr'])
def test_what_answers_may_be_no_agent(tmp_path, answer: bytes) -> None:
    path = tmp_path / "other.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)
        server.settimeout(10)

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(UnavailableError):
            ask(path, {"command": "status"}, timeout_s=5)
        thread.join(60)


def test_an_agent_that_hangs_is_not_waited_for(tmp_path) -> None:
    path = tmp_path / "hung.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)
        with pytest.raises(UnavailableError, match="no agent answers"):
            ask(path, {"command": "status"}, timeout_s=0.2)


def test_many_clients_at_once_are_all_answered(running: Running) -> None:
    answers: list[object] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(ask(running.path, {"command": "status"}, timeout_s=10))
        )
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert answers == [{"ok": True, "status": {"online": True}}] * 6
    assert wait_until(lambda: len(running.asked) == 6)

"""The page as systemd starts it: its socket, its link from another process, its end."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from console_parts import Served
from in_process import run_here
from mosquitto import wait_until

pytest.importorskip("starlette", reason="the extra `console` is not installed: no page is served")
pytest.importorskip("uvicorn", reason="the extra `console` is not installed: no page is served")

from agent.errors import UnavailableError
from agent.technician.console import server
from agent.technician.console.kept import KeptToken
from agent.technician.console.tickets import TOKEN_S, Tickets

ACTIVATE = shutil.which("systemd-socket-activate")


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_link_of_another_process_is_good_once_and_in_time(tmp_path: Path) -> None:
    clock = Clock()
    kept = KeptToken(tmp_path, clock)
    void, token = kept.issue(), kept.issue()
    assert token not in (tmp_path / "token").read_text()
    assert (tmp_path / "token").stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["token"]
    for wrong in (void, "", "x" * 10_000, token[:-1]):
        assert not kept.redeem(wrong)
    assert kept.redeem(token)
    assert not kept.redeem(token)
    late = kept.issue()
    clock.now_s += TOKEN_S
    assert not kept.redeem(late)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "said", [b"", b"x", b"\xff\xfe 9", b"a" * 64 + b" nan", b"a" * 64 + b" soon", b" 99999"]
)
def test_whatever_lies_there_lets_nobody_in(tmp_path: Path, said: bytes) -> None:
    (tmp_path / "token").write_bytes(said)
    assert not KeptToken(tmp_path, Clock()).redeem("")
    (tmp_path / "token").unlink(missing_ok=True)
    other = tmp_path / "other"
    token = KeptToken(tmp_path, Clock()).issue()
    (tmp_path / "token").rename(other)
    (tmp_path / "token").symlink_to(other)
    assert not KeptToken(tmp_path, Clock()).redeem(token)


def test_both_kinds_of_link_let_in_and_each_begins_a_session(tmp_path: Path) -> None:
    kept = KeptToken(tmp_path)
    tickets = Tickets(kept=kept.redeem)
    assert tickets.silent
    assert tickets.redeem("no") is None
    by_file, here = kept.issue(), tickets.issue()
    assert tickets.redeem(by_file)
    assert tickets.redeem(here)
    assert tickets.redeem(by_file) is None
    assert not tickets.silent


def test_where_the_socket_is_off_the_command_says_how_to_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.technician.console.kept.FOLDER", tmp_path / "none")
    done = run_here("console", "--token", environment={**os.environ})
    assert done.returncode == 69
    assert "systemctl enable --now gate-agent-console.socket" in done.stderr
    monkeypatch.setattr("agent.technician.console.kept.FOLDER", tmp_path)
    done = run_here("console", "--token", "--json", environment={**os.environ})
    told = json.loads(done.stdout)
    assert (told["port"], told["valid_s"]) == (8020, TOKEN_S)
    assert KeptToken(tmp_path).redeem(told["url"].partition("#")[2])


@pytest.mark.parametrize("count", ["0", "2", "x", ""])
def test_another_number_of_sockets_is_refused(count: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    monkeypatch.setenv("LISTEN_FDS", count)
    with pytest.raises(UnavailableError, match="loopback interface only"):
        server.handed_over()
    assert not [name for name in os.environ if name.startswith("LISTEN_")]
    monkeypatch.setenv("LISTEN_PID", "1")
    assert server.handed_over() is None


@pytest.mark.parametrize("where", ["0.0.0.0", "127.0.0.1"])
def test_a_socket_of_the_network_is_refused(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((where, 0)) as given:
        monkeypatch.setattr(server, "_FIRST_HANDED_OVER", os.dup(given.fileno()))
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        monkeypatch.setenv("LISTEN_FDS", "1")
        if where == "0.0.0.0":
            with pytest.raises(UnavailableError):
                server.handed_over()
        else:
            taken = server.handed_over()
            assert taken is not None
            assert taken.getsockname() == given.getsockname()
            taken.close()


@pytest.mark.skipif(ACTIVATE is None, reason="systemd-socket-activate is not installed")
def test_systemd_starts_it_the_link_opens_it_and_it_ends_by_itself(tmp_path: Path) -> None:
    assert ACTIVATE is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = tmp_path / "program.py"
    program.write_text(
        # Only what is named reaches whom systemd starts: no environment does.
        f"import sys\nsys.path[:0] = {sys.path!r}\nfrom pathlib import Path\n"
        "import agent.cli.running.console as console\n"
        "import agent.technician.console.kept as kept\n"
        f"kept.FOLDER = Path({str(tmp_path)!r})\n"
        "console._ALONE_S = 1.0\n"
        "from agent.cli.main import main\n"
        "sys.argv[0] = 'gate-agent'\nsys.exit(main())\n"
    )
    words = ["console", "--config", str(tmp_path / "gate.toml"), "--state-dir", str(tmp_path)]
    process = subprocess.Popen(
        [ACTIVATE, "-l", f"127.0.0.1:{port}", sys.executable, str(program), *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        page, token = Served(port, Tickets()), KeptToken(tmp_path).issue()
        assert wait_until(lambda: _listens(port))
        page.session = page.ask("POST", "/api/enter", {"token": token}).json["session"]
        assert page.ask("POST", "/api/enter", {"token": token}).status == 401
        assert page.ask("GET", "/api/config").status == 200
        page.ask("POST", "/api/leave")
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        time.sleep(0.05)
        return False
    return True

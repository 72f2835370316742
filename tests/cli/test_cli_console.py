"""``gate-agent console`` as a process: its link opens the page, and it ends once nobody is in."""

import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from console_parts import Served
from gate_command import Gate

pytest.importorskip("starlette", reason="the extra `console` is not installed: no page is served")
pytest.importorskip("uvicorn", reason="the extra `console` is not installed: no page is served")

from agent.cli.main import main
from agent.technician.console import server  # noqa: F401 - for the process that is forked here
from agent.technician.console.tickets import Tickets


@pytest.fixture
def port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize("interrupted", [False, True])
def test_its_link_opens_the_page_and_it_ends_once_nobody_is_in(
    port: int, tmp_path: Path, *, interrupted: bool
) -> None:
    reads, writes = os.pipe()
    words = ["console", "--json", "--port", str(port), "--config", str(tmp_path / "gate.toml")]
    child = os.fork()
    if not child:
        code = 99
        try:
            os.dup2(writes, 1)
            sys.stdout = os.fdopen(1, "w")
            code = main([*words, "--state-dir", str(tmp_path)])
        finally:
            os._exit(code)
    os.close(writes)
    with os.fdopen(reads) as said:
        told = json.loads(said.readline())
        here = f"http://127.0.0.1:{port}/#"
        assert told["url"].startswith(here)
        assert (told["port"], told["valid_s"]) == (port, 600.0)
        page = Served(port, Tickets())
        token = told["url"].removeprefix(here)
        page.session = page.ask("POST", "/api/enter", {"token": token}).json["session"]
        assert page.ask("GET", "/api/state").json["config"] == "wrong"
        if interrupted:
            os.kill(child, signal.SIGINT)
        else:
            page.ask("POST", "/api/leave", {})
        assert said.read() == ""
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_port_that_is_taken_is_said(gate: Gate, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        answer = gate("console", "--port", str(other.getsockname()[1]), "--state-dir", tmp_path)
    assert answer.code == 69
    assert "cannot listen at 127.0.0.1" in answer.err
    assert "--port" in answer.err
    assert answer.out == ""


@pytest.mark.parametrize("wrong", ["0", "70000", "x", "-1"])
def test_a_port_that_is_none_is_wrong_usage(gate: Gate, wrong: str) -> None:
    assert gate("console", "--port", wrong).code == 2

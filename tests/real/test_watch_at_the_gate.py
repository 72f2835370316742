"""Watching the installed agent: its doors and people, its death by kill -9, and its return."""

import os
import pty
import signal
import subprocess

import pytest
from mosquitto import wait_until
from test_agent import PROGRAM, Site, simulated
from watch_parts import Heard, is_as_it_was, watching

AREA = """
[[area]]
id = "garden"
anti_passback = "soft"
"""
AWAY, WELL = b"the agent does not answer", b"in service"


@pytest.fixture
def site(tmp_path, dlib_pack, shared_faces, monkeypatch):
    site = Site(tmp_path, dlib_pack.directory.parent)
    portrait = shared_faces / "gallery" / "obama.jpg"
    site.configure(simulated(portrait))
    text = site.config.read_text().replace("[[rule]]", f'to_area = "garden"{AREA}[[rule]]', 1)
    site.config.write_text(text)
    site.enrol(portrait)
    monkeypatch.setenv("GATE_AGENT_STATE_DIR", str(site.state))
    monkeypatch.setenv("GATE_AGENT_CONFIG", str(site.config))
    monkeypatch.setenv("TERM", "xterm-256color")
    yield site
    for process in site.processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


def newest(screen: Heard) -> bytes:
    """What the screen said last of the agent."""
    return max(AWAY, WELL, key=screen.said.rfind)


@pytest.mark.slow
def test_an_agent_that_is_killed_and_comes_back(site: Site) -> None:
    with watching() as lines, watching(at_terminal=True) as screen:
        assert lines.says("agent  does not answer since ")
        assert screen.says("the agent does not answer since ")
        agent = site.run()
        assert lines.says("agent  answers\n")
        assert lines.says("access points  north-entry=")
        assert lines.says("attack detection  none: a photo may pass\n")
        assert lines.says("inside  garden=1\n")
        assert lines.says("access.granted")
        assert wait_until(lambda: newest(screen) == WELL)
        assert screen.says("inside garden=1")
        assert screen.says("granted")

        agent.send_signal(signal.SIGKILL)
        agent.wait(60)
        assert lines.says("agent  does not answer since ", times=2)
        assert wait_until(lambda: newest(screen) == AWAY)

        site.run()
        assert lines.says("agent  answers\n", times=2)
        assert lines.says("agent.started", times=2)
        assert wait_until(lambda: newest(screen) == WELL)
        assert lines.ended(signal.SIGINT) == screen.ended(signal.SIGTERM) == 0
        assert is_as_it_was(screen.said)
        # Each event once, whatever died in between.
        events = [line for line in lines.lines if line[:2] == "20"]
        assert len(events) == len(set(events))


@pytest.mark.slow
def test_the_agent_at_a_terminal_speaks_to_a_person(site: Site) -> None:
    text = site.config.read_text()
    # Nobody listens there: port 1 is nobody's.
    site.config.write_text(f'{text}[broker]\nhost = "127.0.0.1"\nport = 1\n')
    ours, theirs = pty.openpty()
    environment = {**site.environment, "NO_COLOR": "1", "COLUMNS": "80"}
    process = subprocess.Popen([str(PROGRAM), "run"], env=environment, stdout=theirs, stderr=theirs)
    os.close(theirs)
    heard = Heard(ours)
    try:
        assert heard.says("watches lakeside/g3/north-1")
        assert heard.says("in service after ")
        assert heard.says("north-entry  granted  score/limit ")
        assert heard.says("broker is away: ")
        process.terminate()
        assert process.wait(60) == 0
        assert heard.says("stops: ")
    finally:
        process.kill()
        process.wait(60)
        heard.close()
    assert "obama" not in heard.said.decode()
    assert b"{" not in heard.said

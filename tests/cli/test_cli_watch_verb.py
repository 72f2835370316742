"""Watching a gate from outside: the real verb on real terminals, pipes and journals."""

import grp
import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from mosquitto import wait_until
from nobody_parts import as_nobody
from store_parts import holder
from watch_parts import OFF, is_as_it_was, watching

from agent.adapters.store.keys import init_key
from agent.app.desk.watching import rounds, status_of
from agent.app.open.files.state import JOURNAL, SOCKET
from agent.app.open.files.stores import Key, open_journal, open_registry
from agent.app.open.site import instant, make_event, site_of
from agent.app.threads.control.socket import ControlServer
from agent.cli.running import watch_screen
from agent.domain.record.events import EventType
from agent.errors import UnavailableError
from agent.ports import EventLog, StoredEvent


def newest(log: EventLog) -> Iterator[StoredEvent]:
    return log.read(newest=10)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state directory of whatever is started here."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    for name in [name for name in os.environ if name.startswith("GATE_AGENT")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GATE_AGENT_STATE_DIR", str(state))
    monkeypatch.setenv("TERM", "xterm-256color")
    return state


def note(state: Path, what: str) -> None:
    """Somebody writes down a denial, as the agent does."""
    site = site_of(state, None)
    with open_journal(site, may_set_aside=True) as journal:
        journal.append(make_event(EventType.ACCESS_DENIED, {"reason": what}, instant(site)))


@contextmanager
def answering(path: Path, answer: Callable[[], dict[str, object]]) -> Iterator[None]:
    """The agent's own socket, behind which only the status is known."""
    server = ControlServer(path, {"status": lambda _request, _caller: {"status": answer()}})
    thread = threading.Thread(target=server.work)
    thread.start()
    try:
        yield
    finally:
        server.stop()
        thread.join(60)


# --- the terminal --------------------------------------------------------------------------------


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_terminal_is_as_it_was(how: signal.Signals) -> None:
    with watching(at_terminal=True) as watched:
        assert watched.says("does not answer")
        assert watched.ended(how) == 0
        assert is_as_it_was(watched.said)


def breaks() -> None:
    """The second round of the screen fails, as only a mistake of ours could."""
    whole, shown = watch_screen.screen, []

    def screen(*arguments: Any) -> object:
        shown.append(arguments)
        if len(shown) > 1:
            raise ZeroDivisionError
        return whole(*arguments)

    watch_screen.screen = screen  # type: ignore[assignment] # in the child only


@pytest.mark.usefixtures("state")
def test_the_terminal_is_as_it_was_after_an_exception() -> None:
    with watching(at_terminal=True, first=breaks) as watched:
        assert watched.ended() == 70
        assert is_as_it_was(watched.said)
        # And what went wrong is told where it can be read.
        assert b"ZeroDivisionError" in watched.said[watched.said.rfind(OFF) :]


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_can_only_print_gets_lines(
    monkeypatch: pytest.MonkeyPatch, term: str
) -> None:
    monkeypatch.setenv("TERM", term)
    with watching(at_terminal=True) as watched:
        assert watched.says("agent  does not answer since ")
        assert watched.ended(signal.SIGINT) == 0
        assert b"\x1b" not in watched.said


def test_who_is_erased_is_named_no_more(state: Path) -> None:
    site = site_of(state, None)
    init_key(site.key_file)
    lin = holder("lin.2")
    with open_registry(site, Key.NEEDED) as registry:
        registry.put(lin, by="test", now=instant(site))
    with open_journal(site) as journal:
        data = {"holder": "lin.2", "score": 0.6, "threshold": 0.5}
        journal.append(make_event(EventType.ACCESS_GRANTED, data, instant(site)))
    with watching(at_terminal=True) as watched:
        assert watched.says("Lin Yu")
        with open_registry(site, Key.NEEDED) as registry:
            registry.remove(lin.id, by="test", now=instant(site))
        # The last decision stands there by the id from now on.
        assert wait_until(lambda: watched.said.rfind(b"lin.2") > watched.said.rfind(b"Lin Yu"))


# --- lines ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("state")
def test_elsewhere_it_is_lines() -> None:
    with watching() as watched:
        assert watched.says("\n")
        assert watched.ended(signal.SIGINT) == 0
        (line,) = watched.lines
        assert line.startswith("agent  does not answer since ")


def test_the_first_event_of_all_is_told(state: Path) -> None:
    with watching("--lines", "0") as watched:
        assert watched.says("does not answer")
        assert not JOURNAL.at(state).exists()  # to look makes none
        note(state, "First")
        assert watched.says("  first\n")


def test_a_damaged_journal_is_told_and_read_again(state: Path) -> None:
    note(state, "Before")
    with watching() as watched:
        assert watched.says("  before\n")
        damage(state)
        assert watched.says("journal  cannot be read: ")
        assert watched.says("restart the agent")
        note(state, "After")
        assert watched.says("journal  is read again")
        assert watched.says("  after\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_who_has_no_right_is_told_so_and_how_to_get_it() -> None:
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as agent:
        Path(folder).chmod(0o755)
        path = SOCKET.at(Path(folder))
        agent.bind(str(path))
        agent.listen()
        path.chmod(0o660)
        os.chown(path, 0, grp.getgrnam("daemon").gr_gid)
        site = site_of(Path(folder), None)

        def work() -> None:
            seen, _ = next(rounds(site, status_of(None, Path(folder)), newest))
            raise UnavailableError(f"{seen.away}; {seen.fix}")

        said = as_nobody(work)
    assert said == (
        f"the socket {path} is not for this user; run as root, or join the group daemon:"
        " sudo usermod -aG daemon USER, from the next login on"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_folder_of_one_user_names_no_group() -> None:
    with TemporaryDirectory() as folder:
        said = as_nobody(status_of(None, Path(folder)))
    assert "is not for this user" in said
    assert said.endswith(
        "Fix: run as root, or as the user who runs the agent: sudo -u USER gate-agent ..."
    )


def test_the_people_inside_and_attack_detection_are_told(state: Path) -> None:
    status: dict[str, object] = {
        "faults": {},
        "access_points": {"yard": "secured"},
        "pad": {"packs": {"minifasnet": "1.0"}},
        "inside": {"garden": 2},
        "broker": "away",
        "broker_why": "it refuses this password",
    }
    with watching() as watched, answering(SOCKET.at(state), lambda: status):
        assert watched.says("attack detection  minifasnet 1.0\n")
        assert watched.says("inside  garden=2\n")
        assert watched.says("broker  away: it refuses this password\n")
        status["inside"] = {"garden": 3}
        assert watched.says("inside  garden=3\n")


# --- JSON ----------------------------------------------------------------------------------------


def test_json_is_an_event_a_line(state: Path) -> None:
    for reason in ("First", "Second", "Third"):
        note(state, reason)
    with watching("--json", "--lines", "2") as watched:
        assert watched.says('"Third"')
        note(state, "Fourth")
        assert watched.says('"Fourth"')
        assert watched.ended(signal.SIGINT) == 0
        events = [json.loads(line) for line in watched.lines]
    assert [event["data"]["reason"] for event in events] == ["Second", "Third", "Fourth"]
    assert {event["type"] for event in events} == {"gate.access.denied"}
    assert {event["specversion"] for event in events} == {"1.0"}


def test_json_goes_on_where_the_journal_is_damaged_and_begun_anew(state: Path) -> None:
    note(state, "Before")
    with watching("--json") as watched:
        assert watched.says('"Before"')
        damage(state)
        assert watched.says("the journal cannot be read")
        note(state, "After")  # the agent sets the file aside
        assert watched.says('"After"')
        assert watched.lives()
        assert watched.said.count(b'"Before"') == 1


def damage(state: Path) -> None:
    journal = JOURNAL.at(state)
    for file in state.glob(f"{journal.name}-*"):
        file.write_bytes(b"\x00" * file.stat().st_size)
    journal.write_bytes(b"no database at all" * 1000)


# --- the config ----------------------------------------------------------------------------------


def test_the_config_is_read_when_it_has_changed(
    config_file: Path, state: Path, tmp_path: Path
) -> None:
    text = config_file.read_text()

    def listens_at(name: str, *, changed_ns: int) -> None:
        config_file.write_text(f'{text}[control]\nsocket = "{tmp_path / name}"\n')
        os.utime(config_file, ns=(changed_ns, changed_ns))

    listens_at("a.sock", changed_ns=1)
    look = rounds(
        site_of(state, config_file), status_of(config_file, state), newest, pause=lambda: None
    )
    assert "a.sock" in str(next(look)[0].away)
    listens_at("b.sock", changed_ns=1)
    assert "a.sock" in str(next(look)[0].away)
    listens_at("b.sock", changed_ns=2)
    assert "b.sock" in str(next(look)[0].away)
    # Half written: the agent listens where it did.
    config_file.write_text("[kiosk")
    assert "b.sock" in str(next(look)[0].away)
    listens_at("c.sock", changed_ns=3)
    assert "c.sock" in str(next(look)[0].away)

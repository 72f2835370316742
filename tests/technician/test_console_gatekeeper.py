"""Who gets at the technician's page: attacks on a running one, byte by byte."""

from collections.abc import Iterator
from typing import Any

import pytest
from console_parts import Served, read_reply, served

pytest.importorskip("starlette", reason="the extra `console` is not installed: no page is served")
pytest.importorskip("uvicorn", reason="the extra `console` is not installed: no page is served")

from agent.errors import RefusedError
from agent.technician.console.gatekeeper import HEADERS, MOST_BODY_BYTES, is_loopback
from agent.technician.console.tickets import IDLE_S, LONGEST_S, MOST_SESSIONS, TOKEN_S, Tickets


class PlainDesk:
    """Counts what got through."""

    def __init__(self) -> None:
        self.asked = 0

    def state(self) -> dict[str, Any]:
        self.asked += 1
        return {"answers": True}

    def look(self, camera: str | None) -> dict[str, Any]:
        return {"camera": camera}

    def release(self, point: object, reason: object) -> dict[str, Any]:
        raise RefusedError("refused", "not here")

    def try_out(self, point: object, outcome: object) -> dict[str, Any]:
        raise RefusedError("refused", "not here")

    def begin_walk_test(self, point: object, minutes: object) -> dict[str, Any]:
        raise RefusedError("refused", "not here")

    def end_walk_test(self) -> dict[str, Any]:
        self.asked += 1
        return {}

    def left(self) -> None:
        pass

    def config(self) -> dict[str, Any]:
        return {}

    def check_config(self, text: object) -> dict[str, Any]:
        return {"text": text}

    def examination(self) -> dict[str, Any]:
        raise RefusedError("a_word", "it may not be\nFix: do the other thing")

    def examine(self) -> dict[str, Any]:
        self.asked += 1
        raise ValueError("a name of somebody")


@pytest.fixture(scope="module")
def desk() -> PlainDesk:
    return PlainDesk()


@pytest.fixture(scope="module")
def running(desk: PlainDesk) -> Iterator[Served]:
    with served(desk) as console:
        yield console


@pytest.fixture
def page(running: Served) -> Served:
    return running.enter()


# --- the names of this machine -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "well"),
    [
        ("127.0.0.1:8020", True),
        ("127.0.0.1:9000", True),  # the tunnel begins at another port
        ("127.0.0.1", True),
        ("localhost:8020", True),
        ("LOCALHOST:8020", True),
        ("[::1]:8020", True),
        ("gate.example:8020", False),
        ("127.0.0.1.gate.example", False),
        ("localhost.gate.example", False),
        ("127.0.0.1@gate.example", False),
        ("gate.example#127.0.0.1", False),
        ("gate.example/127.0.0.1", False),
        ("127.0.0.1:8020:1", False),
        ("127.0.0.1:port", False),
        ("192.168.1.20:8020", False),
        ("0.0.0.0:8020", False),
        ("[::ffff:7f00:1]evil", False),
        ("", False),
    ],
)
def test_only_the_names_of_this_machine_are_its_own(host: str, *, well: bool) -> None:
    assert is_loopback(host) is well


# --- attacks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 200),
        ("GET", {"Origin": "http://{here}"}, 200),
        ("GET", {"Host": "gate.example:{port}"}, 421),
        ("GET", {"Host": "gate.example:{port}", "Origin": "http://gate.example:{port}"}, 421),
        ("GET", {"Origin": "http://127.0.0.1:1"}, 403),
        ("GET", {"Origin": "https://{here}"}, 403),
        ("GET", {"Origin": "null"}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-site"}, 403),
        ("GET", {"Sec-Fetch-Site": "same-origin"}, 200),
        ("GET", {"X-Forwarded-For": "10.0.0.1"}, 403),
        ("GET", {"Forwarded": "for=10.0.0.1"}, 403),
        ("GET", {"Via": "1.1 proxy"}, 403),
        ("GET", {"Authorization": None}, 401),
        ("GET", {"Authorization": "Bearer "}, 401),
        ("GET", {"Authorization": "Bearer x"}, 401),
        ("GET", {"Authorization": "Basic {session}"}, 401),
        ("GET", {"Authorization": None, "Cookie": "session={session}"}, 401),
        ("POST", {"Origin": None}, 403),
        ("POST", {"Origin": "http://gate.example"}, 403),
        ("POST", {"Content-Type": "text/plain"}, 415),
        ("POST", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ("POST", {"Content-Type": None}, 415),
        ("OPTIONS", {"Origin": "http://gate.example"}, 403),
        ("OPTIONS", {}, 405),
        ("PUT", {}, 405),
        ("DELETE", {}, 405),
        ("TRACE", {}, 405),
    ],
)
def test_what_another_page_sends_ends_before_the_desk(
    page: Served, desk: PlainDesk, method: str, headers: dict[str, str | None], status: int
) -> None:
    filled = {
        name: value and value.format(here=page.here, port=page.port, session=page.session)
        for name, value in headers.items()
    }
    before = desk.asked
    path = "/api/state" if method != "POST" else "/api/doctor"
    answer = page.ask(method, path, {} if method == "POST" else None, headers=filled)
    assert answer.status == status
    assert (desk.asked > before) is (status == 200)
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "request_head",
    [
        "GET /api/state HTTP/1.1\r\n\r\n",
        "GET /api/state HTTP/1.1\r\nHost: {here}\r\nHost: gate.example\r\n\r\n",
        "GET /api/state HTTP/1.0\r\n\r\n",
        "GET http://gate.example/api/state HTTP/1.1\r\nHost: {here}\r\n\r\n",
        "GET /api/../api/state HTTP/1.1\r\nHost: {here}\r\n\r\n",
        "GET //api/state HTTP/1.1\r\nHost: {here}\r\n\r\n",
        "GET /%61pi/state HTTP/1.1\r\nHost: {here}\r\n\r\n",
        "GET /API/state HTTP/1.1\r\nHost: {here}\r\n\r\n",
        "GET /../../etc/passwd HTTP/1.1\r\nHost: {here}\r\n\r\n",
        "GET /console.js/../../server.py HTTP/1.1\r\nHost: {here}\r\n\r\n",
        "no http at all\r\n\r\n",
        "GET /api/state HTTP/1.1\r\nHost: {here}\r\nX: {long}\r\n\r\n",
        "POST /api/enter HTTP/1.1\r\nHost: {here}\r\nOrigin: http://{here}\r\n"  # noqa: ISC004 - one request
        "Content-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\nGET /api/state HTTP/1.1\r\nHost: {here}\r\n\r\n",
    ],
    ids=lambda text: text[:40].replace("\r\n", " "),
)
def test_a_crooked_request_reaches_nothing(
    page: Served, desk: PlainDesk, request_head: str
) -> None:
    before = desk.asked
    data = request_head.format(here=page.here, long="x" * 100_000).encode()
    try:
        heard = page.raw(data)
    except ConnectionResetError:
        heard = b""  # it was cut off while it was still sending
    assert desk.asked == before
    assert b" 200 " not in heard.partition(b"\r\n")[0]
    assert b"root:" not in heard
    assert page.ask("GET", "/api/state").status == 200


def test_no_websocket_is_opened(page: Served) -> None:
    head = (
        f"GET /api/state HTTP/1.1\r\nHost: {page.here}\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    )
    answer = read_reply(page.raw(head.encode()))
    assert answer.status == 401


@pytest.mark.parametrize(
    "length", [{"Content-Length": str(MOST_BODY_BYTES + 2)}, {"Transfer-Encoding": "chunked"}]
)
def test_a_body_has_an_end(page: Served, length: dict[str, str]) -> None:
    size = MOST_BODY_BYTES + 2
    name, value = next(iter(length.items()))
    head = (
        f"POST /api/enter HTTP/1.1\r\nHost: {page.here}\r\nOrigin: http://{page.here}\r\n"
        f"Content-Type: application/json\r\n{name}: {value}\r\n\r\n"
    ).encode()
    chunk = f"{size:x}\r\n".encode() if "chunked" in value else b""
    try:
        heard = page.raw(head + chunk + b" " * size, finish=False)
    except ConnectionResetError:
        heard = b"HTTP/1.1 413 "
    assert heard.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("path", ["/", "/console.js", "/words.js", "/console.css", "/icon.svg"])
def test_every_answer_keeps_the_page_to_itself(page: Served, path: str) -> None:
    page.session = None
    well, refused = page.ask("GET", path), page.ask("GET", path, headers={"Host": "gate.example"})
    assert (well.status, refused.status) == (200, 421)
    for answer in (well, refused, page.ask("GET", "/nothing")):
        assert {name.lower(): value for name, value in HEADERS.items()}.items() <= (
            answer.headers.items()
        )
        assert "server" not in answer.headers
        assert "set-cookie" not in answer.headers


# --- tokens and sessions -------------------------------------------------------------------------


def test_a_token_opens_once(running: Served) -> None:
    running.session = None
    token = running.tickets.issue()
    first = running.ask("POST", "/api/enter", {"token": token})
    assert first.status == 200
    assert running.ask("POST", "/api/enter", {"token": token}).status == 401
    running.session = first.json["session"]
    assert running.ask("GET", "/api/state").status == 200
    running.ask("POST", "/api/leave", {})
    assert running.ask("GET", "/api/state").status == 401


@pytest.mark.parametrize("token", ["", "x", None, 5, ["x"], {"a": 1}, "\ud800", "é" * 9])
def test_a_wrong_token_opens_nothing_and_shuts_nobody_out(running: Served, token: object) -> None:
    running.session = None
    good = running.tickets.issue()
    refused = running.ask("POST", "/api/enter", {"token": token})
    assert refused.status == 401
    assert good not in refused.body.decode()
    assert running.ask("POST", "/api/enter", {"token": good}).status == 200


def test_what_the_desk_refuses_is_said_with_its_fix_and_a_failure_without_its_words(
    page: Served,
) -> None:
    refused, failed = page.ask("GET", "/api/doctor"), page.ask("POST", "/api/doctor", {})
    assert refused.status == 409
    assert refused.json == {"error": "it may not be", "fix": "do the other thing"}
    assert failed.status == 500
    assert b"somebody" not in failed.body


class Hand:
    """A clock that stands until somebody moves it."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_tokens_and_sessions_end_by_themselves() -> None:
    clock = Hand()
    tickets = Tickets(clock)
    assert tickets.silent
    late, void = tickets.issue(), tickets.issue()
    assert tickets.redeem(late) is None  # another was made
    clock.now_s += TOKEN_S
    assert tickets.redeem(void) is None
    assert tickets.silent

    word = tickets.redeem(tickets.issue())
    assert word is not None
    clock.now_s += IDLE_S - 1
    assert tickets.holds(word)
    clock.now_s += IDLE_S - 1
    assert tickets.holds(word)  # it was asked for in between
    clock.now_s += IDLE_S
    assert not tickets.holds(word)
    assert tickets.silent


def test_no_session_outlasts_its_longest_time() -> None:
    clock = Hand()
    tickets = Tickets(clock)
    word = tickets.redeem(tickets.issue())
    assert word is not None
    ends_s = clock.now_s + LONGEST_S
    while clock.now_s + 600 < ends_s:
        clock.now_s += 600
        assert tickets.holds(word)
    clock.now_s = ends_s
    assert not tickets.holds(word)


def test_of_too_many_sessions_the_most_silent_ends() -> None:
    clock = Hand()
    tickets = Tickets(clock)
    words = []
    for _ in range(MOST_SESSIONS):
        words.append(tickets.redeem(tickets.issue()) or "")
        clock.now_s += 1
    assert tickets.holds(words[0])
    tickets.redeem(tickets.issue())
    assert [tickets.holds(word) for word in words] == [True, False, True, True]

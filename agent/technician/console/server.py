"""The page's server: HTTP on the loopback interface, by starlette and uvicorn.

    GET  /  /console.js  /console.css  /icon.svg     the page; it says nothing of the kiosk
    POST /api/enter {"token"}                        -> {"session"}, which all below ask for
    POST /api/leave
    GET  /api/state                                  how it stands
    GET  /api/look?camera=front                      the senses' newest, and a picture
    POST /api/release {"access_point", "reason"}     let one person through
    POST /api/try-out {"access_point", "outcome"}    lights and voice, and no door
    POST /api/walk-test {"access_point", "minutes"}  nothing opens there by a decision
    POST /api/walk-test-end                          the gate is as ever
    GET  /api/config; POST /api/config {"text"}      its faults; those of another text
    GET  /api/doctor; POST /api/doctor               the last checks; look again

Each answer is made by a thread of its own, so one that waits keeps no other. ``gatekeeper`` stands
before all of it.
"""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from agent.errors import GateAgentError, UnavailableError
from agent.technician.console.desk import Desk, Told
from agent.technician.console.gatekeeper import ENTER, Gatekeeper, word_of
from agent.technician.console.tickets import Tickets

_PAGE = Path(__file__).with_name("page")
_FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/console.js": ("console.js", "text/javascript; charset=utf-8"),
    "/words.js": ("words.js", "text/javascript; charset=utf-8"),
    "/console.css": ("console.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_LOOPBACK = "127.0.0.1"
_FIRST_HANDED_OVER = 3
_MOST_CONNECTIONS = 64
_MOST_HEADER_BYTES = 16_384
_LOOKED_EVERY_S = 1.0
_ENDS_WITHIN_S = 2

_log = structlog.get_logger(__name__)


class BadRequestError(GateAgentError):
    """The page asked for what it never asks for."""


def listen(port: int) -> socket.socket:
    """A socket on the loopback interface, which no other machine reaches; 0 is any port.

    Raises:
        UnavailableError: the port is taken.
    """
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((_LOOPBACK, port))
        server.listen()
    except OSError as error:
        server.close()
        message = f"cannot listen at {_LOOPBACK}:{port}: {error.strerror or error}"
        raise UnavailableError(message, "gate-agent console --port N, another one") from error
    return server


def handed_over() -> socket.socket | None:
    """The socket on which systemd heard somebody; None where it started nothing here.

    Raises:
        UnavailableError: it is another than one on the loopback interface, or not the only one.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return None
    count = os.environ.pop("LISTEN_FDS", "")
    for name in ("LISTEN_PID", "LISTEN_FDNAMES"):
        os.environ.pop(name, None)  # nor do the doctor's own children take it for theirs
    try:
        given = socket.socket(fileno=_FIRST_HANDED_OVER) if count == "1" else None
    except OSError:
        given = None
    if given is not None and _is_ours(given):
        given.set_inheritable(False)
        return given
    if given is not None:
        given.close()
    fix = "gate-agent-console.socket as it came: ListenStream=127.0.0.1:8020, and nothing beside it"
    raise UnavailableError("the page is served on this machine's loopback interface only", fix)


def _is_ours(given: socket.socket) -> bool:
    if given.family not in (socket.AF_INET, socket.AF_INET6) or given.type != socket.SOCK_STREAM:
        return False
    listens = given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    return bool(listens) and ip_address(given.getsockname()[0]).is_loopback


class Console:
    """The page of one kiosk on one socket."""

    def __init__(
        self, desk: Desk, tickets: Tickets, server: socket.socket, least_s: float = 0.0
    ) -> None:
        """For ``least_s`` it goes on though nobody is in: whoever had it started has a link."""
        self._least_s = least_s
        self._desk = desk
        self._tickets = tickets
        self._socket = server
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._app(),
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=_MOST_CONNECTIONS,
                h11_max_incomplete_event_size=_MOST_HEADER_BYTES,
                timeout_graceful_shutdown=_ENDS_WITHIN_S,
            )
        )

    def serve(self) -> None:
        """Until ``stop``, a signal, or nobody is in and nobody can come in any more."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """End ``serve`` soon; from any thread."""
        self._server.should_exit = True

    def _app(self) -> ASGIApp:
        desk = self._desk
        routes = [
            *(Route(path, _file(*of), methods=["GET"]) for path, of in _FILES.items()),
            Route(ENTER, self._enter, methods=["POST"]),
            Route("/api/leave", self._leave, methods=["POST"]),
            _told("/api/state", "GET", lambda _: desk.state()),
            _told("/api/look", "GET", lambda asked: desk.look(asked.get("camera"))),
            _told(
                "/api/release",
                "POST",
                lambda asked: desk.release(asked.get("access_point"), asked.get("reason")),
            ),
            _told(
                "/api/try-out",
                "POST",
                lambda asked: desk.try_out(asked.get("access_point"), asked.get("outcome")),
            ),
            _told(
                "/api/walk-test",
                "POST",
                lambda asked: desk.begin_walk_test(asked.get("access_point"), asked.get("minutes")),
            ),
            _told("/api/walk-test-end", "POST", lambda _: desk.end_walk_test()),
            _told("/api/config", "GET", lambda _: desk.config()),
            _told("/api/config", "POST", lambda asked: desk.check_config(asked.get("text"))),
            _told("/api/doctor", "GET", lambda _: desk.examination()),
            _told("/api/doctor", "POST", lambda _: desk.examine()),
        ]
        return Gatekeeper(Starlette(routes=routes, lifespan=self._lifespan), self._tickets)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        task = asyncio.create_task(self._ends_when_silent())
        yield
        task.cancel()

    async def _ends_when_silent(self) -> None:
        await asyncio.sleep(self._least_s)
        while not self._tickets.silent:  # noqa: ASYNC110 - time alone ends a session
            await asyncio.sleep(_LOOKED_EVERY_S)
        self.stop()

    async def _enter(self, request: Request) -> Response:
        token = (await _asked(request)).get("token")
        session = self._tickets.redeem(token) if isinstance(token, str) else None
        if session is None:
            _log.warning("console_token_refused")
            said = "this link was used, or it is too old: gate-agent console gives a new one"
            return JSONResponse({"error": said}, 401)
        return JSONResponse({"session": session})

    async def _leave(self, request: Request) -> Response:
        self._tickets.end(word_of(request.headers))
        await run_in_threadpool(self._desk.left)
        return JSONResponse({})


def _file(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    content = (_PAGE / name).read_bytes()

    async def answer(_request: Request) -> Response:
        return Response(content, media_type=kind)

    return answer


async def _asked(request: Request) -> dict[str, Any]:
    """The object that a request brings; empty where it brings none."""
    try:
        found = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _told(path: str, method: str, tell: Callable[[dict[str, Any]], Told]) -> Route:
    """What ``tell`` says of what was asked, as JSON; why not, with its fix, where it refuses."""

    async def answer(request: Request) -> Response:
        asked = await _asked(request) if method == "POST" else dict(request.query_params)
        try:
            return JSONResponse(await run_in_threadpool(tell, asked))
        except GateAgentError as error:
            said, _, fix = str(error).partition("\nFix: ")
            return JSONResponse({"error": said, "fix": fix or None}, 409)
        except Exception as error:  # noqa: BLE001 - one answer fails, and the page says so
            # The type only: a message may hold what was read.
            _log.error("console_failed", path=path, error=type(error).__name__)
            return JSONResponse({"error": "the console failed at that; its log says where"}, 500)

    return Route(path, answer, methods=[method])

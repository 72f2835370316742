"""What stands before the page: whatever another page, name or network could send ends here.

    forwarded by a proxy           403   the console is reached through an SSH tunnel only
    Host is no loopback name       421   a name that somebody points here (DNS rebinding)
    Origin is another              403   another page asks (CSRF)
    not GET, HEAD or POST          405
    POST without Origin, no JSON   403, 415
    without a session's word       401   all below /api but entering
    more than a request holds      413, or 408 where it does not come

Every answer, these too, bears the headers that keep the page to itself.
"""

import asyncio
import json
from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.technician.console.tickets import Tickets

ENTER = "/api/enter"
MOST_BODY_BYTES = 300_000
BODY_S = 5.0
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:;"
        " connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none';"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=(), serial=()",
}
_OF_PROXIES = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


class Gatekeeper:
    """Lets through what this page's own script sends, and the page itself."""

    def __init__(self, app: ASGIApp, tickets: Tickets) -> None:
        self._app = app
        self._tickets = tickets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; what is no HTTP is not answered."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refused = self._refusal(scope)
        if refused is not None:
            await _answer(marked, *refused)
            return
        body = b""
        if scope["method"] == "POST":
            try:
                body = await asyncio.wait_for(_body_of(receive), BODY_S)
            except TimeoutError:
                await _answer(marked, 408, "the request did not come")
                return
            except _TooLongError:
                await _answer(marked, 413, "the request is too long")
                return
        await self._app(scope, _replayed(body, receive), marked)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """The first row of the table that fits; total."""
        headers = Headers(scope=scope)
        if any(name in headers for name in _OF_PROXIES):
            return 403, "the console is reached through an SSH tunnel only, by no proxy"
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not is_loopback(hosts[0]):
            return 421, "the console answers at 127.0.0.1 only"
        if any(one != f"http://{hosts[0]}" for one in headers.getlist("origin")):
            return 403, "another page asked"
        if headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
            # A browser says so of what another page began; a person who follows a link says none.
            return 403, "another page asked"
        method, path = scope["method"], scope["path"]
        if method not in {"GET", "HEAD", "POST"}:
            return 405, "the console does not do that"
        if method == "POST" and "origin" not in headers:
            return 403, "only the console's own page may ask that"
        if method == "POST" and headers.get("content-type") != "application/json":
            return 415, "the console takes JSON"
        if path.startswith("/api/") and path != ENTER and not self._tickets.holds(word_of(headers)):
            return 401, "the session has ended: gate-agent console gives a new link"
        return None


class _TooLongError(Exception):
    """A request's body is longer than any that the page sends."""


def is_loopback(host: str) -> bool:
    """Whether a Host header names this machine itself, at whatever port the tunnel begins."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # a port that is none raises
        name = parts.hostname or ""
    except ValueError:
        return False
    if parts.netloc != host or parts.username is not None:
        return False
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def word_of(headers: Headers) -> str:
    """The session's word that a request bears, or nothing."""
    kind, _, word = headers.get("authorization", "").partition(" ")
    return word if kind == "Bearer" else ""


async def _body_of(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > MOST_BODY_BYTES:
            raise _TooLongError
        if message["type"] != "http.request" or not message.get("more_body"):
            return body


def _replayed(body: bytes, receive: Receive) -> Receive:
    told = False

    async def again() -> Message:
        nonlocal told
        if not told:
            told = True
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again


async def _answer(send: Send, status: int, said: str) -> None:
    body = json.dumps({"error": said}).encode()
    # Whoever is refused may still be sending: this connection serves no other request.
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

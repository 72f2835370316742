"""A page for the office that only reads: who passed, how the kiosks are, alarms, what is missing.

Made anew for each request, of HTML alone. It has no login and writes nothing: it listens on
loopback unless told otherwise, answers to names of this machine only, reads by a connection that
cannot write, and its log holds neither what was asked nor by whom.
"""

import html
import ipaddress
import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import psycopg

from backend import migrations, questions, show
from backend.failures import BackendError, MissingError, UsageError
from backend.questions import Where

_log = logging.getLogger("backend.page")

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:75rem;padding:1rem;color:#1a1a1a}
nav a,nav b{margin-right:1.2rem}table{border-collapse:collapse;width:100%;margin:.5rem 0 2rem}
th,td{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid #ddd;vertical-align:top}
th{color:#555;font-weight:600}.bad{color:#a40000}form{margin:.5rem 0}input{font:inherit;width:11rem}
.quiet{color:#666}
"""
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_SILENT_S = 300
_LONGEST_QUERY = 500
_BUSY = 8
_PAGES = {"/": "Today", "/passages": "Passages", "/kiosks": "Kiosks", "/trust": "Trust"}


class Server:
    """The page at an address; ``serve`` returns at SIGINT, SIGTERM or ``close``."""

    def __init__(self, listen: str, dsn: str) -> None:
        """``listen`` is ``ADDRESS:PORT``; port 0 is a free one.

        Raises:
            UsageError: it is none.
            MissingError: it is taken.
        """
        host, _, port = listen.rpartition(":")
        try:
            address = ipaddress.ip_address(host.strip("[]"))
            number = int(port)
        except ValueError:
            raise UsageError(f"not ADDRESS:PORT, as 127.0.0.1:8088: {listen!r}") from None
        if not address.is_loopback:
            _log.warning("the page has no login, and %s is not this machine alone", address)

        class Handler(_Handler):
            pass

        Handler.dsn = dsn
        Handler.own = frozenset({"localhost", "127.0.0.1", "[::1]", host})
        family = _Six if address.version == 6 else _Four
        try:
            self._server = family((str(address), number), Handler)
        except (OSError, OverflowError) as error:
            raise MissingError(f"{listen}: {getattr(error, 'strerror', None) or error}") from None
        self.address = f"{host}:{self._server.server_address[1]}"

    def serve(self) -> None:
        """Answer until told to end."""
        if threading.current_thread() is threading.main_thread():
            for one in (signal.SIGTERM, signal.SIGINT):
                signal.signal(one, lambda *_: threading.Thread(target=self.close).start())
        with self._server:
            self._server.serve_forever()

    def close(self) -> None:
        """End; not from the thread that serves."""
        self._server.shutdown()


class _Four(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Not as socketserver does, which writes down who asked."""
        _log.warning("a request broke off: %s", type(sys.exception()).__name__)


class _Six(_Four):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    dsn = ""
    own: frozenset[str] = frozenset()
    server_version, sys_version = "gate-backend", ""
    timeout = 30
    _seats = threading.BoundedSemaphore(_BUSY)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, *_: Any) -> None:
        """Nothing: http.server would write down who asked for whom."""

    def _answer(self, *, with_body: bool) -> None:
        path = ""
        try:
            address = urlsplit(self.path)
            path, words = address.path, asked(address.query)
        except ValueError:
            status, text = 400, whole("", ["<p>That is no address of this page.</p>"])
        else:
            status, text = self._page(path, words)
        body = text.encode("utf-8", "replace")
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)
        shown = path if path in _PAGES else "another path"
        _log.info("%s %s %d", self.command, shown, status)

    def _page(self, path: str, words: Mapping[str, str]) -> tuple[int, str]:
        host = self.headers.get("Host", "")
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        # A page of a stranger's name that leads to this machine reads nothing here.
        if name not in self.own:
            return HTTPStatus.MISDIRECTED_REQUEST, whole("", ["<p>This is not that host.</p>"])
        if path not in _PAGES:
            return HTTPStatus.NOT_FOUND, whole("", ["<p>There is no such page.</p>"])
        if not self._seats.acquire(timeout=5):
            return HTTPStatus.SERVICE_UNAVAILABLE, whole(path, ["<p>Busy. Try again.</p>"])
        try:
            with migrations.to_read(self.dsn) as connection:
                return HTTPStatus.OK, whole(path, _BODIES[path](connection, words))
        except (psycopg.Error, BackendError):
            text = "<p class=bad>The database does not answer.</p>"
            return HTTPStatus.SERVICE_UNAVAILABLE, whole(path, [text])
        finally:
            self._seats.release()


def asked(query: str) -> dict[str, str]:
    """The query's words, each once, without what is empty.

    Raises:
        ValueError: it is longer than any that the page asks itself.
    """
    if len(query) > _LONGEST_QUERY:
        raise ValueError("too long")
    found = parse_qs(query, max_num_fields=20, encoding="utf-8", errors="replace")
    words = {name: values[-1].strip()[:64].replace("\0", "") for name, values in found.items()}
    return {name: word for name, word in words.items() if word}


def _where(words: Mapping[str, str], since: datetime | None, limit: int = 200) -> Where:
    return Where(words.get("community"), words.get("grid"), words.get("kiosk"), since, limit)


def whole(path: str, parts: Sequence[str] | Iterator[str]) -> str:
    """The page around its parts."""
    links = "".join(
        f"<b>{title}</b>" if one == path else f'<a href="{one}">{title}</a>'
        for one, title in _PAGES.items()
    )
    now = show.cell(datetime.now(UTC))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Gates</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<nav>{links}<span class=quiet>{now}</span></nav>{''.join(parts)}</html>"
    )


def listed(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """A table, each cell escaped."""
    if not rows:
        return "<p class=quiet>None.</p>"
    head = "".join(f"<th>{html.escape(title)}" for title in columns.values())
    lines = "".join(
        "<tr>" + "".join(f"<td>{html.escape(show.plain(show.cell(row[key])))}" for key in columns)
        for row in rows
    )
    return f"<table><tr>{head}{lines}</table>"


def _form(path: str, words: Mapping[str, str], names: Mapping[str, str]) -> str:
    fields = "".join(
        f'<label>{title} <input name="{name}" value="{html.escape(words.get(name, ""))}"></label> '
        for name, title in names.items()
    )
    return f'<form action="{path}">{fields}<button>Show</button></form>'


_ALARMS = {"at": "when", "kiosk": "kiosk", "access_point": "access point", "type": "what"}
_GAPS = {
    "kiosk": "kiosk",
    "first": "first",
    "last": "last",
    "events": "events",
    "state": "state",
    "reason": "reason",
    "found": "found",
}
_FLAWS = {"found": "found", "kiosk": "kiosk", "kind": "what", "epoch": "epoch", "sequence": "at"}
_PASSED = {
    "at": "when (UTC)",
    "kiosk": "kiosk",
    "access_point": "access point",
    "direction": "direction",
    "holder": "holder",
    "granted": "passed",
    "reason": "reason",
    "clock_synced": "clock set",
    "unflawed": "chain holds",
    "signed": "signed",
}
_KIOSKS = {
    "kiosk": "kiosk",
    "last_seen": "last heard",
    "online": "online",
    "reason": "why",
    "waiting": "events waiting",
    "faults": "faults",
    "clock_synced": "clock set",
    "temperatures_c": "°C",
    "pinned": "key pinned",
    "flaws": "flaws",
    "version": "version",
}


def _today(connection: psycopg.Connection[Any], words: Mapping[str, str]) -> Iterator[str]:
    day = _where(words, datetime.now(UTC) - timedelta(days=1))
    yield "<h1>Gates</h1><h2>Out of reach</h2>"
    yield listed(questions.kiosks(connection, day, silent_s=_SILENT_S), _KIOSKS)
    yield "<h2>Alarms of a day</h2>"
    yield listed(questions.alarms(connection, day), _ALARMS)
    yield "<h2>What cannot be trusted, of a day</h2>"
    yield listed(questions.flaws(connection, day), _FLAWS)
    yield "<h2>Missing</h2>"
    yield listed(questions.gaps(connection, _where(words, None)), _GAPS)


def _passages(connection: psycopg.Connection[Any], words: Mapping[str, str]) -> Iterator[str]:
    names = {"grid": "Grid", "kiosk": "Kiosk", "holder": "Holder", "hours": "Of the last hours"}
    yield "<h1>Passages</h1>"
    yield _form("/passages", words, names)
    given = words.get("hours", "24")
    hours = int(given) if given.isascii() and given.isdigit() and 0 < int(given) < 10_000 else 24
    where = _where(words, datetime.now(UTC) - timedelta(hours=hours), 500)
    rows = questions.passages(connection, where, holder=words.get("holder"), denied=True)
    yield listed(rows, _PASSED)
    if len(rows) == where.limit:
        more = urlencode({**words, "hours": max(1, hours // 2)})
        yield f'<p>These are the newest {where.limit}. <a href="/passages?{html.escape(more)}">'
        yield "Half of the time</a></p>"


def _kiosks(connection: psycopg.Connection[Any], words: Mapping[str, str]) -> Iterator[str]:
    where = _where(words, None, 2000)
    yield "<h1>Kiosks</h1>"
    yield _form("/kiosks", words, {"grid": "Grid", "kiosk": "Kiosk"})
    yield listed(questions.kiosks(connection, where), _KIOSKS)


def _trust(connection: psycopg.Connection[Any], words: Mapping[str, str]) -> Iterator[str]:
    where = _where(words, None, 500)
    yield "<h1>Trust</h1><h2>What cannot be trusted</h2>"
    yield listed(questions.flaws(connection, where), _FLAWS)
    yield "<h2>Missing</h2>"
    yield listed(questions.gaps(connection, where, closed=True), _GAPS)
    yield "<h2>Streams</h2><p class=quiet>Nothing is missing up to the first figure; up to the"
    yield " second the kiosk's own key vouches for it.</p>"
    columns = {"kiosk": "kiosk", "epoch": "epoch", "whole_to": "whole", "signed_to": "signed"}
    yield listed(questions.standing(connection, where), {**columns, "highest": "last"})
    yield "<h2>Refused messages</h2>"
    columns = {"kiosk": "kiosk", "reason": "reason", "times": "times", "last_at": "last"}
    yield listed(questions.refusals(connection), columns)


_BODIES = {"/": _today, "/passages": _passages, "/kiosks": _kiosks, "/trust": _trust}

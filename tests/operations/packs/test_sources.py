"""Sources in turn: one that is away, hangs, drips, breaks off or serves another file."""

import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pack_parts import sha256

from agent.errors import ModelPackError, UnavailableError
from agent.operations.packs import web
from agent.operations.packs.fetch import Progress, fetch
from agent.operations.packs.web import Patience
from agent.vision.packs.manifest_base import Download

CONTENT = b"what the manifest pins" * 500


class Sources(http.server.BaseHTTPRequestHandler):
    """Answers by the path; whoever hangs does so until the test has ended."""

    over = threading.Event()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its own name
        pass

    def do_GET(self) -> None:  # its own name
        kind = self.path.strip("/")
        if kind == "hangs":
            self.over.wait(30)
            return
        if kind == "gone":
            self.send_error(404)
            return
        content = b"another file" if kind == "other" else CONTENT
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if kind == "drips":
            self.wfile.write(content[:10])
            self.wfile.flush()
            self.over.wait(30)
        elif kind == "half":
            self.wfile.write(content[: len(content) // 2])
        else:
            self.wfile.write(content)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sources) as running:
        running.daemon_threads = True
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        Sources.over.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def away() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{closed.getsockname()[1]}/file"


def download(*urls: str) -> Download:
    """As a manifest has it, but with addresses of the loopback."""
    made = Download(file="file.onnx", sha256=sha256(CONTENT), largest_bytes=len(CONTENT))
    return made.model_copy(update={"urls": urls})


def fetched(folder: Path, *urls: str, patience: Patience | None = None) -> bytes:
    seen: list[Progress] = []
    path = fetch(download(*urls), folder, None, seen.append, "the fix", patience)
    assert Progress("download", "file.onnx", len(CONTENT), len(CONTENT)) in seen
    return path.read_bytes()


@pytest.mark.parametrize("first", ["gone", "other", "half"])
def test_the_next_source_has_it(server: str, tmp_path: Path, first: str) -> None:
    assert fetched(tmp_path, f"{server}/{first}", f"{server}/good") == CONTENT


def test_a_source_that_is_away_is_left_for_the_next(server: str, away: str, tmp_path: Path) -> None:
    assert fetched(tmp_path, away, f"{server}/good") == CONTENT


def test_a_source_that_serves_too_much_is_left_for_the_next(server: str, tmp_path: Path) -> None:
    smaller = download(f"{server}/good").model_copy(update={"largest_bytes": 100})
    with pytest.raises(ModelPackError, match="more than the 100 bytes declared"):
        fetch(smaller, tmp_path, None, lambda progress: None, "the fix")


def test_where_no_source_has_it_each_is_told(server: str, away: str, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        fetched(tmp_path, f"{server}/gone", f"{server}/half", away)
    told = str(caught.value)
    assert "127.0.0.1: Not Found; 127.0.0.1: ended after" in told
    assert told.endswith("Fix: the fix")


def test_another_file_is_told_with_both_hashes_even_if_it_came_first(
    server: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelPackError) as caught:
        fetched(tmp_path, f"{server}/other", f"{server}/gone")
    for part in (sha256(CONTENT), sha256(b"another file"), "sources tried", "Fix: the fix"):
        assert str(caught.value).count(part) == 1


@pytest.mark.parametrize("silent", ["hangs", "drips"])
def test_patience_ends_with_a_source_that_is_silent(
    server: str, tmp_path: Path, silent: str
) -> None:
    patience = Patience(0.3)
    with pytest.raises(UnavailableError, match=r"given up after .* not tried: 0.3 s went by"):
        fetched(tmp_path, f"{server}/{silent}", f"{server}/good", patience=patience)
    with pytest.raises(UnavailableError, match="not tried"):
        fetched(tmp_path, f"{server}/good", patience=patience)


def test_a_download_that_makes_headway_costs_no_patience() -> None:
    patience = Patience(20.0)
    assert patience.left_s(60.0, 60 * web.SLOWEST_BYTES_PER_S) == 20.0
    assert patience.left_s(60.0, 50 * web.SLOWEST_BYTES_PER_S) == 10.0
    patience.spend(60.0, 50 * web.SLOWEST_BYTES_PER_S)
    assert patience.left_s() == 10.0
    assert patience.left_s(15.0) == -5.0
    assert Patience().left_s(3600.0) > 3600.0


def test_what_is_no_address_of_the_web_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="no address of the web"):
        fetched(tmp_path, "file:///etc/passwd")


def test_a_password_in_an_address_is_not_told(tmp_path: Path, away: str) -> None:
    with pytest.raises(UnavailableError) as caught:
        fetched(tmp_path, away.replace("http://", "http://user:hidden@"))
    assert "hidden" not in str(caught.value)


def test_sources_that_are_away_for_one_reason_stand_together(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        fetched(tmp_path, "https://one.invalid/x", "https://two.invalid/x")
    assert ": one.invalid, two.invalid: no such host is known here" in str(caught.value)
    assert "Errno" not in str(caught.value)

"""``gate-agent scan``: the contract of its lines."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import segno
from gate_command import Gate
from pass_parts import KEY, claims

from agent.app.open.files.stores import open_registry
from agent.app.open.site import instant, site_of
from agent.credentials.passes.gate_pass import issue
from agent.credentials.passes.issuers import IssuerKey
from agent.domain.credential.gate_pass import PassId

KEYS = {"format", "text", "bytes_base64", "decoder", "ms", "kind", "verdict"}


@pytest.fixture
def draw(tmp_path):
    def draw(name: str, text: str) -> str:
        path = tmp_path / name
        segno.make(text, micro=False, error="m").save(str(path), scale=5, border=4)
        return str(path)

    return draw


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_a_line_an_image_in_their_order(gate: Gate, draw, tmp_path: Path) -> None:
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((64, 64), 255, np.uint8))
    files = [draw("a.png", "hello"), str(blank), str(tmp_path / "none.png"), draw("b.png", "x")]
    answer = gate("scan", "--json", *files)
    assert answer.code == 1
    found = lines(answer.out)
    assert [line["file"] for line in found] == files
    assert [set(line) for line in found] == [{"file", "symbols", "ms", "error"}] * 4
    assert [len(line["symbols"]) for line in found] == [1, 0, 0, 1]
    assert [line["error"] is None for line in found] == [True, True, False, True]
    (symbol,) = found[0]["symbols"]
    assert set(symbol) == KEYS
    assert (symbol["format"], symbol["text"], symbol["kind"]) == ("QRCode", "hello", "text")
    assert base64.b64decode(symbol["bytes_base64"]) == b"hello"
    assert symbol["verdict"] == {"valid": False, "reason": "Other"}


def test_people_are_told_in_words(gate: Gate, draw) -> None:
    answer = gate("scan", draw("a.png", "hello"))
    assert answer.code == 0
    assert "QR code by zxing" in answer.out
    assert "no credential: hello" in answer.out


def test_a_transparent_image_is_paper(gate: Gate, draw, tmp_path: Path) -> None:
    code = cv2.imread(draw("a.png", "on glass"), cv2.IMREAD_GRAYSCALE)
    assert code is not None
    clear = np.zeros((*code.shape, 4), np.uint8)
    clear[:, :, 3] = 255 - code
    cv2.imwrite(str(tmp_path / "clear.png"), clear)
    (line,) = lines(gate("scan", "--json", str(tmp_path / "clear.png")).out)
    assert line["symbols"][0]["text"] == "on glass"


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_light_modules_on_nothing_are_read(gate: Gate, draw, tmp_path: Path, depth: type) -> None:
    code = cv2.imread(draw("a.png", "on glass"), cv2.IMREAD_GRAYSCALE)
    assert code is not None
    light = np.full((*code.shape, 4), 255, np.uint8)
    light[:, :, 3] = code
    cv2.imwrite(str(tmp_path / "light.png"), light.astype(depth) * (np.iinfo(depth).max // 255))
    (line,) = lines(gate("scan", "--json", str(tmp_path / "light.png")).out)
    assert line["symbols"][0]["text"] == "on glass"


@pytest.mark.parametrize(
    ("kind", "begin"), [("eu_dcc", "HC1:"), ("smart_health_card", "shc:/"), ("gate_pass", "GP1:")]
)
def test_what_begins_so_is_of_that_kind(gate: Gate, draw, kind: str, begin: str) -> None:
    (line,) = lines(gate("scan", "--json", draw("a.png", f"{begin}NONSENSE")).out)
    (symbol,) = line["symbols"]
    assert (symbol["kind"], symbol["verdict"]["valid"]) == (kind, False)
    assert symbol["verdict"]["reason"]


def test_a_pass_holds_by_the_installed_issuers(gate: Gate, draw, tmp_path: Path) -> None:
    now, state = datetime.now(UTC), tmp_path / "state"
    times = {"valid_from": now - timedelta(days=1), "valid_until": now + timedelta(days=1)}
    one = claims(**times)
    over = claims(id=PassId("ff" * 8), **(times | {"valid_until": now - timedelta(hours=1)}))
    files = [
        draw(f"{n}.png", issue(each, KEY, now - timedelta(days=1)))
        for n, each in enumerate((one, over))
    ]

    def verdicts() -> list[tuple[bool, str | None]]:
        answer = gate("scan", "--json", "--state-dir", str(state), *files)
        return [tuple(line["symbols"][0]["verdict"].values()) for line in lines(answer.out)]

    assert verdicts() == [(False, "CredentialForged")] * 2
    assert not state.exists()
    site = site_of(state, None)
    with open_registry(site) as registry:
        issuer = IssuerKey("lakeside-office", KEY.public_key())
        registry.put_issuer(issuer, by="test", now=instant(site))
    assert verdicts() == [(True, None), (False, "CredentialExpired")]
    with open_registry(site) as registry:
        registry.revoke(one.id, by="test", now=instant(site))
    assert verdicts()[0] == (False, "CredentialRevoked")


def test_a_picture_of_endless_length_ends_no_batch(gate: Gate, draw, tmp_path: Path) -> None:
    endless = tmp_path / "endless.png"
    cv2.imwrite(str(endless), np.zeros((490_000, 100), np.uint8))
    answer = gate("scan", "--json", str(endless), draw("a.png", "hello"))
    assert answer.code == 1
    refused, read = lines(answer.out)
    assert "16384 pixels a side" in refused["error"]
    assert [symbol["text"] for symbol in read["symbols"]] == ["hello"]

"""``gate-agent registry``: how far it is here, and an update that a kiosk takes."""

import base64
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from mosquitto import Mosquitto
from store_parts import IDS
from sync_parts import take, template

from agent.adapters.store.keys import load_key
from agent.adapters.store.people.synced import SyncedRegistry
from agent.adapters.store.seal import Sealer
from agent.app.desk.registry import addressee, pack
from agent.app.open.files.kiosk_keys import sealing_key, signing_key
from agent.app.open.files.state import KEY, REGISTRY
from agent.app.open.site import site_of
from agent.credentials.passes.issuers import key_id
from agent.credentials.sealed.chunks import Chunk, Head, read_message
from agent.credentials.sealed.parcel import open_part
from agent.credentials.signed.entries import HolderEntry
from agent.operations.passes.keys import read_issuer_key

LINES: list[dict[str, Any]] = [
    {
        "id": "anna",
        "name": "Anna",
        "category": "resident",
        "valid_until": "2027-01-01T00:00:00Z",
        "consent": {"transmission": {"notice": "2026-1", "at": "2026-11-01T00:00:00Z"}},
        "references": [
            {
                "pack": "dlib",
                "pack_version": "1",
                "template": base64.b64encode(template(1).tobytes()).decode(),
            }
        ],
    },
    {"remove": "bert"},
    {"revoke": "0f1e2d3c4b5a6978"},
    {"trust": "office.pem.pub", "issuer": "office"},
    {"distrust": "d5b3bb1e5347223f"},
]


@pytest.fixture
def desk(tmp_path: Path, gate: Any) -> Path:
    """A registry's office with its key, a kiosk's keys, and a file of people."""
    for name in ("registry.pem", "office.pem"):
        assert gate("pass", "keygen", tmp_path / name).code == 0
    state = tmp_path / "kiosk"
    state.mkdir(mode=0o700)
    assert gate("key", "init", "--state-dir", state).code == 0
    shown = gate("key", "show", "--json", "--state-dir", state)
    (tmp_path / "kiosk.json").write_text(json.dumps(shown.json))
    (tmp_path / "people.jsonl").write_text("".join(json.dumps(one) + "\n" for one in LINES))
    return tmp_path


def words(desk: Path, *more: object) -> list[object]:
    return [
        *("registry", "send", desk / "people.jsonl", "--kiosk", desk / "kiosk.json"),
        *("--key", desk / "registry.pem", "--to", 1, *more, "--json"),
    ]


def test_nothing_came_yet(desk: Path, gate: Any) -> None:
    shown = gate("registry", "show", "--json", "--state-dir", desk / "kiosk").json
    assert shown == {
        "version": 0,
        "since": None,
        "key_id": None,
        "snapshot": False,
        "waiting": {"parts": 0, "receipts": 0},
    }
    assert not REGISTRY.at(desk / "kiosk").exists(), "looking makes no file"
    told = gate("registry", "show", "--state-dir", desk / "kiosk")
    assert "no update" in told.out


def test_what_is_written_is_what_the_kiosk_takes(desk: Path, gate: Any) -> None:
    out = desk / "messages"
    said = gate(*words(desk, "--out", out, "--message-bytes", 1200)).json
    assert said["messages"] == len([*out.iterdir()])
    site = site_of(desk / "kiosk", None)
    signer = read_issuer_key(desk / "registry.pem").public_key()
    known = {key_id(signer): signer}
    kiosk = said["kiosk"]
    read = [read_message(file.read_bytes(), known.get, kiosk) for file in sorted(out.iterdir())]
    (head,) = [one for one in read if isinstance(one, Head)]
    sealed = b"".join(one.data for one in read if isinstance(one, Chunk))
    part = open_part(sealed, head.step, 0, sealing_key(site), known.get)
    first = part.entries[0]
    assert isinstance(first, HolderEntry)
    assert (first.holder.id, first.has_face_data) == ("anna", True)
    assert len(part.entries) == len(LINES)
    assert head.step.is_snapshot
    assert signing_key(site) is not None


def test_how_far_it_is_is_shown(desk: Path, gate: Any) -> None:
    state = desk / "kiosk"
    sealer = Sealer(load_key(KEY.at(state)))
    registry = SyncedRegistry(REGISTRY.at(state), sealer, IDS.make)
    take(registry, [], (0, 41))
    registry.close()
    shown = gate("registry", "show", "--json", "--state-dir", state).json
    assert (shown["version"], shown["snapshot"]) == (41, True)
    assert shown["since"] == "2026-11-28T08:00:00.000Z"
    assert "41" in gate("registry", "show", "--state-dir", state).out


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("no json", "Expecting value"),
        ("[1]", "is no JSON object"),
        ('{"id": "a b", "name": "A", "category": "r"}', "a holder id is"),
        ('{"id": "a", "name": "A", "category": "r", "colour": 1}', "unknown keys: 'colour'"),
        ('{"remove": "a", "id": "a"}', "unknown keys: 'id'"),
        ('{"trust": "gone.pub", "issuer": "o"}', "gone.pub"),
        ('{"id": "a", "name": "A", "category": "r", "photograph": "gone.jpg"}', "gone.jpg"),
        (
            '{"id": "a", "name": "A", "category": "r", "photograph": "large.jpg"}',
            "large.jpg has 193 KiB: a photograph is a JPEG of at most 192 KiB",
        ),
        (
            '{"id": "a", "name": "A", "category": "r", "references": [{"pack": "p"}]}',
            "pack_version is missing",
        ),
        ('{"revoke": "xyz"}', "hexadecimal"),
    ],
)
def test_a_line_that_is_wrong_sends_nothing(desk: Path, gate: Any, line: str, why: str) -> None:
    (desk / "people.jsonl").write_text(json.dumps(LINES[1]) + "\n" + line + "\n")
    (desk / "large.jpg").write_bytes(bytes(192 * 1024 + 1))
    answer = gate(*words(desk, "--out", desk / "messages"))
    assert answer.code == 1
    assert "people.jsonl:2: " in answer.err
    assert why in answer.err
    assert not (desk / "messages").exists()


def test_keys_that_are_none_and_versions_that_fall_are_said(desk: Path, gate: Any) -> None:
    answer = gate(*words(desk, "--from", 3))
    assert (answer.code, "later one" in answer.err) == (1, True)
    (desk / "kiosk.json").write_text("{}")
    answer = gate(*words(desk))
    assert (answer.code, "key show" in answer.err) == (1, True)


def test_no_broker_is_said(desk: Path, gate: Any) -> None:
    answer = gate(*words(desk, "--host", "127.0.0.1", "--port", 1))
    assert (answer.code, "cannot be reached" in answer.err) == (69, True)


def test_a_kiosk_that_is_away_is_said_and_asks_later(
    desk: Path, gate: Any, mosquitto: Mosquitto
) -> None:
    answer = gate(*words(desk, "--port", mosquitto.port, "--within", 0.3))
    assert answer.code == 1
    assert answer.json["has"] is None
    assert answer.json["sent"] >= 2
    assert "did not answer" in answer.err
    assert threading.active_count() >= 1
    signer = read_issuer_key(desk / "registry.pem")
    to = addressee(desk / "kiosk.json")
    assert len(pack([], "none", desk, to, (0, 1), signer)) == 1

"""Files of holders made to break the reader, and references made to break the gallery."""

import base64
import json

import numpy as np
import pytest
from store_parts import KEY, NOW, holder, open_registry

from agent.adapters.store.seal import Sealer
from agent.app.open.snapshot import Rates, take_snapshot
from agent.domain.credential.holder import HolderId
from agent.errors import RefusedError, StoreError
from agent.operations.people.transfer import PURPOSE, parse_lines
from agent.ports import Reference
from agent.vision.packs.manifest import read_manifest

SEALER = Sealer(KEY)
LIN = {"id": "lin.2", "name": "Lin", "category": "resident"}
GOOD = np.full(128, 0.1)


def refusal(line: str) -> str:
    with pytest.raises(RefusedError) as refused:
        parse_lines([line], "people.jsonl", SEALER, lambda pack: 128 if pack == "dlib" else None)
    assert refused.value.reason == "import"
    return str(refused.value)


def with_reference(template: np.ndarray, pack: str = "dlib") -> str:
    plain = np.asarray(template, dtype="<f4").tobytes()
    sealed = SEALER.seal(plain, PURPOSE, LIN["id"], pack, "1")
    reference = {
        "pack": pack,
        "pack_version": "1",
        "sealed": base64.b64encode(sealed).decode(),
    }
    return json.dumps({**LIN, "references": [reference]})


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("valid_from", "0001-01-01T00:00:00+14:00", "outside the years"),
        ("valid_until", "9999-12-31T23:59:59-14:00", "outside the years"),
        ("valid_until", "2026-01-01T00:00:00", "offset"),
        ("valid_until", 7, "no RFC 3339"),
        ("references", [[]], "a reference has"),
    ],
)
def test_a_value_from_the_edge_is_a_finding(key: str, value: object, said: str) -> None:
    assert said in refusal(json.dumps({**LIN, key: value}))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id":"lin","name":"L","category":"r","enabled":false,"enabled":true}', "twice"),
        ('{"id":"lin","name":"L","category":"r","enabled":' + "9" * 5000 + "}", "no JSON"),
        ("[" * 100_000, "nested"),
        (r'{"id":"lin","name":"\ud800","category":"r"}', "printable"),
    ],
)
def test_json_made_to_confuse_is_a_finding(line: str, said: str) -> None:
    assert said in refusal(line)


@pytest.mark.parametrize(
    "template",
    [GOOD[:3], np.append(GOOD, 0.1), np.zeros(128), GOOD * 1e30, np.append(GOOD[1:], np.nan), []],
    ids=["short", "long", "nothing", "huge", "no number", "empty"],
)
def test_a_reference_that_would_spoil_the_gallery_is_a_finding(template: np.ndarray) -> None:
    assert "reference" in refusal(with_reference(template))


def test_a_good_reference_is_none_and_neither_is_one_of_an_unknown_pack() -> None:
    lines = [with_reference(GOOD)]
    [found] = parse_lines(lines, "people.jsonl", SEALER, lambda _: 128)
    assert found.references is not None
    [found] = parse_lines([with_reference(GOOD[:3], "other")], "x", SEALER, lambda _: None)
    assert found.references is not None


@pytest.mark.parametrize(
    "template", [GOOD[:3], GOOD * 1e30], ids=["of another length", "beyond comparison"]
)
def test_a_gallery_spoiled_already_is_told_and_no_crash(tmp_path, template) -> None:
    """Whoever watches the gallery takes it for a fault, and keeps the last good one."""
    manifest = read_manifest("dlib")
    registry = open_registry(tmp_path / "registry.sqlite")
    one = holder()
    reference = Reference(
        HolderId(one.id), "dlib", manifest.version, np.asarray(template, dtype=np.float32)
    )
    registry.enrol(one, [reference], by="desk", now=NOW)
    with pytest.raises(StoreError) as told:
        take_snapshot(registry, manifest, Rates())
    assert "Fix: " in str(told.value)

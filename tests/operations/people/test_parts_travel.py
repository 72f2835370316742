"""The photographs behind a reference go from kiosk to kiosk with it, sealed."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from store_parts import BY, KEY, NOW, holder, open_registry, reference

from agent.adapters.store.seal import Sealer
from agent.domain.credential.holder import HolderId
from agent.errors import RefusedError
from agent.operations.people.transfer import PART_PURPOSE, PURPOSE, export_lines, parse_lines, write

SEALER = Sealer(KEY)
PARTS = tuple(reference(seed=n).template for n in (1, 2))
AVERAGED = replace(reference(), template=np.mean(PARTS, axis=0, dtype=np.float32), parts=PARTS)


def line_of(**changes: Any) -> str:
    (line,) = export_lines([holder()], [AVERAGED], SEALER)
    data = json.loads(line)
    data["references"][0].update(changes)
    return json.dumps(data)


def sealed(template: np.ndarray, purpose: str, owner: str = "lin.2") -> str:
    plain = np.asarray(template, dtype="<f4").tobytes()
    return base64.b64encode(SEALER.seal(plain, purpose, owner, "dlib", "1")).decode()


def test_parts_arrive_to_the_bit_and_one_can_be_taken_away_there(tmp_path: Path) -> None:
    here, there = open_registry(tmp_path / "here"), open_registry(tmp_path / "there")
    single = reference("ann", seed=5)
    here.enrol(holder(), [AVERAGED], by=BY, now=NOW)
    here.enrol(holder("ann"), [single], by=BY, now=NOW)
    lines = list(export_lines(here.holders(), here.owned("dlib", "1"), SEALER))
    assert not any(part.tobytes()[:12] in "".join(lines).encode() for part in PARTS)
    # Without parts a line is as an older kiosk reads it.
    assert set(json.loads(lines[0])["references"][0]) == {"pack", "pack_version", "sealed"}
    assert write(parse_lines(lines, "people", SEALER), there, by=BY, now=NOW) == 2
    (found,) = there.owned_by(HolderId("lin.2"), "dlib", "1")
    assert all(map(np.array_equal, (found.template, *found.parts), (AVERAGED.template, *PARTS)))
    assert there.reference_total("dlib", "1") == 2


def test_references_of_another_pack_arrive_as_that_and_meet_nobody(tmp_path: Path) -> None:
    there = open_registry(tmp_path / "there")
    other = replace(AVERAGED, pack="taguchi")
    newer = replace(AVERAGED, pack_version="2")
    lines = list(export_lines([holder()], [other, newer], SEALER))
    write(parse_lines(lines, "people", SEALER), there, by=BY, now=NOW)
    assert there.load_arrays("dlib", "1")[0] == []
    assert there.of_other_packs("dlib", "1") == 1
    assert there.of_other_packs("dlib", "2") == 0


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ("text", "no list of texts"),
        ([7], "no list of texts"),
        ([sealed(PARTS[0], PART_PURPOSE)], "has no parts"),
        (["no base64", "!"], "no base64"),
        ([sealed(PARTS[0], PURPOSE)] * 2, "altered"),
        ([sealed(PARTS[0], PART_PURPOSE, "ann")] * 2, "altered"),
        ([sealed(PARTS[0][:64], PART_PURPOSE)] * 2, "as long as"),
        ([sealed(PARTS[0] * np.float32(np.nan), PART_PURPOSE)] * 2, "no template"),
    ],
)
def test_what_are_no_parts_is_a_finding(parts: object, said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        parse_lines([line_of(parts=parts)], "people", SEALER)

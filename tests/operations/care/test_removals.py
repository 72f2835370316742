"""Who was removed since a backup, as events and receipts tell it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.errors import RefusedError
from agent.operations.care.removals import Removal, Revoked, later, read_removals

MADE = datetime(2026, 5, 6, 12, tzinfo=UTC)


def event(holder: str, time: str, *, sure: bool = True) -> dict[str, Any]:
    data = {"holder": holder, "by": "uid:0 root", "clock_synced": sure}
    return {"type": "gate.holder.removed", "time": time, "data": data}


def receipt(holder: str, outcome: str, time: str, *, sure: bool = True) -> dict[str, Any]:
    return {"holder": holder, "outcome": outcome, "time": time, "clock_trusted": sure}


def read(*said: object) -> list[Removal | Revoked]:
    return read_removals([json.dumps(one) for one in said], "removed.jsonl")


def test_events_and_receipts_say_it_and_nothing_else_does() -> None:
    after = "2026-05-07T09:00:00.000Z"
    moment = datetime(2026, 5, 7, 9, tzinfo=UTC)
    found = read(
        event("a", after),
        event("b", after, sure=False),
        {"type": "gate.access.granted", "time": after, "data": {"holder": "c"}},
        receipt("d", "erased", after),
        receipt("e", "not_here", after),
        receipt("f", "enrolled", after),
        {"kiosk": "lakeside/g3/north-1", "receipts": [receipt("g", "erased", after)]},
        # As the backend prints them, with what else it has of each.
        [{**receipt("h", "erased", "2026-05-07T09:00:00.000Z"), "received": after}],
        [],
    )
    revoked = read({"type": "gate.pass.revoked", "time": after, "data": {"pass": "ab" * 8}})
    assert revoked == [Revoked(PassId("ab" * 8))]
    assert later(revoked, MADE, sure=False) == {}
    assert {str(one.holder): one.at for one in found if isinstance(one, Removal)} == {
        "a": moment,
        "b": None,
        "d": moment,
        "e": moment,
        "g": moment,
        "h": moment,
    }


LINES = (
    *("r-1042", "[7]", "{}", '{"type": "gate.holder.removed"}', '{"receipts": [7]}'),
    '{"type": "gate.pass.revoked", "data": {"pass": "../x"}}',
    *(json.dumps(event("../x", "2026-05-07")), json.dumps(event("a", "noon"))),
)


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_is_neither_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(RefusedError, match="line 2") as refused:
        read_removals(["", line], "removed.jsonl")
    assert refused.value.reason == "tombstones"


def test_only_later_ones_count_and_the_last_of_each() -> None:
    a, b, c = (HolderId(one) for one in "abc")
    hour = timedelta(hours=1)
    said: list[Removal | Revoked] = [
        Removal(a, MADE - hour),
        Removal(b, MADE + hour),
        Removal(b, MADE + 2 * hour),
        Removal(b, MADE + hour),
        Removal(c, None),
        Removal(c, MADE + hour),
    ]
    assert later(said, MADE, sure=True) == {b: Removal(b, MADE + 2 * hour), c: Removal(c, None)}
    assert set(later(said, MADE, sure=False)) == {a, b, c}

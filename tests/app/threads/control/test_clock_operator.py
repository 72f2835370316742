"""A person's word on the time to a running agent: by the real controller, status and ledger."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from gate_parts import Gate
from pass_parts import NOW

from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.app.threads.control.clock import ClockOperator
from agent.controller.effects import Record, SetStatus
from agent.controller.inputs import ClockTold, Input, Tick
from agent.controller.kiosk import Kiosk, Memory
from agent.domain.record.events import EventType
from agent.errors import RefusedError

DAY = 86_400.0
ME = "uid:0 root"


class Desk:
    """A kiosk that takes what is posted at once, and who asks it."""

    def __init__(self, path: Path) -> None:
        self.ledger = SqlitePassLedger(path)
        self.ledger.note_trusted(NOW)
        self.gate = Gate()
        self.gate.kiosk = Kiosk(self.gate.settings, self.gate.registry, Memory(latest_utc=NOW))
        self.stands = SetStatus()
        self.deaf = False
        self.step(0.0)
        operator = ClockOperator(self, self.gate.clock, self.post, self.ledger.set_trusted)  # type: ignore[arg-type] # all that is asked of a board
        self.command = operator.commands()["clock"]

    def post(self, happened: Input) -> None:
        if self.deaf:
            return
        for effect in self.gate.tell(happened):
            if isinstance(effect, SetStatus):
                self.stands = effect

    def newest(self) -> SetStatus:
        return self.stands

    def wait_for(self, holds: Any, _timeout_s: float) -> bool:
        return bool(holds(self.stands))

    def step(self, seconds: float, **more: bool) -> None:
        self.gate.clock.step_utc(seconds, **more)
        self.gate.clock.advance(1.0)
        self.post(Tick())

    def ask(self, do: str, **more: Any) -> Any:
        return self.command({"command": "clock", "do": do, **more}, ME)["clock"]

    def events(self) -> list[Any]:
        drafts = [one.draft for one in self.gate.log if isinstance(one, Record)]
        return [draft for draft in drafts if draft.type is EventType.CLOCK_SET]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path / "passes.sqlite")
    yield desk
    desk.ledger.close()


def test_a_leap_is_confirmed_and_written_down(desk: Desk) -> None:
    desk.step(20 * DAY)
    assert desk.ask("show")["state"] == "ahead"
    shown = desk.ask("confirm", reason="off for three weeks")
    assert (shown["state"], shown["claimed"]) == ("settled", None)
    assert desk.ledger.latest_trusted() == desk.gate.clock.now().utc
    (event,) = desk.events()
    assert event.data["by"] == ME
    assert event.data["reason"] == "off for three weeks"
    assert event.data["change"] == "confirmed"


def test_a_wrong_time_is_set_back_and_written_down(desk: Desk) -> None:
    desk.step(20 * 3600)
    desk.step(-20 * 3600)
    assert desk.ask("show")["state"] == "behind"
    assert desk.ask("set_back", reason="the router was wrong")["state"] == "settled"
    assert desk.ledger.latest_trusted() == NOW + timedelta(seconds=3)


def test_a_person_names_the_time_where_no_clock_does(desk: Desk) -> None:
    desk.step(20 * 3600)
    desk.step(0.0, trusted=False)
    with pytest.raises(RefusedError, match="--to"):
        desk.ask("set_back", reason="wrong")
    shown = desk.ask("set_back", reason="wrong", utc="2026-01-01T00:00:00+01:00")
    assert shown["state"] == "unknown"
    assert desk.ledger.latest_trusted() == datetime.fromisoformat("2025-12-31T23:00:00+00:00")


@pytest.mark.parametrize(
    "request_",
    [
        {"do": "fly"},
        {"do": None},
        {"do": "confirm"},
        {"do": "confirm", "reason": ""},
        {"do": "confirm", "reason": "x" * 201},
        {"do": "confirm", "reason": 7},
        {"do": "set_back", "reason": "x", "utc": "yesterday"},
        {"do": "set_back", "reason": "x", "utc": "2026-01-01T00:00:00"},
        {"do": "set_back", "reason": "x", "utc": "0001-01-01T00:00:00+14:00"},
        {"do": "set_back", "reason": "x", "utc": "9999-12-31T23:59:59-14:00"},
        {"do": "set_back", "reason": "x\u202ey", "utc": "2026-01-01T00:00:00Z"},
        {"do": "confirm", "reason": "x", "utc": "2030-01-01T00:00:00Z"},
    ],
)
def test_what_is_not_understood_is_refused(desk: Desk, request_: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        desk.ask(**request_)
    assert desk.events() == []


def test_nothing_to_confirm_and_nothing_earlier(desk: Desk) -> None:
    with pytest.raises(RefusedError, match="nothing"):
        desk.ask("confirm", reason="x")
    with pytest.raises(RefusedError, match="earlier"):
        desk.ask("set_back", reason="x", utc="2199-01-01T00:00:00Z")
    assert desk.events() == []


def test_what_the_agent_did_not_take_is_not_written(desk: Desk) -> None:
    desk.step(20 * DAY)
    desk.deaf = True
    with pytest.raises(RefusedError, match="again"):
        desk.ask("confirm", reason="x")
    assert desk.ledger.latest_trusted() == NOW


def test_the_input_says_whose_word_it_is() -> None:
    assert set(ClockTold.__dataclass_fields__) == {"utc", "change", "by", "reason"}


@pytest.mark.parametrize("utc", ["0001-01-01T00:00:00Z", "2019-12-31T23:59:59Z"])
def test_a_time_that_no_kiosk_can_have_ends_no_thread(desk: Desk, utc: str) -> None:
    with pytest.raises(RefusedError, match="2020"):
        desk.ask("set_back", reason="wrong", utc=utc)
    desk.step(1.0)
    assert desk.ask("show")["state"] == "settled"
    assert desk.events() == []

"""The doctor's checks of bus, disk and journal as functions, and what they look at for real."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from agent.adapters.thermometer.simulated_i2c import FakeBus
from agent.adapters.thermometer.simulated_mlx90614 import SimulatedMlx90614
from agent.app.desk.examined.bus import bus_fact
from agent.app.desk.examined.disk import disk_fact, strangers_found, written_found
from agent.app.open.files.written import keep_day
from agent.config import ThermometerConfig
from agent.domain.record.wear import Day
from agent.operations.examination.facts import (
    BusFact,
    DiskFact,
    Doubtful,
    InferenceFact,
    JournalFact,
)
from agent.technician import storage
from agent.technician.verdict import Status, Verdict

PASS, WARN, FAIL = Status.PASS, Status.WARN, Status.FAIL
WIRED = BusFact(1, "mlx90614", 0x5A, (0x5A,), asked=20)
ROOMY = DiskFact(5_000_000_000, 0.8)
KNOWN = InferenceFact("retail", 0.03, finite=True, off=0.001)
SPOT = ThermometerConfig(kind="mlx90614", field_of_view_deg=5)


@pytest.mark.parametrize(
    ("verdict", "status", "says"),
    [
        (storage.bus(WIRED), PASS, "0x5a; 0 of 20"),
        (storage.bus(replace(WIRED, spoilt=1)), WARN, "1 of 20"),
        (storage.bus(replace(WIRED, spoilt=9)), FAIL, "9 of 20"),
        (storage.bus(replace(WIRED, answering=(0x33,))), FAIL, "0x33; the mlx90614 should"),
        (storage.bus(replace(WIRED, answering=())), FAIL, "nobody"),
        (storage.bus(replace(WIRED, hangs=True)), FAIL, "hung"),
        (storage.disk(ROOMY), PASS, "5.0 GB free, 80% of its inodes"),
        (storage.disk(DiskFact(199_999_999)), FAIL, "0.2 GB"),
        (storage.disk(replace(ROOMY, nodes=0.01)), FAIL, "1% of its inodes"),
        (storage.disk(replace(ROOMY, worn=20, spare=1)), PASS, "20% of its life"),
        (storage.disk(replace(ROOMY, worn=90)), WARN, "90% of its life"),
        (storage.disk(replace(ROOMY, spare=2)), WARN, "5.0 GB"),
        (storage.disk(replace(ROOMY, worn=101)), FAIL, "more than all of its life"),
        (storage.disk(replace(ROOMY, spare=3)), FAIL, "5.0 GB"),
        (storage.inference((KNOWN,)), PASS, "retail in 30 ms"),
        (storage.inference((KNOWN, replace(KNOWN, pack="b", off=None))), WARN, "known of b"),
        (storage.inference((KNOWN, replace(KNOWN, pack="b", off=0.2))), FAIL, "should: b"),
        (storage.inference((replace(KNOWN, finite=False),)), FAIL, "should: retail"),
        (storage.journal(JournalFact(12, whole=True)), PASS, "all 12 events"),
        (storage.journal(JournalFact(9, whole=False)), PASS, "the newest 9"),
        (storage.journal(JournalFact(9, True, ("missing from 3",))), FAIL, "missing from 3"),
    ],
)
def test_facts_make_a_verdict(verdict: Verdict, status: Status, says: str) -> None:
    assert verdict.finding.status is status
    assert says in verdict.detail
    assert (verdict.finding.fix is None) is (status is PASS)


@pytest.fixture
def part() -> SimulatedMlx90614:
    return SimulatedMlx90614(starts_after_s=0.0)


@pytest.fixture
def wires(part: SimulatedMlx90614) -> Iterator[FakeBus]:
    bus = FakeBus({0x5A: part})
    yield bus
    assert bus.closed


def test_the_part_is_found_and_its_words_are_whole(wires: FakeBus) -> None:
    assert bus_fact(SPOT, wires) == WIRED
    # Nothing but the number of the register was written, and that to nobody else.
    written = {(one.address, one.data) for one in wires.transfers if not one.reads}
    assert written == {(0x5A, b"\x07")}


def test_spoilt_words_are_counted(wires: FakeBus, part: SimulatedMlx90614) -> None:
    part.pec_flips.extend([0, 0x000001, 0x010000])  # the first is of the scan
    found = bus_fact(SPOT, wires)
    assert (found.asked, found.spoilt) == (20, 2)


def test_a_part_at_another_address_and_one_of_another_kind_are_told(wires: FakeBus) -> None:
    array = ThermometerConfig(kind="mlx90640", field_of_view_deg=55)
    found = bus_fact(array, wires)
    assert (found.wanted, found.answering, found.asked) == (0x33, (0x5A,), 0)


def test_a_bus_that_hangs_ends_the_look_at_once(wires: FakeBus) -> None:
    wires.hangs = True
    found = bus_fact(SPOT, wires)
    assert (found.hangs, found.answering, found.asked) == (True, (), 0)


@pytest.mark.parametrize(
    ("life", "spare", "worn", "left"),
    [
        ("0x01 0x02\n", "0x01\n", 20, 1),
        ("0x0b 0x01\n", "0x03\n", 101, 3),
        ("0x00 0x00\n", "0x00\n", None, None),
        ("nonsense\n", "", None, None),
        (None, None, None, None),
    ],
)
def test_a_card_says_how_worn_it_is(
    tmp_path: Path, life: str | None, spare: str | None, worn: int | None, left: int | None
) -> None:
    device = tmp_path / "mmcblk0" / "device"
    device.mkdir(parents=True)
    for name, said in (("life_time", life), ("pre_eol_info", spare)):
        if said is not None:
            (device / name).write_text(said)
    found = disk_fact(tmp_path, tmp_path)
    assert (found.worn, found.spare) == (worn, left)
    assert found.free_bytes > 0


def test_what_the_agent_counted_of_a_day_is_shown_beside_its_budget(tmp_path: Path) -> None:
    assert written_found(tmp_path, 50) is None
    assert keep_day(tmp_path, Day(date(2026, 11, 28), 3_210_000))
    told = written_found(tmp_path, 50)
    assert told == "3.2 of 50 MB written on 2026-11-28"
    assert told in storage.disk(replace(ROOMY, written=told)).detail


def test_what_is_not_the_agents_is_named(tmp_path: Path) -> None:
    for name in ("gallery.key", "journal.sqlite", "journal.sqlite-wal", ".draft"):
        (tmp_path / name).touch()
    assert strangers_found(tmp_path) == "none"
    for number in range(6):
        (tmp_path / f"photo {number}\x1b[2J.jpg").touch()
    found = strangers_found(tmp_path)
    assert isinstance(found, Doubtful)
    assert "\x1b" not in found.said
    assert found.said.endswith("and 1 more")

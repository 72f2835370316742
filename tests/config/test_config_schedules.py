"""Schedules in the config: what they become, and every fault at once with its line."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from config_parts import GOOD

from agent.app.open.schedules import schedule_of, schedules
from agent.app.open.settings import kiosk_settings
from agent.config import GateConfig, load_config
from agent.domain.hours.schedule import Schedule
from agent.errors import ConfigError

ZONED = GOOD.replace('id = "north-1"', 'id = "north-1"\ntimezone = "Asia/Shanghai"')
INLINE = 'schedule = [{ days = ["mon"], from = "22:00", until = "06:00" }]'
LIST = 'holidays = ["public"]'
SPANS = 'spans = [{ days = ["mon", "holiday"], from = "08:00", until = "18:00" }]'
EXCEPTION = '{ date = "2026-12-24", open = false, from = "12:00" }'


@pytest.fixture
def load(tmp_path):
    def load(text: str) -> GateConfig:
        path = Path(tmp_path) / "gate.toml"
        path.write_text(text)
        return load_config(path).config

    return load


@pytest.fixture
def findings(load):
    """What is wrong with a text, as ``LINE: KEY: MESSAGE``."""

    def findings(text: str) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text)
        return [one.partition("gate.toml:")[2] for one in caught.value.findings]

    return findings


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) == 1, old
    return GOOD.replace(old, new)


def holds(schedule: Schedule, local: str) -> bool:
    return schedule.holds(datetime.fromisoformat(f"{local}+08:00").astimezone(UTC))


def test_a_schedule_is_what_it_says(load) -> None:
    office = schedules(load(ZONED))["office-hours"]
    for local, expected in [
        ("2026-05-04T08:00", True),  # a Monday
        ("2026-05-04T18:00", False),
        ("2026-05-05T12:00", False),
        ("2026-05-01T12:00", True),  # a holiday, on a Friday
        ("2027-05-01T12:00", True),
        ("2026-12-21T12:00", True),
        ("2026-12-24T12:00", False),
    ]:
        assert holds(office, local) is expected, local


def test_an_exception_without_hours_is_its_whole_day(load) -> None:
    text = ZONED.replace(EXCEPTION, "{ date = 2026-12-24, open = true }")
    office = schedules(load(text))["office-hours"]
    assert holds(office, "2026-12-24T00:00")
    assert holds(office, "2026-12-24T23:59")
    assert not holds(office, "2026-12-25T00:00")
    text = ZONED.replace(EXCEPTION, '{ date = "2026-12-21", open = false, until = 12:00:00 }')
    office = schedules(load(text))["office-hours"]
    assert not holds(office, "2026-12-21T11:59")
    assert holds(office, "2026-12-21T12:00")


def test_a_rule_has_a_schedule_by_id_or_its_own_spans(load) -> None:
    config = load(ZONED)
    night = schedule_of(config.rule[0], {}, config.kiosk.timezone)
    assert night is not None
    assert holds(night, "2026-05-05T05:59")
    assert not holds(night, "2026-05-01T12:00")
    assert schedule_of(config.rule[1], {}, config.kiosk.timezone) is None
    config = load(ZONED.replace(INLINE, 'schedule = "office-hours"'))
    known = schedules(config)
    assert schedule_of(config.rule[0], known, config.kiosk.timezone) is known["office-hours"]


def test_a_door_may_name_two(load) -> None:
    text = GOOD + '[[schedule]]\nid = "night"\nspans = [{ days = ["mon"], from = "22:00", '
    text += 'until = "06:00" }]\n'
    keys = 'free_passage_schedule = "office-hours"\nlockdown_schedule = "night"'
    text = text.replace("pin = 17", f"pin = 17\n{keys}").replace(INLINE, 'schedule = "night"')
    config = load(text)
    known, made = schedules(config), kiosk_settings(config, "boot")
    doors = {door.door: (door.free_passage, door.lockdown) for door in made.doors}
    assert doors == {"in": (known["office-hours"], known["night"]), "out": (None, None)}
    assert [rule.schedule for rule in made.rules] == [known["night"], None]


_ID = "should be a text: 1 to 64 of A-Z a-z 0-9 . _ - or a list of tables"
_EITHER = "is the id of a [[schedule]], or a list of spans"
WRONG = [
    # a rule's schedule
    (
        INLINE,
        'schedule = "ofice-hours"',
        "rule[0].schedule: there is no [[schedule]] 'ofice-hours'; did you mean 'office-hours'?",
    ),
    (INLINE, "schedule = 3", f"rule[0].schedule: {_EITHER}"),
    (
        INLINE,
        'schedule = { days = ["mon"], from = "22:00", until = "06:00" }',
        "rule[0].schedule: is one table, where a list of them stands; write [{ ... }]",
    ),
    (INLINE, 'schedule = ""', f"rule[0].schedule: {_ID}"),
    (INLINE, 'schedule = ["office-hours"]', "rule[0].schedule[0]: should be a table"),
    ('from = "22:00", ', "", "rule[0].schedule[0].from: is missing"),
    ('days = ["mon"]', 'days = ["holiday"]', "rule[0].schedule[0].days: a list of spans knows no"),
    ('days = ["mon"]', "days = []", "rule[0].schedule[0].days: is empty"),
    ('"22:00"', '"22:00+02:00"', "rule[0].schedule[0].from: has an offset"),
    # a schedule
    (SPANS, SPANS.replace("mon", "mo"), 'schedule[0].spans[0].days[0]: should be "mon", "tue"'),
    ("18:00", "24:00", "schedule[0].spans[0].until: should be a time of day"),
    ("spans =", "span =", "schedule[0].span: is no known key; did you mean 'spans'?"),
    (SPANS, "", "schedule[0]: never holds: give it spans, or exceptions with open = true"),
    (LIST, "", 'schedule[0]: its spans name the day "holiday": say in holidays which [[holiday]]'),
    (
        LIST,
        'holidays = ["publik"]',
        "schedule[0].holidays[0]: there is no [[holiday]] 'publik'; did you mean 'public'?",
    ),
    # exceptions
    ("2026-12-24", "2026-13-24", "schedule[0].exceptions[0].date: should be a date"),
    ("2026-12-24", "0026-12-24", "schedule[0].exceptions[0].date: is not in 2000 to 2199"),
    ("open = false, ", "", "schedule[0].exceptions[0].open: is missing"),
    ("open = false", 'open = "no"', "schedule[0].exceptions[0].open: should be true or false"),
    (EXCEPTION, ", ".join([EXCEPTION] * 201), "schedule[0].exceptions: Tuple should have at most"),
    # holidays
    ('"05-01"', '"05-01", "05-32"', "holiday[0].dates[1]: '05-32' is in no calendar"),
    ('"05-01"', '"May 1st"', "holiday[0].dates[0]: 'May 1st' is no day: 2027-01-01"),
    ('["05-01"]', "[]", "holiday[0].dates: is empty"),
    ('["05-01"]', '"05-01"', "holiday[0].dates: should be a list, each a text"),
    # doors
    ("pin = 17", 'pin = 17\nlockdown_schedule = "x"', "door[0].lockdown_schedule: there is no [["),
    (
        "pin = 17",
        'pin = 17\nlockdown_schedule = "office-hours"\nfree_passage_schedule = "office-hours"',
        "door[0].lockdown_schedule: is the free_passage_schedule too",
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), WRONG, ids=[row[2][:60] for row in WRONG])
def test_what_is_wrong_is_named_and_nothing_else(findings, old, new, expected) -> None:
    (found,) = findings(changed(old, new))
    assert found.partition(": ")[2].startswith(expected)


def test_every_fault_is_told_at_once(findings) -> None:
    text = GOOD
    for old, new in [
        (INLINE, 'schedule = "ofice-hours"'),
        ('"05-01"', '"5-1", "2027-02-30"'),
        ('holidays = ["public"]', 'holidays = ["publik"]'),
        ("open = false, ", ""),
        ("pin = 17", 'pin = 17\nfree_passage_schedule = "x"'),
        ('id = "garden"', 'id = "gar den"'),
    ]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    found = findings(text)
    rows = text.splitlines()
    for one, word in ((found[0], "free_passage"), (found[1], "ofice"), (found[4], "exceptions")):
        assert word in rows[int(one.partition(":")[0]) - 1]
    assert [one.split(": ")[1] for one in found] == [
        *("door[0].free_passage_schedule", "rule[0].schedule", "area[0].id"),
        *("schedule[0].holidays[0]", "schedule[0].exceptions[0].open"),
        *("holiday[0].dates[0]", "holiday[0].dates[1]"),
    ]


def test_ids_are_named_once(findings) -> None:
    text = GOOD + f'[[schedule]]\nid = "office-hours"\nexceptions = [{EXCEPTION}]\n'
    text = (
        text.replace("open = false", "open = true")
        + '[[holiday]]\nid = "public"\ndates = ["06-01"]'
    )
    assert [one.partition(": ")[2] for one in findings(text)] == [
        "schedule[1].id: 'office-hours' is named twice; rename one",
        "holiday[1].id: 'public' is named twice; rename one",
    ]


def test_an_id_that_cannot_be_read_may_be_the_one_that_is_meant(findings) -> None:
    text = changed(INLINE, 'schedule = "office"').replace('id = "office-hours"', "id = 3")
    assert [one.split(": ")[1] for one in findings(text)] == ["schedule[0].id"]

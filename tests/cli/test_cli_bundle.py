"""``gate-agent bundle``: what goes in, and that no secret does wherever it was planted."""

import base64
import gzip
import json
import os
import shutil
import stat
import threading
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from bundle_parts import leaks, told
from gate_command import Gate
from store_parts import IDS, NOW

from agent.adapters.store.people.registry import SqliteRegistry
from agent.adapters.store.record.journal import SqliteJournal
from agent.adapters.store.seal import Sealer
from agent.app.threads.control.socket import ControlServer
from agent.domain.access.part import PartKind
from agent.domain.credential.holder import Holder, HolderId
from agent.domain.record.events import Event, EventType
from agent.operations.bundle import config_keys
from agent.operations.bundle.contents import log_words
from agent.operations.bundle.forms import MASK, Names, number

PARTS = (
    *("config", "config-check", "version", "sbom", "packs", "doctor", "status", "health"),
    *("history", "counts", "files", "machine", "service", "log"),
)
ID_NUMBER = "110101199003077710"
WORDS = {
    *("community", "grid", "kiosk", "camera", "address", "door", "point", "category", "input"),
    *("area", "schedule", "holiday", "broker", "login", "password_path", "password", "ca", "key"),
    *("client", "socket", "verbkey", "unknown_key", "voice_device", "comment", "community_key"),
    *("person", "holder", "reason", "detail", "file_name", "file_text", "folder_name", "env"),
    *("log_word", "log_field", "log_text", "unit", "status_key", "fault_text", "fault_part"),
    *("why", "health_key", "sensor", "pass_text", "by", "pack_note", "version_text", "output"),
}
SECRETS = {word: f"zq{word.replace('_', '')}x7" for word in WORDS}
CONFIG = """
[kiosk]
community = "{community}"
grid = "{grid}"
id = "{kiosk}"
timezone = "Asia/Shanghai"
[[camera]]
id = "{camera}"
kind = "opencv"
source = "rtsp://{login}:{password}@{address}/stream?token={key}"  # {comment}
[[door]]
id = "{door}"
kind = "gpio"
pin = 17
active_high = true
pin_factory = "mock"
free_passage_schedule = "{schedule}"
[[input]]
id = "{input}"
kind = "tamper"
pin = 26
active_high = true
pull = "up"
pin_factory = "mock"
[[access_point]]
id = "{point}"
direction = "entry"
camera = "{camera}"
door = "{door}"
from_area = "{area}"
[[area]]
id = "{area}"
[[schedule]]
id = "{schedule}"
spans = [{{ days = ["mon"], from = "07:00", until = "19:00" }}]
[[holiday]]
id = "{holiday}"
dates = ["2026-10-01"]
[[rule]]
categories = ["{category}"]
[broker]
host = "{broker}.invalid"
client_id = "{client}"
username = "{login}"
password_file = "{password_path}"
ca_file = "{ca}"
[pass]
community_key_file = "{community_key}"
[voice]
device = "{voice_device}"
[control]
socket = "{socket}"
[face]
accept_no_pad = true
"""
LOG = [
    {"event": "status_waits", "level": "warning", "logger": "agent.app.threads.record.status"},
    {"event": SECRETS["log_word"], "level": "info", "logger": SECRETS["log_field"]},
    {"event": "broker_away", "level": SECRETS["log_field"], "why": SECRETS["log_text"]},
]


def program(folder: Path, name: str, *lines: str) -> None:
    path = folder / name
    (folder / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines))
    path.write_text(f'#!/bin/sh\nexec cat "{path}.txt"\n')
    path.chmod(0o755)


def event(kind: EventType, point: str | None = None, **data: object) -> Event:
    return Event(IDS.make(NOW.utc), kind, NOW.utc, True, point, data)


@pytest.fixture
def planted(tmp_path: Path, state_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kiosk with a secret in every place where one can stand; its config."""
    names = {**SECRETS, "socket": str(tmp_path / f"{SECRETS['socket']}.sock")}
    config = tmp_path / "gate.toml"
    config.write_text(CONFIG.format(**names))
    (tmp_path / SECRETS["password_path"]).write_text(SECRETS["password"])
    state_dir.mkdir()
    (state_dir / "gallery.key").write_text(SECRETS["key"] * 4)
    (state_dir / SECRETS["file_name"]).write_text(SECRETS["file_text"])
    (state_dir / SECRETS["folder_name"]).mkdir()
    (state_dir / SECRETS["folder_name"] / "a").write_text(SECRETS["pass_text"])
    pack = state_dir / "models" / SECRETS["folder_name"]
    pack.mkdir(parents=True)
    (pack / "installed.json").write_text(json.dumps({"version": SECRETS["pack_note"]}))
    retail = state_dir / "models" / "retail"
    retail.mkdir()
    (retail / "installed.json").write_text(json.dumps({"version": SECRETS["version_text"]}))
    with closing(
        SqliteRegistry(state_dir / "registry.sqlite", Sealer(bytes(32)), IDS.make)
    ) as registry:
        person = Holder(HolderId(SECRETS["holder"]), SECRETS["person"], SECRETS["category"])
        registry.put(person, by=SECRETS["by"], now=NOW)
    with closing(
        SqliteJournal(state_dir / "journal.sqlite", lambda _: event(EventType.CLOCK_SET))
    ) as log:
        for one in (
            event(EventType.AGENT_STARTED, version="0.1.0"),
            event(EventType.ACCESS_DENIED, SECRETS["point"], holder=SECRETS["holder"],
                  reason=SECRETS["reason"], id_number=ID_NUMBER),
            event(EventType.ACCESS_DENIED, SECRETS["point"], reason="NoMatch"),
            event(EventType.ACCESS_GRANTED, SECRETS["point"], holder=SECRETS["holder"]),
            event(EventType.FAULT_RAISED, part=f"camera:{SECRETS['camera']}", detail="zqdetailx7"),
            event(EventType.FAULT_RAISED, part=SECRETS["fault_part"], detail=SECRETS["detail"]),
            event(EventType.FAULT_CLEARED, part="disk", by=SECRETS["by"]),
            event(EventType.HOLDER_REMOVED, holder=SECRETS["holder"], by=SECRETS["by"]),
            event(EventType.STATE_ACCEPTED, file="passes.sqlite", reason=SECRETS["reason"]),
        ):  # fmt: skip
            log.append(one)
        log.make_durable()
    programs = tmp_path / "programs"
    programs.mkdir()
    lines = [json.dumps({"__REALTIME_TIMESTAMP": "1790000000000000", "MESSAGE": json.dumps(one)})
             for one in LOG]  # fmt: skip
    program(programs, "journalctl", *lines, SECRETS["log_text"], json.dumps({"MESSAGE": ID_NUMBER}))
    program(programs, "systemctl", "ActiveState=active", f"SubState={SECRETS['unit']}",
            f"Environment={SECRETS['env']}", "NRestarts=3",
            f"ExecMainStatus={ID_NUMBER}")  # fmt: skip
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("GATE_AGENT_INIT", SECRETS["env"])
    monkeypatch.setenv("MQTT_PASSWORD", SECRETS["password"])
    return config


STATUS = {
    "online": True,
    "version": SECRETS["version_text"],
    "holders": 240,
    "unpublished": int(ID_NUMBER),
    "faults": {f"camera:{SECRETS['camera']}": SECRETS["fault_text"], SECRETS["fault_part"]: "a"},
    "access_points": {SECRETS["point"]: "secured"},
    "modes": {SECRETS["point"]: SECRETS["why"]},
    "broker": "away",
    "broker_why": SECRETS["why"],
    "inside": {SECRETS["area"]: 7},
    "commands_refused": {SECRETS["reason"]: 2},
    SECRETS["status_key"]: SECRETS["status_key"],
}
HEALTH = {
    "uptime_s": 12.5,
    "temperatures_c": {SECRETS["sensor"]: 51.5},
    "faults": [f"door:{SECRETS['output']}.entry", "disk"],
    SECRETS["health_key"]: 1,
}


@pytest.fixture
def answering(planted: Path, tmp_path: Path) -> Iterator[Path]:
    """The same beside an agent that says secrets too."""
    server = ControlServer(
        tmp_path / f"{SECRETS['socket']}.sock",
        {
            "status": lambda _request, _caller: {"status": STATUS},
            "health": lambda _request, _caller: HEALTH,
        },
    )
    thread = threading.Thread(target=server.work)
    thread.start()
    with ExitStack() as ends:
        ends.callback(thread.join, 60)
        ends.callback(server.stop)
        yield planted


def test_the_search_finds_what_is_hidden(tmp_path: Path) -> None:
    secret = {"word": "zqsecretx7"}
    for number_, hidden in enumerate(
        (
            b"a zqsecretx7 b",
            base64.b64encode(b"12zqsecretx7345"),
            b"zqsecretx7".hex().encode(),
            gzip.compress(b"a zqsecretx7"),
            base64.b64encode(b"1zqsecretx7ab"),
        )
    ):
        file = tmp_path / f"{number_}.zip"
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a", hidden)
        assert leaks(file, secret) == ["word"], hidden


def test_no_secret_goes_in_wherever_it_stands(answering: Path, gate: Gate, tmp_path: Path) -> None:
    file = tmp_path / "out" / "bundle.zip"
    file.parent.mkdir()
    answer = gate("bundle", file, "--config", answering, "--json")
    assert answer.code == 0, answer.err
    assert leaks(file, {**SECRETS, "id number": ID_NUMBER}) == []
    assert not [word for word, secret in SECRETS.items() if secret in answer.out + answer.err]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]
    # And yet what helps is there.
    found = told(file)
    assert tuple(found) == PARTS
    assert [one["name"] for one in answer.json["parts"]] == list(PARTS)
    assert answer.json["bytes"] == file.stat().st_size
    assert all(one["ok"] for one in answer.json["parts"]), answer.json["parts"]
    assert (
        found["config"]["door"][0] | {"pin": 17, "id": "door-1", "active_high": True}
        == (found["config"]["door"][0])
    )
    assert found["config"]["schedule"][0]["spans"][0]["from"] == "07:00"
    assert found["config"]["broker"] == dict.fromkeys(
        ("host", "client_id", "username", "password_file", "ca_file"), MASK
    )
    assert found["config-check"]["ok"] is True
    checks = {one["name"]: one for one in found["doctor"]}
    assert checks["gallery key"]["status"] == "fail"
    assert checks["gallery key"]["detail"] == MASK
    assert checks["camera camera-1"]["meaning"] == "nobody is seen here"
    assert found["status"]["faults"] == ["camera:camera-1", MASK]
    assert found["status"]["access_points"] == {"access-point-1": "secured"}
    assert found["status"] | {"holders": 240, "unpublished": MASK, "left_out": 2} == found["status"]
    assert found["health"]["faults"] == ["door:door-2.entry", "disk"]
    assert found["health"]["temperatures_c"] == [51.5]
    assert [(one["type"], one.get("part")) for one in found["history"]] == [
        ("agent.started", None),
        ("fault.raised", "camera:camera-1"),
        ("fault.raised", MASK),
        ("fault.cleared", "disk"),
        ("state.accepted", None),
    ]
    assert found["counts"]["decisions"] == {MASK: 1, "NoMatch": 1, "granted": 1}
    assert found["counts"]["types"]["holder.removed"] == 1
    assert found["service"]["gate-agent.service"] == {
        "ActiveState": "active", "SubState": MASK, "NRestarts": 3, "ExecMainStatus": MASK
    }  # fmt: skip
    assert [(one["level"], one["event"]) for one in found["log"]["lines"]] == [
        ("warning", "status_waits"),
        ("info", MASK),
        (MASK, "broker_away"),
    ]
    assert found["log"]["others"] == 2
    assert found["files"]["strangers"] == 2
    assert found["files"]["rows"]["registry.sqlite"]["modes"] == ["0600"]
    assert found["machine"]["disk"]["free_bytes"] > 0
    assert {one["name"] for one in found["packs"]} >= {"retail"}


@pytest.mark.parametrize("what", ["no state", "a file", "all garbage", "no config", "no toml"])
def test_it_works_where_much_is_broken(
    planted: Path, state_dir: Path, gate: Gate, tmp_path: Path, what: str
) -> None:
    if what in ("no state", "a file"):
        shutil.rmtree(state_dir)
    if what == "a file":
        state_dir.write_text(SECRETS["file_text"])
    if what == "all garbage":
        for path in [one for one in state_dir.rglob("*") if one.is_file()]:
            path.write_text(f"{SECRETS['file_text']}\n" * 99)
    if what == "no config":
        planted.unlink()
    if what == "no toml":
        planted.write_text(f'{SECRETS["comment"]} = = "{SECRETS["password"]}"\n{CONFIG}')
    file = tmp_path / "b.zip"
    answer = gate("bundle", file, "--config", planted, "--json")
    assert answer.code == 0, answer.err
    assert leaks(file, SECRETS) == []
    found = told(file)
    assert tuple(found) == PARTS
    lost = {one["name"] for one in answer.json["parts"] if not one["ok"]}
    assert {one for one in PARTS if "unavailable" in found[one]} == lost
    assert not lost & {"version", "sbom", "machine", "service", "log", "packs"}
    assert ("config" in lost) is (what in ("no config", "no toml"))


def test_a_dry_run_writes_nothing_and_says_what_would_go_in(
    planted: Path, gate: Gate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    answer = gate("bundle", "--list", "--config", planted)
    assert answer.code == 0
    assert answer.out.count("\n") >= len(PARTS)
    assert "nothing was written" in answer.out
    assert sorted(tmp_path.rglob("*")) == before
    as_json = gate("bundle", "--dry-run", "--config", planted, "--json").json
    assert as_json["file"] is None
    assert "status" in {one["name"] for one in as_json["parts"] if one["why"] == "UnavailableError"}


@pytest.mark.parametrize("place", ["/dev/null", "missing/b.zip", "."])
def test_a_place_that_takes_no_file_is_refused(planted: Path, gate: Gate, place: str) -> None:
    answer = gate("bundle", place, "--config", planted, "--json")
    assert answer.code == 69
    assert answer.json["fix"]


def test_every_key_on_the_list_is_the_schemas_and_holds_no_text() -> None:
    assert config_keys.unknown_keys() == []


def test_a_key_that_nobody_listed_is_masked_and_one_of_no_table_is_left_out() -> None:
    form = config_keys.config_form(Names())
    found = form({"broker": {"host": "a", "port": 8883, "protocol": "x"}, "secret": {"a": 1}})
    assert found == {"broker": {"host": MASK, "port": 8883, "protocol": MASK}, "left_out": 1}
    assert form({"door": [{"pin": int(ID_NUMBER), "lock": "me"}]})["door"] == [
        {"pin": MASK, "lock": MASK}
    ]
    assert number(float("nan")) == MASK


def test_every_kind_of_part_is_told_without_its_name() -> None:
    names = Names()
    for kind in PartKind:
        part = kind.part("zqsecretx7" if kind.is_named else "")
        assert names.part(part).startswith(kind.value)
        assert "zqsecretx7" not in names.part(part)


def test_the_words_of_the_log_are_those_of_the_source() -> None:
    assert {"status_waits", "broker_away", "control_loop_died", "fault.raised"} <= log_words()

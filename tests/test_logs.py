"""What a real process writes to stderr: an object a line, and nobody's name or secret in it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from places import ROOT

from agent.logs import MASK, redact

PROCESS = """
import logging, sys
from pathlib import Path
import numpy as np, structlog
from agent.logs import configure
configure(*sys.argv[1:])
log = structlog.get_logger("agent.somewhere")
log.debug("quiet")
log.info("granted", access_point="north", score=0.5, name="Anna", template=np.ones(128))
log.warning("broker", password="hunter2", path=Path("/etc/gate"), what=object())
try:
    try:
        raise KeyError("An" + "na")
    except KeyError as error:
        raise ValueError("line one\\nline two of An" + "na, hunt" + "er2") from error
except ValueError:
    log.exception("thread_died")
from agent.errors import StoreError
def full():
    try:
        raise StoreError("the disk is full")
    except StoreError:
        log.exception("ours")
logging.getLogger("paho").warning("reconnect in %d s", 4)
logging.getLogger("gpiozero").info("odd %s", "args", "more")
full()
"""
THINNED = """
import logging, structlog
from agent import logs
logs.configure()
log = structlog.get_logger("agent.somewhere")
log.info("before")
logs.thin(True)
log.info("left out")
logging.getLogger("paho").info("left out")
log.error("said")
logs.thin(False)
log.info("after")
counted = logs.written_bytes()
logs.configure(tell=lambda entry: entry["event"])
logs.thin(True)
log.info("a person looks on")
print(counted)
"""


def run(*arguments: str, **environment: str) -> tuple[list[str], str]:
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        check=True,
        timeout=60,
    )
    return done.stderr.splitlines(), done.stdout


def test_each_line_is_an_object_with_level_time_and_origin() -> None:
    lines, out = run()
    entries = [json.loads(line) for line in lines]
    assert out == ""
    assert [entry["event"] for entry in entries][:4] == [
        "granted",
        "broker",
        "thread_died",
        "reconnect in 4 s",
    ]
    assert [entry["level"] for entry in entries][:4] == ["info", "warning", "error", "warning"]
    assert entries[0]["logger"] == "agent.somewhere"
    assert entries[3]["logger"] == "paho"
    assert all(entry["timestamp"].endswith("Z") for entry in entries)
    trace = entries[2]["exception"].splitlines()
    assert [trace[0], trace[1].strip().split(",")[0]] == ["ValueError", 'File "<string>"']
    assert "KeyError" in trace
    assert "StoreError: the disk is full" in entries[-1]["exception"]


def test_a_thin_log_has_warnings_and_errors_and_all_of_it_is_counted() -> None:
    done = subprocess.run(
        [sys.executable, "-c", THINNED], capture_output=True, text=True, cwd=ROOT, check=True
    )
    *lines, told = done.stderr.splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["before", "said", "after"]
    assert int(done.stdout) == sum(len(line) + 1 for line in lines)
    assert told == "a person looks on"


def test_no_name_secret_or_template_is_written() -> None:
    lines, _ = run("debug")
    written = "\n".join(lines)
    assert "Anna" not in written
    assert "hunter2" not in written
    assert "template" not in json.loads(lines[1])
    broker = json.loads(lines[2])
    assert broker["password"] == MASK
    assert broker["path"] == "/etc/gate"
    assert broker["what"] == "<object>"


@pytest.mark.parametrize(
    ("arguments", "environment", "first"),
    [
        ((), {}, "granted"),
        (("debug",), {}, "quiet"),
        ((), {"GATE_AGENT_LOG_LEVEL": "warning"}, "broker"),
        (("error",), {"GATE_AGENT_LOG_LEVEL": "debug"}, "thread_died"),
        (("loud",), {}, "granted"),
    ],
)
def test_the_level_is_asked_for_or_set_or_info(
    arguments: tuple[str, ...], environment: dict[str, str], first: str
) -> None:
    lines, _ = run(*arguments, **environment)
    assert json.loads(lines[0])["event"] == first


def test_the_journal_reads_each_lines_priority(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with path.open("w") as journal:
        status = os.fstat(journal.fileno())
        subprocess.run(
            [sys.executable, "-c", PROCESS],
            stderr=journal,
            cwd=ROOT,
            env={**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"},
            check=True,
            timeout=60,
        )
    lines = path.read_text().splitlines()
    assert [line[:3] for line in lines][:4] == ["<6>", "<4>", "<3>", "<4>"]
    assert json.loads(lines[0][3:])["event"] == "granted"


def test_another_stream_than_the_journals_has_no_priority() -> None:
    lines, _ = run(JOURNAL_STREAM="1:2")
    assert lines[0].startswith("{")


@pytest.mark.parametrize(
    ("event", "left"),
    [
        ({"event": "x", "score": 1}, {"event": "x", "score": 1}),
        ({"Name": "Anna", "holder": "h-1"}, {"holder": "h-1"}),
        ({"id_number": "1", "photo": "p", "photograph": "p", "image": 1, "templates": []}, {}),
        ({"broker_password": "p", "api_token": "t"}, {"broker_password": MASK, "api_token": MASK}),
        ({"face": np.ones(3), "raw": b"\x01", "more": bytearray(b"a")}, {}),
        (
            {"data": {"name": "Anna", "list": [{"secret": 1}, np.ones(2), 3]}},
            {"data": {"list": [{"secret": MASK}, 3]}},
        ),
    ],
)
def test_redaction_reaches_into_what_is_nested(event: dict[str, Any], left: dict[str, Any]) -> None:
    assert redact(None, "info", event) == left


def test_redaction_ends_where_nesting_does_not() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    text = json.dumps(redact(None, "info", {"data": endless}))
    assert MASK in text

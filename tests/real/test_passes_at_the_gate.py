"""The whole agent before symbols and faces: real camera frames, real crypto, a simulated relay."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import segno
from in_process import run_here
from mosquitto import wait_until
from pass_parts import KEY, OTHER_KEY, claims
from places import SHARED
from store_parts import holder

from agent.adapters.store.keys import init_key, load_key
from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.app.desk.passes import photographed_template
from agent.app.open.files.stores import Key, open_registry
from agent.app.open.site import instant, site_of
from agent.credentials.passes.gate_pass import issue
from agent.credentials.passes.issuers import IssuerKey
from agent.credentials.passes.pass_template import CommunityKey
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.domain.sight.image import Image
from agent.vision.packs.manifest import read_manifest
from agent.vision.stills.images import read_image

PROGRAM = str(Path(sys.executable).with_name("gate-agent"))

_FPS = 10
FACES = SHARED / "faces"
CONFIG = """
[kiosk]
community = "lakeside"
grid = "g3"
id = "north-1"
[[camera]]
id = "front"
kind = "opencv"
source = "film.avi"
[[door]]
id = "turnstile"
kind = "gpio"
pin = 17
active_high = true
pulse_s = 0.5
pin_factory = "simulated"
pins_file = "pins.bin"
[[access_point]]
id = "north-entry"
direction = "entry"
camera = "front"
door = "turnstile"
[[rule]]
categories = ["resident"]
factors = ["pass+face"]
accept_unknown_holders = true
[[rule]]
categories = ["visitor"]
factors = ["pass"]
[face]
pack = "dlib"
accept_no_pad = true
attempt_interval_s = 0.5
attempt_interval_max_s = 0.5
track_gap_s = 0.4
[pass]
community_key_file = "community.key"
[clock]
trust_system_clock = true
[events]
trace = "full"
[broker]
host = "127.0.0.1"
port = {port}
"""


@pytest.fixture
def gate(tmp_path, mosquitto, subscriber):
    """A kiosk that knows no holder, and a way to show it a film."""
    home = Path.home() / ".local" / "state" / "gate-agent" / "models"
    if not FACES.is_dir() or not (home / "dlib").is_dir():
        pytest.skip("../shared/faces or the model pack dlib is absent")
    state = tmp_path / "state"
    state.mkdir()
    (state / "models").symlink_to(home)
    (tmp_path / "gate.toml").write_text(CONFIG.format(port=mosquitto.port))
    init_key(tmp_path / "community.key")
    site = site_of(state, tmp_path / "gate.toml")
    init_key(site.key_file)
    with open_registry(site, Key.NEEDED) as registry:
        issuer = IssuerKey("lakeside-office", KEY.public_key())
        registry.put_issuer(issuer, by="test", now=instant(site))
    return Gate(tmp_path, site, subscriber)


class Gate:
    def __init__(self, folder: Path, site: Any, subscriber: Any) -> None:
        self.folder, self.site, self.subscriber = folder, site, subscriber
        self.now = datetime.now(UTC)
        self.community = CommunityKey(load_key(folder / "community.key"))

    def pass_of(self, photograph: str | None = None, key=KEY, **changes: Any) -> str:
        times = {
            "valid_from": self.now - timedelta(days=1),
            "valid_until": self.now + timedelta(days=1),
        }
        one, template = claims(**(times | changes)), None
        if photograph is not None:
            made = photographed_template(self.site, FACES / "gallery" / photograph)
            template = (made, 8, self.community)
        return issue(one, key, self.now, template=template)

    def run(self, *scenes: Image, seconds: float = 2.0) -> list[dict[str, Any]]:
        """Film the scenes, so long each with noise, run the agent to its end; access events."""
        before = len(self.subscriber.events("access"))
        film = cv2.VideoWriter(
            str(self.folder / "film.avi"), cv2.VideoWriter.fourcc(*"MJPG"), _FPS, (640, 480)
        )
        random = np.random.default_rng(1)
        for scene in scenes:
            for _ in range(round(seconds * _FPS)):
                noise = random.integers(-3, 4, scene.shape)
                film.write(np.clip(scene.astype(np.int16) + noise, 0, 255).astype(np.uint8))
        film.release()
        words = ["run", "--config", "gate.toml", "--state-dir", str(self.site.state)]
        done = subprocess.run(
            [PROGRAM, *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        self.said = done.stderr
        wait_until(lambda: "stopped" in json.dumps(self.subscriber.statuses()))
        time.sleep(0.2)
        events: list[dict[str, Any]] = self.subscriber.events("access")[before:]
        return events


def phone(text: str) -> Image:
    rows = np.array(list(segno.make(text, error="m", micro=False).matrix_iter(border=4)))
    code = cv2.resize(
        np.where(rows > 0, 20, 235).astype(np.uint8), (420, 420), interpolation=cv2.INTER_AREA
    )
    image = np.full((480, 640, 3), 70, np.uint8)
    image[30:450, 110:530] = code[:, :, None]
    return image


def person(photograph: str) -> Image:
    face = read_image(FACES / photograph)
    scale = 440 / face.shape[0]
    small = cv2.resize(face, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:, :620]
    image = np.full((480, 640, 3), 90, np.uint8)
    image[20 : 20 + small.shape[0], 10 : 10 + small.shape[1]] = small
    return image


NOBODY = np.full((480, 640, 3), 90, np.uint8)


def reasons(events: list[dict[str, Any]]) -> list[str | None]:
    return [event["data"]["reason"] for event in events]


@pytest.mark.slow
def test_a_kiosk_that_knows_nobody_opens_for_the_face_on_the_pass(gate: Gate) -> None:
    text = gate.pass_of("miranda.png")
    events = gate.run(phone(text), person("gallery/miranda.png"), NOBODY)
    assert reasons(events) == [None]
    data = events[0]["data"]
    assert (data["compared"], data["factors"]) == ("1:1", ["face", "pass"])
    assert (data["holder"], data["pass"]) == ("lin.2", claims().id)
    # Neither text nor template is said to anybody.
    assert text[4:40] not in gate.said + json.dumps(events)


@pytest.mark.slow
def test_another_face_with_that_pass_stays_outside(gate: Gate) -> None:
    text = gate.pass_of("miranda.png")
    assert reasons(gate.run(phone(text), person("gallery/obama.jpg"), NOBODY)) == ["HolderMismatch"]


@pytest.mark.slow
def test_a_pass_of_one_use_opens_once_also_after_a_restart(gate: Gate) -> None:
    once: dict[str, Any] = {
        "holder": HolderId("v-7"),
        "category": "visitor",
        "uses": 1,
        "kiosk": "g3/north-1",
    }
    text = gate.pass_of(**once)
    assert reasons(gate.run(phone(text), NOBODY)) == [None]
    assert reasons(gate.run(phone(text), NOBODY)) == ["CredentialReplayed"]
    ledger = SqlitePassLedger(gate.site.state / "passes.sqlite")
    assert ledger.uses() == {claims().id: 1}
    assert ledger.latest_trusted() is not None
    ledger.close()


def test_each_wrong_pass_is_denied_by_its_own_reason(gate: Gate) -> None:
    visitor: dict[str, Any] = {"category": "visitor", "holder": HolderId("v-7")}
    hour = timedelta(hours=1)
    with open_registry(gate.site, Key.NEEDED) as registry:
        registry.revoke(PassId("ab" * 8), by="test", now=instant(gate.site))
    shown = [
        gate.pass_of(key=OTHER_KEY, id=PassId("01" * 8), **visitor),
        gate.pass_of(id=PassId("02" * 8), valid_until=gate.now - hour, **visitor),
        gate.pass_of(id=PassId("03" * 8), valid_from=gate.now + hour, **visitor),
        gate.pass_of(id=PassId("04" * 8), communities=frozenset({"hillside"}), **visitor),
        gate.pass_of(id=PassId("ab" * 8), **visitor),
        "https://example.org/menu",  # no credential, and no event
        gate.pass_of(id=PassId("05" * 8), **visitor),
    ]
    scenes = [scene for text in shown for scene in (phone(text), NOBODY)]
    assert reasons(gate.run(*scenes, seconds=1.2)) == [
        "CredentialForged",
        "CredentialExpired",
        "CredentialNotActive",
        "Unauthorized",
        "CredentialRevoked",
        None,
    ]


@pytest.mark.slow
def test_removing_a_holder_revives_no_pass(gate: Gate) -> None:
    visitor: dict[str, Any] = {"category": "visitor", "holder": HolderId("v-7")}
    enrolled = holder("v-7", category="visitor")
    with open_registry(gate.site, Key.NEEDED) as registry:
        registry.put(enrolled, by="test", now=instant(gate.site))
    old = gate.pass_of(**visitor)
    words = ["--config", str(gate.folder / "gate.toml"), "--state-dir", str(gate.site.state)]
    done = run_here("holders", "remove", "v-7", *words, environment=os.environ)
    assert done.returncode == 0, done.stderr
    assert reasons(gate.run(phone(old), NOBODY, seconds=1.2)) == ["CredentialRevoked"]
    with open_registry(gate.site, Key.NEEDED) as registry:
        registry.put(enrolled, by="test", now=instant(gate.site))
    gate.now = datetime.now(UTC)
    new = gate.pass_of(id=PassId("ab" * 8), **visitor)
    events = gate.run(phone(old), NOBODY, phone(new), NOBODY, seconds=1.2)
    assert reasons(events) == ["CredentialRevoked", None]


@pytest.mark.slow
def test_one_damaged_row_stops_neither_the_start_nor_a_revocation(gate: Gate) -> None:
    visitor: dict[str, Any] = {"category": "visitor", "holder": HolderId("v-7")}
    with open_registry(gate.site, Key.NEEDED) as registry:
        registry.put(holder("ann"), by="test", now=instant(gate.site))
        registry.put(holder("v-7", category="visitor"), by="test", now=instant(gate.site))
        registry.revoke(PassId("ab" * 8), by="test", now=instant(gate.site))
    with closing(sqlite3.connect(gate.site.state / "registry.sqlite")) as file, file:
        file.execute("UPDATE holder SET valid_until = '2026-13' WHERE id = 'ann'")
        file.execute(
            "INSERT INTO reference (holder, pack, pack_version, sealed)"
            " SELECT 'ann', 'dlib', ?, zeroblob(99)",
            (read_manifest("dlib").version,),
        )
    shown = [
        gate.pass_of(id=PassId("ab" * 8), **visitor),
        gate.pass_of(id=PassId("cd" * 8), **{**visitor, "holder": HolderId("ann")}),
        gate.pass_of(id=PassId("ef" * 8), **visitor),
    ]
    scenes = [scene for text in shown for scene in (phone(text), NOBODY)]
    found = reasons(gate.run(*scenes, seconds=1.2))
    assert found == ["CredentialRevoked", "CredentialNotEnabled", None]
    raised = [one["data"] for one in gate.subscriber.events("fault")]
    told = "rows of the registry that cannot be read: holders 1, references 1"
    assert {"part": "registry", "detail": told}.items() <= raised[0].items()


@pytest.mark.parametrize(
    "name", ["live-frame.png", pytest.param("part0.png", marks=pytest.mark.slow)]
)
@pytest.mark.slow
def test_a_part_of_a_structured_append_code_does_not_keep_the_gate_down(
    gate: Gate, name: str
) -> None:
    file = SHARED / "cases" / name
    if not file.exists():
        pytest.skip(f"../shared/cases/{name} is absent")
    config = gate.folder / "gate.toml"
    filmed = 'kind = "opencv"\nsource = "film.avi"'
    simulated = f'kind = "simulated"\nsource = ["{file}"]\nloop = true'
    config.write_text(config.read_text().replace(filmed, simulated))
    words = ["run", "--config", "gate.toml", "--state-dir", str(gate.site.state)]
    with subprocess.Popen(
        [PROGRAM, *words], cwd=gate.folder, stderr=subprocess.PIPE, text=True
    ) as agent:
        try:
            # Long enough for every pass over a live frame to have its turn.
            with pytest.raises(subprocess.TimeoutExpired):
                agent.wait(12.0)
        finally:
            agent.terminate()
        assert agent.stderr is not None
        said = agent.stderr.read()
    assert agent.returncode == 0, said
    assert "thread_died" not in said
    assert reasons(gate.subscriber.events("access")) in ([], ["Other"])

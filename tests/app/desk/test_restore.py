"""A backup put back: passes in doubt, a successor with keys of its own, hostile files refused."""

import json
import os
import shutil
import sqlite3
import stat
import sys
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from backup_parts import (
    WORDS,
    backed_up,
    contents,
    forged,
    kiosk,
    no_advance,
    people,
    put_back,
    started,
)
from state_parts import ONCE
from store_parts import BY, NOW, holder, killed_at

from agent.app.desk.care.restore import PUT_BACK, Wish, opened, would_restore
from agent.app.open.files.installation import installation_of
from agent.app.open.files.kiosk_keys import public_keys
from agent.app.open.files.restoring import end_cut_short
from agent.app.open.files.running import held
from agent.app.open.files.state import (
    JOURNAL,
    KEY,
    LATCHES,
    LEDGER,
    LOCK,
    REGISTRY,
    SEALING_KEY,
    SIGNING_KEY,
    TOMBSTONE_KEY,
)
from agent.app.open.site import Place, Site, site_of
from agent.domain.credential.holder import HolderId
from agent.domain.record.events import Event, EventType
from agent.errors import (
    GateAgentError,
    KeyUnavailableError,
    RefusedError,
    StoreError,
    UnavailableError,
)
from agent.operations.care.removals import Removal, Revoked

ANN, BOB, CAT = (HolderId(one) for one in ("ann", "bob", "cat"))


def at(site: Site, name: str) -> Site:
    """The site with a config that says where it stands."""
    return replace(
        site, source=f"/gate/{name}", place=Place("lakeside", "g3/x", frozenset(), frozenset())
    )


@pytest.fixture
def dead(tmp_path: Path) -> Site:
    return at(kiosk(tmp_path / "dead", "ann", "bob"), "lakeside/g3/north-1")


@pytest.fixture
def backup(dead: Site, tmp_path: Path) -> Path:
    backed_up(dead, tmp_path / "a.gate")
    return tmp_path / "a.gate"


def test_people_come_back_and_passes_are_doubted_until_a_person_accepts_them(
    dead: Site, backup: Path
) -> None:
    with started(dead) as files:
        # Used after the backup was made: what is put back does not know of it.
        assert files.ledger.consume(ONCE.id, 1, ONCE.valid_until)
        files.registry.put(holder("later"), by=BY, now=NOW)
        epoch = files.journal.epoch
    restored = put_back(dead, backup)
    assert restored.doubted == (LEDGER.name,)
    assert people(dead) >= {"ann", "bob"}
    assert "later" not in people(dead)
    with started(dead) as files:
        assert files.wrong == {LEDGER.name: PUT_BACK}
        assert ONCE.id not in files.ledger.uses()
        assert files.journal.epoch != epoch
    untold: list[Event] = []
    installation_of(dead).tell(untold.append)
    (event,) = untold
    assert event.type is EventType.STATE_ADOPTED
    assert (event.data["from"], event.data["by"]) == ("a backup", BY)
    assert REGISTRY.name in event.data["files"]
    installation_of(dead).accept(LEDGER.name, "nobody got one", BY)
    with started(dead) as files:
        assert files.wrong == {}


def test_a_fault_that_was_there_is_there_again(dead: Site, tmp_path: Path) -> None:
    LATCHES.at(dead.state).unlink()
    with started(dead) as files:
        assert list(files.wrong) == [LATCHES.name]
    backed_up(dead, tmp_path / "b.gate")
    other = site_of(tmp_path / "other", None)
    assert put_back(other, tmp_path / "b.gate").doubted == (LATCHES.name, LEDGER.name)


def test_where_no_pass_was_ever_counted_none_is_believed_either(tmp_path: Path) -> None:
    site = kiosk(tmp_path / "state")
    for one in site.state.glob(f"{LEDGER.name}*"):
        one.unlink()
    (site.state / "installation").unlink()
    backed_up(site, tmp_path / "b.gate")
    other = site_of(tmp_path / "other", None)
    put_back(other, tmp_path / "b.gate")
    with started(other) as files:
        assert LEDGER.name in files.wrong


def test_a_successor_has_keys_of_its_own_and_gets_none_of_the_dead_ones(
    dead: Site, backup: Path, tmp_path: Path
) -> None:
    other = at(site_of(tmp_path / "other", None), "lakeside/g3/north-1")
    restored = put_back(other, backup, Wish(as_successor=True, by=BY))
    assert restored.keys == public_keys(other)
    for row in (SIGNING_KEY, SEALING_KEY):
        assert row.at(other.state).read_bytes() != row.at(dead.state).read_bytes()
    old = {SIGNING_KEY.at(dead.state).read_bytes(), SEALING_KEY.at(dead.state).read_bytes()}
    assert not old & set(contents(other.state).values())
    assert KEY.at(other.state).read_bytes() == KEY.at(dead.state).read_bytes()
    # The ones that it has stay: its label may be printed.
    again = put_back(other, backup, Wish(as_successor=True, by=BY))
    assert again.keys == restored.keys
    with started(dead) as before, started(other) as files:
        assert files.journal.epoch != before.journal.epoch
        files.journal.append(next(iter(before.journal.read())).event)


def test_whoever_was_removed_since_does_not_come_back(
    dead: Site, backup: Path, tmp_path: Path
) -> None:
    with opened(backup, lambda: WORDS) as archive:
        made = archive.about.made
    before, after = made - timedelta(hours=1), made + timedelta(hours=1)
    people_gone = [Removal(ANN, after), Removal(BOB, None), Removal(CAT, after)]
    wish = Wish(removals=[*people_gone, Revoked(ONCE.id)], by=BY)
    other = site_of(tmp_path / "other", None)
    restored = put_back(other, backup, wish)
    assert (restored.removed, restored.revoked) == (2, 1)
    assert not {"ann", "bob"} & people(other)
    with started(other) as files:
        assert files.registry.revoked() == {ONCE.id}
        removed = files.registry.removed()
        issued: dict[HolderId, datetime] = dict.fromkeys((ANN, BOB, CAT), before)
        assert {one: removed.revokes(one, moment) for one, moment in issued.items()} == {
            ANN: True,
            BOB: True,
            CAT: True,  # nobody of that id was here, and older passes open nothing
        }
        files.registry.transfer_changes(files.journal)
        told = [row.event.data["holder"] for row in files.journal.read(kind="holder.removed")]
    assert told == ["ann", "bob"]
    assert TOMBSTONE_KEY.at(other.state).exists()
    files_text = b"".join(contents(other.state).values())
    assert b"ann" in files_text  # in the event that tells it, and in no holder's row


def test_an_older_removal_is_none_of_a_backup_of_later(dead: Site, tmp_path: Path) -> None:
    sure = replace(dead, trust_system_clock=True)
    backed_up(sure, tmp_path / "sure.gate")
    other = site_of(tmp_path / "other", None)
    with opened(tmp_path / "sure.gate", lambda: WORDS) as archive:
        about = archive.about
    wish = Wish(removals=[Removal(ANN, about.made - timedelta(days=1))], by=BY)
    restored = put_back(other, tmp_path / "sure.gate", wish)
    assert restored.removed == (0 if about.clock_trusted else 1)
    assert ("ann" in people(other)) is about.clock_trusted


def test_another_kiosks_backup_needs_to_be_asked_for(backup: Path, tmp_path: Path) -> None:
    other = at(site_of(tmp_path / "other", None), "lakeside/g3/south-2")
    with pytest.raises(RefusedError, match="--as-successor") as refused:
        put_back(other, backup)
    assert refused.value.reason == "other_kiosk"
    with pytest.raises(RefusedError, match="not of lakeside/g3/east"):
        put_back(other, backup, Wish(as_successor=True, kiosk="lakeside/g3/east"))
    assert put_back(other, backup, Wish(as_successor=True)).successor


def test_files_are_their_owners_alone_whatever_the_umask(backup: Path, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        other = site_of(tmp_path / "other", None)
        put_back(other, backup)
    finally:
        os.umask(before)
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in other.state.iterdir()}
    assert set(modes.values()) == {0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_restores_what_the_agents_user_may_use(backup: Path, tmp_path: Path) -> None:
    state = tmp_path / "other"
    state.mkdir(mode=0o700)
    os.chown(state, 4321, 4322)
    put_back(site_of(state, None), backup, Wish(as_successor=True))
    owners = {(one.stat().st_uid, one.stat().st_gid) for one in [state, *state.rglob("*")]}
    assert owners == {(4321, 4322)}


def test_beside_a_running_agent_nothing_is_touched(dead: Site, backup: Path) -> None:
    before = contents(dead.state)
    with held(dead.state, UnavailableError("held")), pytest.raises(UnavailableError, match="stop"):
        put_back(dead, backup)
    assert contents(dead.state) == before


def test_the_key_goes_where_the_config_says_and_replaces_none(
    dead: Site, backup: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "disk" / "gallery.key"
    elsewhere.parent.mkdir()
    other = replace(site_of(tmp_path / "other", None), key_file=elsewhere)
    elsewhere.write_text(f"{bytes(32).hex()}\n")
    elsewhere.chmod(0o600)
    with pytest.raises(RefusedError, match=r"move .* away") as refused:
        put_back(other, backup)
    assert refused.value.reason == "other_key"
    assert set(contents(other.state)) == set()
    elsewhere.unlink()
    put_back(other, backup)
    put_back(other, backup)
    assert elsewhere.read_bytes() == KEY.at(dead.state).read_bytes()
    assert not KEY.at(other.state).exists()
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600


KEY_TEXT = f"{bytes(range(32)).hex()}\n".encode()
HOSTILE: dict[str, dict[str, bytes]] = {
    "a way out": {"models/../../gallery.key": KEY_TEXT},
    "a way up": {"../a": b""},
    "the root": {"/etc/passwd": b""},
    "no file of the state": {"authorized_keys": b""},
    "a mark": {"journal.sqlite-stream": b""},
    "a log": {"registry.sqlite-wal": b"log"},
    "a lock": {"agent.lock": b""},
    "outputs": {"outputs.json": b"[]"},
    "a draft": {".restore/ready.json": b"{}"},
    "a file in a file": {"gallery.key/x": b""},
    "a file as a folder": {"models": b""},
    "a folder on a file": {"models/a": b"", "models/a/b": b""},
    "a file on a folder": {"models/a/b": b"", "models/a": b""},
    "nobody": {"trust/eu.pem": b""},
    "no key": {"gallery.key": b"no key"},
    "a signing key that is none": {"gallery.key": KEY_TEXT, "kiosk-signing.key": b"x"},
    "no database": {"gallery.key": KEY_TEXT, "registry.sqlite": b"no database" * 1000},
    "no journal": {"gallery.key": KEY_TEXT, "journal.sqlite": b"no database" * 1000},
    "an empty database beside nothing": {"passes.sqlite": b""},
}


@pytest.mark.parametrize("files", HOSTILE.values(), ids=HOSTILE)
def test_what_no_agent_makes_is_refused_and_changes_nothing(
    dead: Site, tmp_path: Path, files: dict[str, bytes]
) -> None:
    before, beside = contents(dead.state), contents(tmp_path)
    forged(tmp_path / "hostile.gate", files)
    with pytest.raises((RefusedError, StoreError, KeyUnavailableError)):
        put_back(dead, tmp_path / "hostile.gate")
    assert contents(dead.state) == before
    (tmp_path / "hostile.gate").unlink()
    assert contents(tmp_path) == beside


def of_a_newer_agent(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 9999")


def of_something_else(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 7")


@pytest.mark.parametrize("row", [REGISTRY, JOURNAL, LEDGER], ids=lambda row: row.name)
@pytest.mark.parametrize("deed", [of_a_newer_agent, of_something_else])
def test_a_database_of_another_agent_is_refused_and_changes_nothing(
    dead: Site, tmp_path: Path, row, deed
) -> None:
    other = kiosk(tmp_path / "newer")
    deed(row.at(other.state))
    backed_up(other, tmp_path / "newer.gate")
    before = contents(dead.state)
    with pytest.raises(StoreError, match=r"newer agent|something else"):
        put_back(dead, tmp_path / "newer.gate")
    assert contents(dead.state) == before


@pytest.mark.parametrize("cut", [0, 10, 60, 5_000, -1])
def test_a_cut_or_altered_file_is_refused_and_changes_nothing(
    dead: Site, backup: Path, cut: int
) -> None:
    data = backup.read_bytes()
    before = contents(dead.state)
    backup.write_bytes(data[:cut])
    with pytest.raises(GateAgentError):
        put_back(dead, backup)
    altered = bytearray(data)
    altered[cut] ^= 1
    backup.write_bytes(altered)
    with pytest.raises(GateAgentError):
        put_back(dead, backup)
    assert contents(dead.state) == before


def test_a_dry_run_finds_the_same_and_says_what_would_be_done(dead: Site, tmp_path: Path) -> None:
    forged(tmp_path / "hostile.gate", {"gallery.key": KEY_TEXT, "notes.txt": b""})
    with (
        opened(tmp_path / "hostile.gate", lambda: WORDS) as archive,
        pytest.raises(RefusedError, match="none of the state's"),
    ):
        would_restore(dead, archive, Wish(), no_advance)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", tmp_path, tmp_path / "missing"):
        with pytest.raises(UnavailableError), opened(place, lambda: WORDS):
            pass


def test_what_was_made_of_it_is_json(dead: Site, backup: Path) -> None:
    told = json.loads(json.dumps(put_back(dead, backup).as_json()))
    assert told["kiosk"] == "lakeside/g3/north-1"
    assert told["unsent"] > 0
    assert LOCK.at(dead.state).exists()


@pytest.mark.parametrize("rounds", [3, pytest.param(40, marks=pytest.mark.slow)])
def test_killed_at_any_call_of_it_the_kiosk_is_the_one_or_the_other(
    dead: Site, backup: Path, tmp_path: Path, rounds: int
) -> None:
    put_back(site_of(shutil.copytree(dead.state, tmp_path / "whole"), None), backup)
    with started(dead) as files:
        files.registry.put(holder("later"), by=BY, now=NOW)
    calls = killed_in_a_restore(shutil.copytree(dead.state, tmp_path / "counted"), backup, 1 << 40)
    assert calls is not None
    for number in range(rounds):
        # From behind: most calls are made before anything of the state is touched.
        state = shutil.copytree(dead.state, tmp_path / str(number))
        at_call = calls - calls * number // (3 * rounds) - 1
        assert killed_in_a_restore(state, backup, at_call) is None
        end_cut_short(state)
        site = site_of(state, None)
        with started(site) as files:
            was = "later" in {str(one.id) for one in files.registry.holders()}
            assert files.wrong == ({} if was else {LEDGER.name: PUT_BACK})


def killed_in_a_restore(state: Path, backup: Path, calls: int) -> int | None:
    """How many calls it made, or None where it was killed before that many."""
    ours, its = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.dup2(its, 1)
            sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - the child's
            killed_at(str(calls), lambda: put_back(site_of(state, None), backup))
            sys.stdout.flush()
        finally:
            os._exit(0)
    os.close(its)
    with os.fdopen(ours, encoding="utf-8") as said:
        words = said.read().split()
    os.waitpid(child, 0)
    return int(words[-1]) if words else None

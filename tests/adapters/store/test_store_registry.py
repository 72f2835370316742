"""The registry's file: what is sealed stays with its owner, a change comes with its event."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from itertools import pairwise
from threading import Thread

import pytest
from store_parts import (
    BY,
    KEY,
    NOW,
    holder,
    lines_of,
    open_journal,
    open_registry,
    process,
    reference,
    rekey,
)

from agent.adapters.store.keys import init_key, key_path, load_key
from agent.adapters.store.seal import Sealer
from agent.domain.credential.holder import HolderId
from agent.errors import KeyUnavailableError, RefusedError, StoreError
from agent.ports import OpenedReference

OTHER_KEY = bytes(32)
WORDS = ("reference", "lin.2", "dlib", "1")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "registry.sqlite"


@pytest.fixture
def filled(path):
    """Two holders, each with a reference of two packs."""
    registry = open_registry(path)
    for name in ("ann", "bob"):
        both = [reference(name), reference(name, pack="taguchi")]
        registry.enrol(holder(name), both, by=BY, now=NOW, photographs=[b"a photograph"])
    registry.close()


def change(path, statement, *values):
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement, values).rowcount
    connection.close()


# --- the seal ------------------------------------------------------------------------------------


def test_what_was_sealed_opens_for_the_same_words_only():
    sealed = Sealer(KEY).seal(b"template", *WORDS)
    assert b"template" not in sealed
    assert Sealer(KEY).open(sealed, *WORDS) == b"template"
    for n in range(len(WORDS)):
        with pytest.raises(StoreError, match="copied from elsewhere"):
            Sealer(KEY).open(sealed, *WORDS[:n], "another", *WORDS[n + 1 :])
    # Words run together are other words.
    with pytest.raises(StoreError, match="copied from elsewhere"):
        Sealer(KEY).open(sealed, "referencelin.2", "dlib", "1")


def test_no_bit_of_a_sealed_row_may_change():
    sealed = Sealer(KEY).seal(b"template", *WORDS)
    for bit in range(len(sealed) * 8):
        broken = bytearray(sealed)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises((StoreError, KeyUnavailableError)):
            Sealer(KEY).open(bytes(broken), *WORDS)
    for length in range(len(sealed)):
        with pytest.raises(StoreError):
            Sealer(KEY).open(sealed[:length], *WORDS)


def test_the_same_template_is_never_sealed_alike():
    assert Sealer(KEY).seal(b"template", *WORDS) != Sealer(KEY).seal(b"template", *WORDS)


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        # bob is to open for ann's face
        ("UPDATE reference SET holder = ? WHERE holder = ?", ("bob", "ann")),
        (
            """UPDATE reference SET sealed = (SELECT sealed FROM reference WHERE holder = ?
            AND pack = 'dlib') WHERE holder = ? AND pack = 'dlib'""",
            ("ann", "bob"),
        ),
        ("UPDATE reference SET pack = ? WHERE pack = ?", ("dlib", "taguchi")),
    ],
)
def test_a_row_copied_to_another_place_fails(path, filled, statement, values):
    change(path, statement, *values)
    registry = open_registry(path)
    with pytest.raises(StoreError, match="copied from elsewhere"):
        registry.references("dlib", "1")
    registry.close()


def test_nothing_of_a_face_is_in_the_file(path, filled):
    data = b"".join(file.read_bytes() for file in path.parent.glob("registry.sqlite*"))
    assert b"a photograph" not in data
    assert reference("ann").template.tobytes()[:16] not in data


@pytest.mark.parametrize(
    ("key", "fix"), [(OTHER_KEY, "put the key back"), (None, "put the key back")]
)
def test_without_its_key_the_gallery_stays_closed(path, filled, key, fix):
    registry = open_registry(path, key)
    with pytest.raises(KeyUnavailableError) as error:
        registry.references("dlib", "1")
    assert fix in str(error.value.fix)
    assert [one.id for one in registry.holders()] == ["ann", "bob"]
    registry.close()


def test_a_new_key_opens_everything_and_the_old_one_nothing(path, filled):
    registry = open_registry(path)
    assert rekey(registry, OTHER_KEY) == 8  # with two names
    assert len(registry.references("dlib", "1")) == 2
    registry.close()
    old, new = open_registry(path), open_registry(path, OTHER_KEY)
    assert len(new.references("taguchi", "1")) == 2
    with pytest.raises(KeyUnavailableError):
        old.references("dlib", "1")
    old.close()
    new.close()


# --- the key's file ------------------------------------------------------------------------------


def test_a_key_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "state" / "gallery.key"
    init_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    key = load_key(path)
    with pytest.raises(RefusedError):
        init_key(path)
    assert load_key(path) == key
    assert [file.name for file in path.parent.iterdir()] == ["gallery.key"]


@pytest.mark.parametrize("call", ["fsync", "link", "write"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_whoever_is_killed_while_a_key_is_made_leaves_no_copy(tmp_path, call, moment):
    """A second name of the key would outlive its removal, and nobody would know of it."""
    path = tmp_path / "gallery.key"
    program = f"""
import os, signal, sys
from pathlib import Path
from agent.adapters.store.keys import init_key
whole = os.{call}
def killed(*arguments, **named):
    if {moment!r} == "after":
        whole(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)
os.{call} = killed
init_key(Path(sys.argv[1]))
"""
    done = subprocess.run([sys.executable, "-c", program, path], timeout=30, check=False)
    assert done.returncode == -signal.SIGKILL
    assert {file.name for file in tmp_path.iterdir()} <= {"gallery.key"}
    if not path.exists():
        init_key(path)
    load_key(path)


def test_a_file_system_without_unnamed_files_gets_its_key_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("agent.adapters.store.keys._link_unnamed", lambda *_: False)
    path = tmp_path / "gallery.key"
    init_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(RefusedError):
        init_key(path)
    assert [file.name for file in tmp_path.iterdir()] == ["gallery.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_open_to_others_is_refused(tmp_path, mode):
    path = tmp_path / "gallery.key"
    init_key(path)
    path.chmod(mode)
    with pytest.raises(KeyUnavailableError, match="open to others") as error:
        load_key(path)
    assert "chmod 600" in str(error.value.fix)


@pytest.mark.parametrize("content", [b"", b"\xff", b"00" * 31, b"00" * 33, b"zz" * 32])
def test_what_is_no_key_is_refused_and_not_quoted(tmp_path, content):
    path = tmp_path / "gallery.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyUnavailableError, match="holds no key") as error:
        load_key(path)
    assert content == b"" or content.decode(errors="replace") not in str(error.value)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_not_waited_for(tmp_path, make):
    path = tmp_path / "gallery.key"
    make(path)
    with pytest.raises(KeyUnavailableError):
        load_key(path)


def test_the_key_is_looked_for_in_turn(tmp_path, monkeypatch):
    state, credentials = tmp_path / "state", tmp_path / "credentials"
    credentials.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(credentials))
    assert key_path(None, state) == state / "gallery.key"
    (credentials / "gallery.key").touch()
    assert key_path(None, state) == credentials / "gallery.key"
    assert key_path(tmp_path / "mine", state) == tmp_path / "mine"


# --- changes and their events --------------------------------------------------------------------


def test_a_registry_killed_anywhere_has_each_holder_with_reference_and_event(path, tmp_path):
    journal_path = tmp_path / "journal.sqlite"
    said: list[str] = []
    for _ in range(3):
        with process("enrol", path, journal_path) as child:
            said += [lines_of(child).readline().strip() for _ in range(7)]
            child.send_signal(signal.SIGKILL)
            said += [line.strip() for line in lines_of(child) if line.endswith("\n")]
    registry, journal = open_registry(path), open_journal(journal_path)
    registry.transfer_changes(journal)
    known = [one.id for one in registry.holders()]
    assert set(said) <= set(known)
    assert sorted(one.holder for one in registry.references("dlib", "1")) == sorted(known)
    events = [row.event.data["holder"] for row in journal.read(kind="holder.changed")]
    assert sorted(events) == sorted(known)
    assert registry.transfer_changes(journal) == 0
    registry.close()
    journal.close()


def test_every_change_raises_the_revision_for_every_process(path, filled):
    mine, other = open_registry(path), open_registry(path)
    revisions = [mine.revision()]
    other.put(holder("ann", enabled=False), by=BY, now=NOW)
    revisions.append(mine.revision())
    other.remove(HolderId("bob"), by=BY, now=NOW)
    revisions.append(mine.revision())
    assert all(older < newer for older, newer in pairwise(revisions))
    other.put(holder("ann", enabled=False), by=BY, now=NOW)
    assert mine.revision() == revisions[-1]
    mine.close()
    other.close()


def test_an_older_copy_put_back_is_followed_and_counts_as_a_change(path, filled, tmp_path):
    copy = tmp_path / "copy"
    registry = open_registry(path)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    source.close()
    target.close()
    registry.remove(HolderId("ann"), by=BY, now=NOW)
    before = registry.revision()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    copy.replace(path)
    assert [one.id for one in registry.holders()] == ["ann", "bob"]
    assert registry.revision() > before
    registry.close()


@pytest.mark.parametrize("damage", [b"no database", b"\0" * 8192])
def test_a_damaged_registry_is_said_and_never_replaced(path, filled, damage):
    path.write_bytes(damage)
    with pytest.raises(StoreError):
        open_registry(path)
    assert path.read_bytes() == damage


def test_a_face_is_compared_while_somebody_writes(path):
    registry = open_registry(path)
    made = reference("r-1")
    registry.enrol(holder("r-1"), [made], by=BY, now=NOW)
    pack = made.pack, made.pack_version
    numbers = registry.list_references(*pack).numbers.tolist()
    found: list[OpenedReference | None] = []
    camera = Thread(target=lambda: found.extend(registry.open_references(*pack, numbers)))

    def amid_the_transaction(_):
        camera.start()
        camera.join(10.0)
        return bool(found)

    registry.put(holder("r-2"), by=BY, now=NOW, if_still=amid_the_transaction)
    assert [one[0] for one in found if one is not None] == ["r-1"]
    registry.close()
    with pytest.raises(StoreError):
        list(registry.open_references(*pack, numbers))

"""The gallery's key is changed: killed anywhere, nothing is lost, and an open registry reads on."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from places import ROOT
from store_parts import BY, IDS, KEY, NOW, holder, lines_of, process, reference

from agent.adapters.store.key_ring import KeyRing, keys_at
from agent.adapters.store.keys import load_key, next_path
from agent.adapters.store.people.registry import SqliteRegistry
from agent.adapters.store.seal import Sealer, key_id, key_id_in
from agent.app.desk.rotation import rotate
from agent.app.open.site import site_of
from agent.credentials.documents.id_hash import kiosk_hash
from agent.domain.credential.holder import HolderId
from agent.errors import KeyUnavailableError, RefusedError, StoreError

ANN, BOB, ZED = HolderId("ann"), HolderId("bob"), HolderId("zed")
DOCUMENT = "ab" * 32
VALUES = 9  # of each of two holders a name, two references and a photograph; the documents' key

# Everything of a rotation that another process could see, or a power failure undo, is one of these.
ZYGOTE = """
import os, shutil, signal, sys
from pathlib import Path
from agent.app.desk.rotation import rotate
from agent.app.open.site import site_of
pristine, folder, every = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
SEEN = {"execute", "fsync", "replace", "link", "pwrite", "chown"}
point = 1
while True:
    state = folder / str(point)
    shutil.copytree(pristine, state)
    if (child := os.fork()) == 0:
        left = point
        def count(frame, happened, what):
            global left
            if happened in ("c_call", "call"):
                name = what.__name__ if happened == "c_call" else frame.f_code.co_name
                if name in SEEN:
                    left -= 1
                    if left == 0:
                        os.kill(os.getpid(), signal.SIGKILL)
        site = site_of(state, None)
        sys.setprofile(count)
        rotate(site, lambda done, total: None, at_once=2, by='uid:0 root')
        sys.setprofile(None)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        print(point)
        break
    point += every
"""


@pytest.fixture
def state(tmp_path):
    """A state folder with two holders, an ID document, and one holder who was removed."""
    folder = tmp_path / "state"
    folder.mkdir()
    key = folder / "gallery.key"
    key.write_text(KEY.hex())
    key.chmod(0o600)
    with ring_registry(folder) as registry:
        for owner in (ANN, BOB, ZED):
            both = [reference(owner), reference(owner, pack="taguchi")]
            registry.enrol(holder(owner), both, by=BY, now=NOW, photographs=[b"a photograph"])
        registry.bind_document(ANN, DOCUMENT, by=BY, now=NOW)
        registry.remove(ZED, by=BY, now=NOW)
    return folder


def ring_registry(folder):
    ring = KeyRing(partial(keys_at, folder / "gallery.key"))
    return closing(SqliteRegistry(folder / "registry.sqlite", ring, IDS.make))


def rotated(folder, **how):
    return rotate(site_of(folder, None), lambda _done, _total: None, by=BY, **how)


def reads_all(registry):
    assert registry.holders() == [holder(ANN), holder(BOB)]
    for pack in ("dlib", "taguchi"):
        owners, templates = registry.load_arrays(pack, "1")
        assert owners == [ANN, BOB]
        assert (templates[0] == reference(ANN, pack=pack).template).all()
    assert registry.documents() == {DOCUMENT: ANN}
    return registry.document_key()


def sealed_values(folder):
    with closing(sqlite3.connect(folder / "registry.sqlite")) as connection:
        found = [
            row[0]
            for table, column in (
                ("holder", "sealed_name"),
                ("reference", "sealed"),
                ("photograph", "sealed"),
                ("document_key", "sealed"),
            )
            for row in connection.execute(f"SELECT {column} FROM {table}")
        ]
    connection.close()
    return found


def content(folder):
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


def is_whole(folder, before):
    """After the last step: all under the new key, and nothing of the old one anywhere."""
    new = load_key(folder / "gallery.key")
    assert new != KEY
    assert not next_path(folder / "gallery.key").exists()
    values = sealed_values(folder)
    assert [key_id_in(value) for value in values] == [key_id(new)] * VALUES
    left = content(folder)
    assert KEY.hex().encode() not in left
    assert not any(value[-40:] in left for value in before)


def test_a_rotation_seals_everything_anew_and_leaves_nothing_of_the_old_key(state):
    before = sealed_values(state)
    seen = []
    made = rotate(site_of(state, None), lambda *step: seen.append(step), at_once=4, by=BY)
    assert (made.resealed, made.unreadable, made.resumed) == (VALUES, 0, False)
    assert (made.old_key_id, made.key_id) == (key_id(KEY).hex(), key_id_in_use(state))
    assert seen[-1] == (VALUES, VALUES)
    is_whole(state, before)
    assert (state / "gallery.key").stat().st_mode & 0o777 == 0o600
    with ring_registry(state) as registry:
        reads_all(registry)


def key_id_in_use(folder):
    return key_id(load_key(folder / "gallery.key")).hex()


def cut_short(done, _total):
    assert 1 // int(done < 4)


def test_who_has_the_registry_open_reads_on_by_either_key(state):
    with ring_registry(state) as agent:
        revision, documents = agent.revision(), reads_all(agent)
        # Half-way: the next key is there, some values are under it, and the old one rests.
        with pytest.raises(ZeroDivisionError):
            rotate(site_of(state, None), cut_short, at_once=2, by=BY)
        assert {key_id_in(value) for value in sealed_values(state)} != {key_id(KEY)}
        assert reads_all(agent) == documents
        made = rotated(state)
        assert made.resumed
        assert 0 < made.resealed < VALUES
        assert reads_all(agent) == documents
        # Nothing changed for who decides by it: no gallery is built anew.
        assert agent.revision() == revision


def test_what_is_written_meanwhile_is_under_the_new_key(state):
    """A command that began before the rotation, and writes while it is on or after its end."""
    with ring_registry(state) as early, ring_registry(state) as late:

        def meanwhile(_done, _total):
            early.put(holder(ZED), by=BY, now=NOW)

        rotate(site_of(state, None), meanwhile, at_once=2, by=BY)
        late.enrol(holder("new"), [reference("new")], by=BY, now=NOW)
        new = load_key(state / "gallery.key")
        assert {key_id_in(value) for value in sealed_values(state)} == {key_id(new)}
        assert [one.id for one in early.holders()] == [ANN, BOB, HolderId("new"), ZED]
    with closing(SqliteRegistry(state / "registry.sqlite", Sealer(new), IDS.make)) as registry:
        assert all(one.name == "Lin Yu" for one in registry.holders())
        registry.load_arrays("dlib", "1")


@pytest.mark.parametrize("every", [29, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_anywhere_it_goes_on_and_nothing_is_lost(state, tmp_path, every):
    before = sealed_values(state)
    folder = tmp_path / "killed"
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ZYGOTE, str(state), str(folder), str(every)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=True,
    )
    points = int(done.stdout)
    assert points > 40
    with ring_registry(state) as registry:
        documents = reads_all(registry)
    for point in range(1, points, every):
        one = folder / str(point)
        with ring_registry(one) as agent:
            assert reads_all(agent) == documents, point
            if load_key(one / "gallery.key") == KEY:
                rotated(one)
            assert reads_all(agent) == documents, point
        is_whole(one, before)
        shutil.rmtree(one)


def test_a_reader_keeps_the_old_key_until_it_lets_go(state, monkeypatch):
    monkeypatch.setattr("agent.app.desk.rotation._LONGEST_WAIT_S", 0.3)
    with closing(sqlite3.connect(state / "registry.sqlite", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM holder").fetchone()
        with pytest.raises(StoreError, match="old key stays"):
            rotated(state)
        assert load_key(state / "gallery.key") == KEY
    reader.close()
    assert rotated(state).resumed
    assert load_key(state / "gallery.key") != KEY


def test_another_process_reads_all_the_while(state):
    with process("ring", state) as child:
        assert lines_of(child).readline() == "reading\n"
        for _ in range(3):
            rotated(state)
        assert child.poll() is None
        child.terminate()
        assert "failed" not in lines_of(child).read()


def test_a_value_that_nobody_opens_stays_and_is_counted(state):
    with closing(sqlite3.connect(state / "registry.sqlite")) as connection, connection:
        foreign = Sealer(bytes(32)).seal(b"x", "holder name", "bob")
        connection.execute("UPDATE holder SET sealed_name = ? WHERE id = 'bob'", (foreign,))
    connection.close()
    made = rotated(state)
    assert (made.resealed, made.unreadable) == (VALUES - 1, 1)
    assert foreign in sealed_values(state)
    assert rotated(state).unreadable == 1


def test_without_a_document_its_key_is_that_of_the_new_one(state):
    with ring_registry(state) as registry:
        registry.unbind_document(ANN, by=BY, now=NOW)
        before = registry.document_key()
        rotated(state)
        number = "11010519491231002X"
        hashed = kiosk_hash(registry.document_key(), number)
        assert hashed != kiosk_hash(before, number)
        registry.bind_document(ANN, hashed, by=BY, now=NOW)
        assert hashed == kiosk_hash(registry.document_key(), number)


def test_two_at_once_are_one(state):
    def again(_done, _total):
        with pytest.raises(RefusedError) as refusal:
            rotated(state)
        assert refusal.value.reason == "rotation_runs"

    rotate(site_of(state, None), again, by=BY)
    is_whole(state, [])


def test_without_a_key_there_is_nothing_to_rotate(tmp_path):
    with pytest.raises(KeyUnavailableError) as refusal:
        rotated(tmp_path)
    assert refusal.value.fix == "gate-agent key init"
    assert list(tmp_path.iterdir()) == []


def test_a_key_behind_a_link_is_replaced_where_it_lies(state, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (state / "gallery.key").rename(elsewhere / "site.key")
    (state / "gallery.key").symlink_to(elsewhere / "site.key")
    rotated(state)
    assert (state / "gallery.key").is_symlink()
    assert load_key(elsewhere / "site.key") != KEY
    with ring_registry(state) as registry:
        reads_all(registry)


def test_an_old_key_with_a_second_name_is_left_whole_there(state):
    """A copy that somebody made by a link is theirs to destroy, and may be their backup."""
    os.link(state / "gallery.key", state.parent / "backup.key")
    rotated(state)
    assert load_key(state.parent / "backup.key") == KEY
    with contextlib.suppress(FileNotFoundError):
        Path(state.parent / "backup.key").unlink()

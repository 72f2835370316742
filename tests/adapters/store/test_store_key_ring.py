"""The keys on disk: one, or two while a rotation is on, and whoever has them open follows."""

from functools import partial

import pytest
from store_parts import KEY

from agent.adapters.store.key_ring import KeyRing, keys_at
from agent.adapters.store.keys import init_next_key, load_key, next_path, replace_key
from agent.adapters.store.seal import Sealer
from agent.errors import KeyUnavailableError


@pytest.fixture
def path(tmp_path):
    key = tmp_path / "gallery.key"
    key.write_text(KEY.hex())
    key.chmod(0o600)
    return key


def test_a_ring_follows_the_keys_on_disk_and_seals_by_the_present_one(path):
    ring = KeyRing(partial(keys_at, path))
    assert init_next_key(path)
    assert not init_next_key(path)
    new = Sealer(load_key(next_path(path)))
    assert ring.open(new.seal(b"x", "words"), "words") == b"x"
    assert ring.key_id == Sealer(KEY).key_id
    replace_key(path)
    late = Sealer(load_key(path))
    assert late.key_id == new.key_id
    assert KeyRing(partial(keys_at, path)).key_id == new.key_id
    assert ring.open(ring.seal(b"y", "words"), "words") == b"y"


def test_a_key_that_is_nowhere_is_looked_for_once_in_a_while(path, monkeypatch):
    now_s = [0.0]
    monkeypatch.setattr("agent.adapters.store.key_ring.time.monotonic", lambda: now_s[0])
    loads = []

    def load():
        loads.append(now_s[0])
        return keys_at(path)

    ring, foreign = KeyRing(load), Sealer(bytes(32)).seal(b"x", "words")
    for now_s[0] in (0.0, 0.1, 0.9, 1.0, 1.5):
        with pytest.raises(KeyUnavailableError):
            ring.open(foreign, "words")
    assert loads == [0.0, 0.0, 1.0]
    # Put back by hand, it is found.
    next_path(path).write_text(bytes(32).hex())
    next_path(path).chmod(0o600)
    now_s[0] = 2.0
    assert ring.open(foreign, "words") == b"x"


def test_a_ring_keeps_what_it_has_where_the_disk_gives_none(path):
    ring = KeyRing(partial(keys_at, path))
    sealed = ring.seal(b"x", "words")
    path.unlink()
    with pytest.raises(KeyUnavailableError):
        ring.open(Sealer(bytes(32)).seal(b"x", "words"), "words")
    assert ring.open(sealed, "words") == b"x"


def test_a_next_key_that_is_none_keeps_nobody_from_the_present_one(path):
    next_path(path).write_text("rubbish")
    assert keys_at(path) == (KEY,)

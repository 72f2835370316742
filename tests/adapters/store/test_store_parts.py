"""Parts of references: sealed beside them, gone with them, and absent from files of before."""

import signal
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from store_parts import (
    BY,
    KEY,
    NOW,
    holder,
    lines_of,
    open_registry,
    process,
    reference,
    rekey,
)

from agent.adapters.store.people.registry_file import _STEPS, APPLICATION_ID
from agent.adapters.store.seal import Sealer
from agent.adapters.store.sqlite import open_database
from agent.domain.credential.holder import HolderId
from agent.errors import InternalError, KeyUnavailableError, RefusedError, StoreError

ANN, BOB = HolderId("ann"), HolderId("bob")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "registry.sqlite"


def averaged(owner="ann", *, seed=0, **changes):
    """A reference of two photographs."""
    parts = tuple(reference(owner, seed=seed + n).template for n in (1, 2))
    whole = reference(owner, **changes)
    return replace(whole, template=np.mean(parts, axis=0, dtype=np.float32), parts=parts)


def content(path):
    return b"".join(file.read_bytes() for file in path.parent.iterdir() if file.is_file())


def sealed_parts(path):
    with closing(sqlite3.connect(path)) as connection:
        found = [row[0] for row in connection.execute("SELECT sealed FROM part ORDER BY number")]
    connection.close()
    return found


def change(path, statement, *values):
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement, values).rowcount
    connection.close()


def same_parts(found, expected):
    return len(found.parts) == len(expected.parts) and all(
        np.array_equal(one, other) for one, other in zip(found.parts, expected.parts, strict=True)
    )


def test_nothing_of_a_part_lies_open_and_none_is_compared_with(path):
    registry, one = open_registry(path), averaged()
    registry.enrol(holder("ann"), [one], by=BY, now=NOW)
    assert len(sealed_parts(path)) == 2
    assert not any(part.tobytes()[:16] in content(path) for part in one.parts)
    owners, templates = registry.load_arrays("dlib", "1")
    assert owners == [ANN]
    assert np.array_equal(templates[0], one.template)
    assert registry.reference_total("dlib", "1") == 1


@pytest.mark.parametrize("deed", ["removed", "enrolled again"])
def test_a_part_goes_with_its_reference_and_is_in_no_byte(path, deed):
    registry = open_registry(path)
    for number in range(30):
        registry.enrol(holder(f"h{number}"), [averaged(f"h{number}")], by=BY, now=NOW)
    registry.enrol(holder("ann"), [averaged()], by=BY, now=NOW)
    secrets = sealed_parts(path)[-2:]
    if deed == "removed":
        assert registry.remove(ANN, by=BY, now=NOW)
    else:
        registry.enrol(holder("ann"), [reference("ann")], by=BY, now=NOW)
    assert len(sealed_parts(path)) == 60
    assert registry.erase()
    assert not any(secret[40:80] in content(path) for secret in secrets)


def test_parts_of_a_holder_whose_row_is_lost_go_too(path):
    registry = open_registry(path)
    registry.enrol(holder("ann"), [averaged()], by=BY, now=NOW)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE holder SET category = 'staff'")  # its mark fails
        connection.execute("DELETE FROM reference")  # without foreign keys: parts hang on nobody
    connection.close()
    assert len(sealed_parts(path)) == 2
    assert registry.remove(ANN, by=BY, now=NOW)
    assert sealed_parts(path) == []


def test_a_new_key_seals_parts_too(path):
    registry, one = open_registry(path), averaged()
    registry.enrol(holder("ann"), [one], by=BY, now=NOW)
    new = bytes(32)
    assert rekey(registry, new) == 4  # with the name
    assert same_parts(open_registry(path, new).owned_by(ANN, "dlib", "1")[0], one)
    with pytest.raises(KeyUnavailableError):
        open_registry(path).owned_by(ANN, "dlib", "1")


@pytest.mark.parametrize("deed", ["flipped", "of another", "as a reference"])
def test_a_part_that_is_not_its_own_fails(path, deed):
    registry = open_registry(path)
    registry.enrol(holder("ann"), [averaged()], by=BY, now=NOW)
    registry.enrol(holder("bob"), [averaged("bob", seed=7)], by=BY, now=NOW)
    first, *_, last = sealed_parts(path)
    whole = Sealer(KEY).seal(reference("ann").template.tobytes(), "reference", ANN, "dlib", "1")
    put = {
        "flipped": first[:-1] + bytes([first[-1] ^ 1]),
        "of another": last,
        "as a reference": whole,
    }[deed]
    change(path, "UPDATE part SET sealed = ? WHERE number = 1", put)
    with pytest.raises(StoreError):
        registry.owned_by(ANN, "dlib", "1")
    # To look at all of them, the reference is what it is compared by.
    ann, bob = registry.owned("dlib", "1")
    assert (len(ann.photographs), len(bob.photographs)) == (1, 2)


def test_what_was_seen_must_still_be_there_when_it_is_replaced(path):
    registry, seen = open_registry(path), averaged()
    registry.enrol(holder("ann"), [seen], by=BY, now=NOW)
    newer = replace(seen, parts=(seen.parts[1], seen.parts[0]))
    registry.enrol(holder("ann"), [newer], by=BY, now=NOW, instead_of=[seen])
    with pytest.raises(RefusedError, match="meanwhile"):
        registry.enrol(holder("ann"), [reference("ann")], by=BY, now=NOW, instead_of=[seen])
    assert same_parts(registry.owned_by(ANN, "dlib", "1")[0], newer)


def test_a_part_that_is_no_template_is_refused_whole(path):
    registry = open_registry(path)
    bad = replace(averaged(), parts=(np.full(128, np.nan, dtype=np.float32),))
    with pytest.raises(InternalError):
        registry.enrol(holder("ann"), [bad], by=BY, now=NOW)
    assert registry.holders() == []


def test_photographs_that_are_kept_stay_unless_others_come(path):
    registry = open_registry(path)
    registry.enrol(holder("ann"), [averaged()], by=BY, now=NOW, photographs=[b"one", b"two"])
    registry.enrol(holder("ann"), [reference("ann")], by=BY, now=NOW, photographs=None)
    assert registry.photographs(ANN) == [b"one", b"two"]
    change(path, "UPDATE photograph SET sealed = ? WHERE number = 1", b"damaged")
    assert registry.photographs(ANN) == [b"two"]
    registry.enrol(holder("ann"), [reference("ann")], by=BY, now=NOW)
    assert registry.photographs(ANN) == []


def test_a_registry_of_before_opens_and_each_reference_is_its_only_part(path):
    database = open_database(path, APPLICATION_ID, _STEPS[:6])
    old = [reference("ann", seed=1), reference("ann", seed=2), reference("ann", pack="taguchi")]
    with database:
        database.execute(
            "INSERT INTO holder (id, name, category, enabled) VALUES ('ann', 'Ann', 'staff', 1)"
        )
        for one in old:
            words = (one.holder, one.pack, one.pack_version)
            sealed = Sealer(KEY).seal(one.template.tobytes(), "reference", *words)
            database.execute(
                "INSERT INTO reference (holder, pack, pack_version, sealed) VALUES (?, ?, ?, ?)",
                (*words, sealed),
            )
    database.close()
    registry = open_registry(path)
    found = registry.owned_by(ANN, "dlib", "1")
    assert [one.parts for one in found] == [(), ()]
    assert [len(one.photographs) for one in found] == [1, 1]
    assert np.array_equal(found[0].template, old[0].template)
    assert registry.packs_of_holders() == [(ANN, "dlib", "1", 2), (ANN, "taguchi", "1", 1)]
    registry.enrol(holder("ann"), [averaged()], by=BY, now=NOW, instead_of=found)
    assert len(sealed_parts(path)) == 2
    registry.close()
    assert len(open_registry(path).owned_by(ANN, "dlib", "1")[0].parts) == 2


def test_killed_anywhere_each_reference_has_all_its_parts_or_is_not_there(path):
    for _ in range(3):
        with process("average", path) as child:
            for _line in range(5):
                assert lines_of(child).readline()
            child.send_signal(signal.SIGKILL)
    registry = open_registry(path)
    found = registry.owned("dlib", "1")
    assert [one.holder for one in found] == [one.id for one in registry.holders()]
    assert all(len(one.parts) == 2 for one in found)
    assert len(sealed_parts(path)) == 2 * len(found)

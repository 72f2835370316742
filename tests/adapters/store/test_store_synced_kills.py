"""Killed at any step of an update, the registry is the old one or the new one, and goes on."""

import shutil
from collections.abc import Iterator

import pytest
from places import ROOT
from store_parts import Killed, kills_of
from sync_parts import LATER, PEOPLE, earlier, later, open_synced, receipts, take

HUGE = 1 << 40
ROUNDS = [6, pytest.param(60, marks=pytest.mark.slow)]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    """Takes an update in a process, and kills it at so many calls."""
    program = ROOT / "tests" / "parts" / "sync_parts.py"
    with kills_of(tmp_path_factory.mktemp("killed") / "log", program) as ask:
        yield ask


def seen(registry) -> tuple[int, list[str], int, int]:
    return (
        registry.standing().version,
        [one.id for one in registry.holders()],
        registry.reference_total("dlib", "1"),
        len(receipts(registry)),
    )


@pytest.mark.parametrize("rounds", ROUNDS, ids=["short", "long"])
def test_kill_9_at_any_step_leaves_the_old_registry_or_the_new_one(tmp_path, killed, rounds):
    old = tmp_path / "old"
    old.mkdir()
    registry = open_synced(old / "registry.sqlite")
    take(registry, earlier(), (0, 1))
    before = seen(registry)
    registry.close()
    shutil.copytree(old, tmp_path / "whole")
    whole = killed("take", tmp_path / "whole" / "registry.sqlite", HUGE)
    assert whole is not None
    after = seen(open_synced(tmp_path / "whole" / "registry.sqlite"))
    assert (before[0], len(before[1])) == (1, PEOPLE)
    assert after[0::2] == (2, PEOPLE - LATER)
    assert after[3] == LATER
    for number in range(rounds):
        place = shutil.copytree(old, tmp_path / str(number)) / "registry.sqlite"
        assert killed("take", place, 1 + whole * (2 * number + 1) // (2 * rounds)) is None
        registry = open_synced(place)
        assert seen(registry) in (before, after)
        if registry.standing().version == 1:
            take(registry, later(), (1, 2))
        assert seen(registry) == after
        assert not registry.damage().rows

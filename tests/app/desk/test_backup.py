"""A backup beside a running agent: of one moment, whole, and never in clear anywhere else."""

import stat
from pathlib import Path

import pytest
from backup_parts import CHEAP, WORDS, backed_up, kiosk, no_advance, people, put_back, started
from store_parts import BY, NOW, holder

from agent.adapters.store.keys import init_next_key, replace_key
from agent.app.desk.care import backup
from agent.app.desk.care.backup import back_up, survey, would_be
from agent.app.desk.care.restore import Wish, opened, would_restore
from agent.app.open.files.state import (
    IDENTITY,
    JOURNAL_MARK,
    KEY,
    LATCHES,
    LEDGER,
    REGISTRY,
    SIGNING_KEY,
    Row,
)
from agent.app.open.site import Site, site_of
from agent.errors import KeyUnavailableError, RefusedError, StoreError, UnavailableError


def test_beside_an_agent_that_goes_on_all_the_while_it_fits_together(tmp_path: Path) -> None:
    site = kiosk(tmp_path / "state", "ann")
    written: list[str] = []
    with started(site) as files:

        def goes_on(_what: str, done: int, _total: int) -> None:
            written.append(f"w{done}")
            files.registry.put(holder(written[-1]), by=BY, now=NOW)
            files.live()
            # What the others had come to is remembered in what is copied later.
            files.installation.settle()

        made = back_up(site, tmp_path / "a.gate", WORDS, goes_on, cost=CHEAP)
    assert made.files == 9
    assert len(written) > made.files
    other = site_of(tmp_path / "other", None)
    assert put_back(other, tmp_path / "a.gate").doubted == (LEDGER.name,)
    assert "ann" in people(other)
    assert people(other) < people(site)


def test_it_is_its_owners_alone_and_no_draft_is_left(tmp_path: Path) -> None:
    site = kiosk(tmp_path / "state")
    (site.state / ".backup-killed").write_bytes(b"left by one that was killed")
    (site.state / "notes.txt").write_text("a person's")
    (site.state / "passes.sqlite.broken-1").mkdir()
    made = backed_up(site, tmp_path / "a.gate")
    assert stat.S_IMODE((tmp_path / "a.gate").stat().st_mode) == 0o600
    assert list(site.state.glob(".*")) == []
    assert made.size == (tmp_path / "a.gate").stat().st_size
    assert [one.partition(":")[0] for one in made.left_out] == [
        "notes.txt",
        "passes.sqlite.broken-1",
    ]
    assert JOURNAL_MARK.at(site.state).exists()
    with opened(tmp_path / "a.gate", lambda: WORDS) as archive:
        names = [str(entry.name) for entry, _ in archive.files()]
    assert names[:3] == [IDENTITY.name, REGISTRY.name, KEY.name]
    assert JOURNAL_MARK.name not in names
    assert {SIGNING_KEY.name, LEDGER.name, LATCHES.name} <= set(names)


def test_a_dry_run_says_as_much_and_writes_nothing(tmp_path: Path) -> None:
    site = kiosk(tmp_path / "state")
    would = would_be(site, tmp_path / "a.gate")
    assert not (tmp_path / "a.gate").exists()
    made = backed_up(site, tmp_path / "a.gate")
    assert (would.kiosk, would.files) == (made.kiosk, made.files)
    other = site_of(tmp_path / "other", None)
    with opened(tmp_path / "a.gate", lambda: WORDS) as archive:
        found = would_restore(other, archive, Wish(), no_advance)
    assert found.files == made.files
    assert not (tmp_path / "other").exists()


def test_folders_come_along_but_for_their_locks_and_links(tmp_path: Path) -> None:
    site = kiosk(tmp_path / "state")
    pack = site.state / "models" / "little"
    pack.mkdir(parents=True)
    (pack / "a.onnx").write_bytes(b"a" * 200_000)
    (pack / ".lock").write_bytes(b"")
    (pack / "passwd").symlink_to("/etc/passwd")
    whole = backed_up(site, tmp_path / "whole.gate")
    small = backed_up(site, tmp_path / "small.gate", models=False)
    assert whole.files == small.files + 1
    other = site_of(tmp_path / "other", None)
    put_back(other, tmp_path / "whole.gate")
    copy = other.state / "models" / "little"
    assert [one.name for one in copy.iterdir()] == ["a.onnx"]
    assert (copy / "a.onnx").read_bytes() == b"a" * 200_000
    # Without them the other kiosk's own stay.
    put_back(other, tmp_path / "small.gate")
    assert (copy / "a.onnx").exists()


def test_registry_and_key_are_of_one_moment_also_while_the_key_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = kiosk(tmp_path / "state")
    before = KEY.at(site.state).read_bytes()
    real = backup._keys
    asked: list[int] = []

    def changing(one: Site) -> dict[Row, bytes]:
        # Between the first look and the second.
        asked.append(1)
        if len(asked) == 2:
            init_next_key(site.key_file)
            replace_key(site.key_file)
        return real(one)

    monkeypatch.setattr(backup, "_keys", changing)
    backed_up(site, tmp_path / "a.gate")
    assert len(asked) == 4
    other = site_of(tmp_path / "other", None)
    put_back(other, tmp_path / "a.gate")
    assert KEY.at(other.state).read_bytes() == KEY.at(site.state).read_bytes() != before


def test_without_the_key_or_with_a_damaged_registry_there_is_no_backup(tmp_path: Path) -> None:
    site = kiosk(tmp_path / "state")
    target = tmp_path / "a.gate"
    KEY.at(site.state).rename(tmp_path / "away")
    with pytest.raises(KeyUnavailableError, match="--key-file"):
        backed_up(site, target)
    (tmp_path / "away").rename(KEY.at(site.state))
    REGISTRY.at(site.state).write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="registry"):
        backed_up(site, target)
    REGISTRY.at(site.state).write_bytes(b"")
    with pytest.raises(StoreError, match="empty"):
        survey(site)
    with pytest.raises(UnavailableError, match="cannot be read"):
        survey(site_of(tmp_path / "nowhere", None))
    assert not target.exists()
    assert list(tmp_path.glob(".*")) == []


def test_where_the_kiosk_itself_lies_is_no_place_for_it(tmp_path: Path) -> None:
    site = kiosk(tmp_path / "state")
    (site.state / "models").mkdir()
    (tmp_path / "link").symlink_to(site.state / "models")
    for folder in (site.state, tmp_path / "link"):
        with pytest.raises(RefusedError, match="goes with the kiosk"):
            backed_up(site, folder / "a.gate")
    with pytest.raises(UnavailableError, match="no folder"):
        backed_up(site, tmp_path / "nowhere" / "a.gate")


def test_no_room_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = kiosk(tmp_path / "state")
    free = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda _place: free)
    with pytest.raises(UnavailableError, match=r"0\.0 MB free"):
        backed_up(site, tmp_path / "a.gate")
    assert not (tmp_path / "a.gate").exists()

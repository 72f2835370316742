"""The backup that a timer makes: where it goes, what goes with time, and how a failure is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from backup_parts import CHEAP, WORDS, kiosk, no_advance

from agent.adapters.manual_clock import ManualClock
from agent.app.desk.care import scheduled
from agent.app.desk.care.scheduled import Scheduled, back_up_by_config, would_be_by_config
from agent.app.desk.examined.disk import backup_found
from agent.app.open.files.backups import keep_backup, kept_backup
from agent.app.open.files.state import BACKUPS, row_of
from agent.app.open.site import Place, Site
from agent.app.threads.watch.backups import BackupWatch
from agent.config import StoreConfig
from agent.config.tables.store import BackupConfig
from agent.controller.inputs import FaultCleared, FaultRaised, Input
from agent.domain.record.backup import KeptBackup
from agent.errors import RefusedError, UnavailableError
from agent.operations.care import vault

NAME = "lakeside+g3+north-1-"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "Cost", lambda: CHEAP)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "gate.toml").write_text("")
    (tmp_path / "stick").mkdir()
    return asked(
        replace(
            kiosk(tmp_path / "state", "ann"),
            source="/gate/lakeside/g3/north-1",
            place=Place("lakeside", "g3/north-1", frozenset(), frozenset()),
            config=tmp_path / "gate.toml",
        ),
        same_disk=True,
    )


def asked(site: Site, folder: str = "stick", **more: object) -> Site:
    settings = BackupConfig.model_validate({"folder": Path(folder), **more})
    return replace(site, store=StoreConfig(backup=settings))


def made(site: Site, words: str = WORDS) -> Scheduled:
    return back_up_by_config(site, lambda: words, no_advance)


def test_the_newest_stay_and_only_this_kiosks_own_go(site: Site, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    old = [f"{NAME}2025010{day}T030000Z.gate" for day in range(1, 6)]
    others = [
        "lakeside+g3+north-10-20250101T030000Z.gate",
        f"{NAME}20250101T030000Z.gate.bak",
        "notes.txt",
    ]
    draft = f".{NAME}20250101T030000Z.gate.abcdefgh"
    # By a clock that ran ahead: it is newer by its name, and no reason to lose the one just made.
    ahead = f"{NAME}20990101T030000Z.gate"
    for name in (*old, *others, draft, ahead):
        (stick / name).write_bytes(b"x")
    would = would_be_by_config(asked(site, same_disk=True, keep=3))
    assert would.removed == ()
    done = made(asked(site, same_disk=True, keep=3))
    assert list(done.removed) == old[:4]
    left = {one.name for one in stick.iterdir()}
    assert left == {done.file.name, old[4], ahead, *others}
    kept = kept_backup(site.state)
    assert kept.error is None
    assert kept.made is not None
    assert row_of(BACKUPS.at(site.state).relative_to(site.state)) is BACKUPS


def test_a_stick_that_is_not_there_is_told_and_no_older_one_goes(
    site: Site, tmp_path: Path
) -> None:
    before = made(site)
    moment = kept_backup(site.state).made
    for wrong, words in (
        (asked(site), "lies on the disk of the state"),
        (asked(site, "nowhere", same_disk=True), "is not there"),
        (asked(site, "state", same_disk=True), "goes with the kiosk"),
    ):
        with pytest.raises((UnavailableError, RefusedError), match=words):
            made(wrong)
        kept = kept_backup(site.state)
        assert words in str(kept.error)
        assert kept.made == moment
    with pytest.raises(RefusedError, match="letters"):
        made(asked(site, same_disk=True, keep=1), "short")
    assert "letters" in str(kept_backup(site.state).error)
    assert [one.name for one in (tmp_path / "stick").iterdir()] == [before.file.name]


def test_without_a_folder_in_the_config_there_is_nothing_to_do(site: Site) -> None:
    with pytest.raises(RefusedError) as refused:
        made(replace(site, store=StoreConfig()))
    assert refused.value.reason == "no_folder"
    assert not BACKUPS.at(site.state).exists()


def test_the_passphrase_is_the_configs_or_what_systemd_hands_over(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scheduled.passphrase_file(site) is None
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert scheduled.passphrase_file(site) is None
    (tmp_path / "backup.passphrase").write_text(WORDS)
    assert scheduled.passphrase_file(site) == tmp_path / "backup.passphrase"
    own = asked(site, passphrase_file=Path("own"))
    assert scheduled.passphrase_file(own) == tmp_path / "own"


def test_the_agent_tells_it_and_the_doctor_too(tmp_path: Path) -> None:
    posted: list[Input] = []
    noon = datetime(2026, 11, 28, 12, tzinfo=UTC)
    clock = ManualClock(utc=noon)
    watch = BackupWatch(lambda: kept_backup(tmp_path), clock, timedelta(days=3), posted.append)

    def told() -> list[str]:
        posted.clear()
        watch.look()
        return [
            one.detail if isinstance(one, FaultRaised) else type(one).__name__ for one in posted
        ]

    cleared = [FaultCleared.__name__]
    assert told() == ["none was made yet"]
    assert told() == []
    keep_backup(tmp_path, KeptBackup(noon - timedelta(days=2), None))
    assert told() == cleared
    keep_backup(tmp_path, KeptBackup(noon - timedelta(days=2), "the stick is not there"))
    (said,) = told()
    assert said.startswith("the last one failed: the stick is not there; the newest is of 2026-11")
    keep_backup(tmp_path, KeptBackup(noon - timedelta(days=4), None))
    assert told() == []  # still, for another reason
    settings = BackupConfig(folder=Path("x"))
    keep_backup(tmp_path, KeptBackup(datetime.now(UTC), None))
    assert told() == cleared
    assert "the newest is of" in backup_found(tmp_path, settings)
    BACKUPS.at(tmp_path).write_text('{"made": "noon", "error": 7}')
    with pytest.raises(UnavailableError, match="none was made yet"):
        backup_found(tmp_path, settings)

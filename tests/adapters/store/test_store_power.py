"""Power that fails: the journal's files as the disk may have them afterwards."""

import os
import random
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from store_parts import asides, connection_of, event, open_journal

from agent.adapters.store.names import INDEX, LOG, MARK
from agent.domain.record.chain import follows, link
from agent.domain.record.message import message


class Life:
    """A journal that lives, and what of it is on the disk for sure at each moment."""

    def __init__(self, path: Path, chance: random.Random) -> None:
        self.path, self.chance = path, chance
        self.journal = open_journal(path)
        self.given: dict[tuple[str, int], str] = {}
        self.handed_out: set[str] = set()
        self.flushed_log = 0

    def goes_on(self) -> None:
        """What an agent does next: mostly it writes, at times it sends, marks or forgets."""
        deed = self.chance.random()
        if deed < 0.75:
            one = event(len(self.given))
            self.given[self.journal.epoch, self.journal.append(one)] = one.id
        elif deed < 0.9:
            rows = self.journal.unpublished(20)
            self.handed_out |= {row.event.id for row in rows}
            self.flushed_log = self._log_bytes()
            self.journal.mark_published([row.row for row in rows[: self.chance.randint(0, 20)]])
        elif deed < 0.93:
            connection_of(self.journal).execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            self.flushed_log = self._log_bytes()

    def after_a_failure(self, folder: Path, way: str) -> Path:
        """The files in ``folder``, as the disk may have them: a copy, the end of its log torn."""
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.path.parent, folder)
        there = folder / self.path.name
        _is_the_same_file(there)
        log = Path(f"{there}{LOG}")
        size = log.stat().st_size
        # SQLite flushes the log before it begins it anew, so what lies behind the flush is loose.
        loose = size - min(self.flushed_log, size)
        if way == "cut":
            os.truncate(log, size - self.chance.randint(0, loose))
        elif way == "torn" and loose:
            with log.open("r+b") as file:
                file.seek(size - self.chance.randint(1, min(loose, 3000)))
                file.write(self.chance.randbytes(self.chance.randint(1, 600)))
                file.truncate(size)
        elif way == "zeros" and loose:
            with log.open("r+b") as file:
                at = size - self.chance.randint(1, loose)
                file.seek(at)
                file.write(bytes(size - at))
        if self.chance.random() < 0.5:
            Path(f"{there}{INDEX}").unlink(missing_ok=True)
        return there

    def _log_bytes(self) -> int:
        return Path(f"{self.path}{LOG}").stat().st_size


def _is_the_same_file(there: Path) -> None:
    """A copy has another inode, and would begin a new epoch; after a failure it is the same."""
    mark = Path(f"{there}{MARK}")
    epoch, _, last = mark.read_text().split()
    mark.write_text(f"{epoch} {there.stat().st_ino:020d} {last}\n")


@pytest.mark.parametrize("way", ["whole", "cut", "torn", "zeros"])
@pytest.mark.parametrize("rounds", [12, pytest.param(100, marks=pytest.mark.slow)])
def test_whatever_was_handed_out_is_there_and_no_number_comes_twice(tmp_path, way, rounds):
    life = Life(tmp_path / "state" / "journal.sqlite", random.Random(f"{way} {rounds}"))
    for _ in range(rounds):
        for _ in range(life.chance.randint(1, 30)):
            life.goes_on()
        there = life.after_a_failure(tmp_path / "after", way)
        journal = open_journal(there)
        try:
            rows = list(journal.read())
            ids = [row.event.id for row in rows]
            # The oldest so many of what was written, none of it altered and none missing between.
            assert ids == list(life.given.values())[: len(ids)]
            assert life.handed_out <= set(ids)
            bodies = [message(row.event, row.place("")) for row in rows]
            assert all(follows(after, link(before)) for before, after in pairwise(bodies))
            known = journal.epoch, journal.append(event(-1))
            assert known not in life.given
            assert (known[0] == life.journal.epoch) == (len(ids) == len(life.given))
            assert journal.pending() == len(journal.unpublished(100_000))
        finally:
            journal.close()
        assert asides(there) == []
    life.journal.close()


def test_a_journal_that_lost_its_log_begins_a_new_epoch(tmp_path):
    """The file alone, as a repaired file system may leave it: it is older, and knows it."""
    path = tmp_path / "state" / "journal.sqlite"
    journal = open_journal(path)
    for number in range(40):
        journal.append(event(number))
    connection_of(journal).execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    given = {(journal.epoch, journal.append(event(40 + number))) for number in range(20)}
    shutil.copytree(path.parent, tmp_path / "after")
    journal.close()
    there = tmp_path / "after" / path.name
    _is_the_same_file(there)
    for end in (LOG, INDEX):
        Path(f"{there}{end}").unlink()
    after = open_journal(there)
    assert [row.sequence for row in after.read()] == list(range(1, 41))
    assert (after.epoch, after.append(event(99))) not in given
    assert after.pending() == 41
    assert asides(there) == []

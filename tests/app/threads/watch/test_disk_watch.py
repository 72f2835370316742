"""A disk that fills up is a fault, once, and none once there is room again."""

from pathlib import Path

from agent.app.threads.watch.disk import DiskWatch
from agent.controller.inputs import FaultCleared, FaultRaised, Input
from agent.domain.access.part import Part
from agent.errors import StoreError


class Disk:
    def __init__(self, free: int):
        self.free, self.gone = free, False
        self.posted: list[Input] = []
        self.watch = DiskWatch(Path("/state"), 100_000_000, self.posted.append, self._free)

    def _free(self, folder: Path) -> int:
        assert folder == Path("/state")
        if self.gone:
            raise OSError(5, "Input/output error")
        return self.free

    def look(self, free: int):
        self.free = free
        self.watch.look()
        return self.posted


def test_it_is_raised_once_and_cleared_with_room_to_spare():
    disk = Disk(500_000_000)
    assert disk.look(200_000_000) == []
    assert disk.look(99_000_000) == [FaultRaised(Part("disk"), "99 MB are free")]
    disk.look(50_000_000)
    disk.look(105_000_000)
    assert len(disk.posted) == 1
    assert disk.look(120_000_000)[1:] == [FaultCleared(Part("disk"), "agent")]
    disk.look(0)
    assert len(disk.posted) == 3


def test_one_that_does_not_answer_is_a_fault_too():
    disk = Disk(500_000_000)
    disk.gone = True
    assert disk.look(0) == [
        FaultRaised(Part("disk"), "the disk does not answer: Input/output error")
    ]
    disk.gone = False
    assert disk.look(500_000_000)[1:] == [FaultCleared(Part("disk"), "agent")]


def test_the_real_disk_answers(tmp_path):
    posted: list[Input] = []
    DiskWatch(tmp_path, 10**18, posted.append).look()
    assert [type(one) for one in posted] == [FaultRaised]
    watch = DiskWatch(tmp_path, 1, posted.append)
    watch.stop()
    watch.work()
    assert len(posted) == 1


def test_while_little_is_free_the_journal_keeps_room_in_its_file():
    """And only on the last tenth is it told to give up what nobody got."""
    free, gone, asked = [500_000_000], [1], list[bool]()

    def make_room(of_unsent: bool) -> int:  # noqa: FBT001 - the watch's signature
        asked.append(of_unsent)
        return gone[0]

    watch = DiskWatch(
        Path("/state"), 100_000_000, lambda _: None, lambda _: free[0], make_room=make_room
    )
    for free[0] in (500_000_000, 100_000_000, 99_000_000, 10_000_000, 9_999_999, 120_000_000):
        watch.look()
    assert asked == [False, False, True]
    # What finds nothing to forget reads all of the journal, and does so every five minutes only.
    free[0], gone[0] = 50_000_000, 0
    for _ in range(31):
        watch.look()
    assert asked[3:] == [False] * 3
    free[0] = 5_000_000
    watch.look()
    assert asked[6:] == [True]


def test_a_journal_that_cannot_make_room_ends_no_watch():
    posted: list[Input] = []

    def full(_of_unsent: bool) -> int:  # noqa: FBT001 - the watch's signature
        raise StoreError("journal.sqlite: disk full")

    watch = DiskWatch(Path("/state"), 100_000_000, posted.append, lambda _: 0, make_room=full)
    watch.look()
    watch.look()
    assert posted == [FaultRaised(Part("disk"), "0 MB are free")]

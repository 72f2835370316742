"""The order of deeds where a store fails: what moves an output comes before what is owed a disk."""

from agent.app.executor import Executor, Outlets, Stores
from agent.controller.effects import Latch, Secure, SetStatus
from agent.controller.inputs import FaultCleared, FaultRaised
from agent.domain.door_mode import DoorLatch, Latches, Mode
from agent.errors import StoreError

LOCKED = Latch(Latches({"lane": DoorLatch(Mode.LOCKED_DOWN)}))
NORMAL = Latch(Latches())


class Bench:
    """Stands for door, latches and inbox; says in which order they were used."""

    def __init__(self):
        self.done: list[object] = []
        self.fails = True
        self.executor = Executor(
            {"lane": self},  # type: ignore[dict-item] # all that is asked of a door here
            None,  # type: ignore[arg-type] # nothing is recorded here
            Stores(None, self),  # type: ignore[arg-type] # no pass is used
            Outlets(self.done.append, self.done.append, self.done.append, None),  # type: ignore[arg-type] # nor a face
            new_id=lambda _draft: "1",
        )

    def secure(self):
        self.done.append("secure")

    def save(self, latches):
        self.done.append(latches)
        if self.fails:
            raise StoreError("locked")


def test_what_is_owed_to_the_disk_waits_until_the_output_has_moved():
    bench = Bench()
    bench.executor.execute([LOCKED])
    assert [type(one) for one in bench.done] == [Latches, FaultRaised]
    bench.done.clear()
    bench.fails = False
    bench.executor.execute([Secure("lane")])
    assert bench.done == ["secure", LOCKED.latches, FaultCleared("latches", "agent")]
    bench.done.clear()
    bench.executor.execute([Secure("lane")])
    assert bench.done == ["secure"]


def test_a_newer_word_takes_the_place_of_the_one_that_is_owed():
    bench = Bench()
    bench.executor.execute([LOCKED])
    bench.done.clear()
    bench.executor.execute([NORMAL, SetStatus()])
    # Tried once: what it failed with now is not tried again at once.
    assert [one for one in bench.done if isinstance(one, Latches)] == [NORMAL.latches]
    bench.fails = False
    bench.executor.execute([SetStatus()])
    assert bench.done[-2] == NORMAL.latches

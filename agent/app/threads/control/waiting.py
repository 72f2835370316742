"""Commands that were heard and wait: by key and by lane, so that none of them holds up a lockdown.

    lane       what                                        of a round at most
    lockdown   by which every door is shut                 8
    disable    by which somebody is kept out               4
    other      every other command                         1
    refused    what will not run, and is to be answered    1

Of the lanes that have something the first goes, until it has had its share of a round; of a lane
the keys take turns. So a lockdown waits for the command that runs and for the lockdowns before it,
and nobody who floods a lane holds up another one for good. Each key has a bound in each lane.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import Enum

from agent.credentials.signed.command import Command
from agent.domain.record.command import CommandReason, Verb

MOST_WAITING = 32
_KNOWN = 1024


@dataclass(frozen=True, slots=True)
class Heard:
    """A command whose signature holds, or what was signed in place of one (``wrong``)."""

    key_id: bytes
    topic: str
    correlation: bytes | None
    command: Command | None = None
    wrong: CommandReason | None = None
    command_id: bytes = b""


class Lane(Enum):
    """The lanes in their order; the value is the share of a round."""

    LOCKDOWN = (0, 8)
    DISABLE = (1, 4)
    OTHER = (2, 1)
    REFUSED = (3, 1)

    @property
    def share(self) -> int:
        """How many of a round."""
        return self.value[1]


_LANES = {Verb.LOCKDOWN: Lane.LOCKDOWN, Verb.DISABLE: Lane.DISABLE}


@dataclass(slots=True)
class _Queues:
    """One lane: the queue of each key, the next key first; ``left`` of this round."""

    left: int
    of_key: OrderedDict[bytes, deque[Heard]] = field(default_factory=OrderedDict)

    def put(self, heard: Heard) -> bool:
        queue = self.of_key.setdefault(heard.key_id, deque())
        if len(queue) >= MOST_WAITING:
            return False
        queue.append(heard)
        return True

    def take(self) -> Heard:
        key_id, queue = self.of_key.popitem(last=False)
        heard = queue.popleft()
        if queue:
            self.of_key[key_id] = queue
        return heard


class Waiting:
    """Of whoever holds the lock beside it."""

    def __init__(self) -> None:
        self._lanes = {lane: _Queues(lane.share) for lane in Lane}
        self._known: deque[bytes] = deque(maxlen=_KNOWN)

    def __bool__(self) -> bool:
        return any(queues.of_key for queues in self._lanes.values())

    def __iter__(self) -> Iterator[Heard]:
        for queues in self._lanes.values():
            for queue in queues.of_key.values():
                yield from queue

    def put(self, heard: Heard) -> CommandReason | None:
        """Let it wait; why not, where it is not even answered, for so many are.

        What has no place in its lane, or has come already, is to be refused.
        """
        lane = Lane.REFUSED
        if heard.wrong is None and heard.command is not None:
            lane = lane_of(heard.command.verb)
            if heard.command_id in self._known or self._waits(lane, heard):
                heard, lane = replace(heard, wrong=CommandReason.REPLAYED), Lane.REFUSED
            elif self._lanes[lane].put(heard):
                return None
            else:
                heard = replace(heard, wrong=CommandReason.BUSY)
        kept = self._lanes[Lane.REFUSED].put(heard)
        return None if kept else heard.wrong or CommandReason.MALFORMED

    def take(self) -> Heard | None:
        """The next one, None where nothing waits."""
        for queues, lane in ((self._lanes[lane], lane) for lane in Lane):
            if not queues.of_key:
                queues.left = lane.share
        filled = [queues for queues in self._lanes.values() if queues.of_key]
        if not filled:
            return None
        if not any(queues.left for queues in filled):
            for lane, queues in self._lanes.items():
                queues.left = lane.share
        chosen = next(queues for queues in filled if queues.left)
        chosen.left -= 1
        return chosen.take()

    def has_run(self, command_id: bytes) -> None:
        """It was noted: whoever repeats it fills no lane."""
        self._known.append(command_id)

    def _waits(self, lane: Lane, heard: Heard) -> bool:
        queue = self._lanes[lane].of_key.get(heard.key_id, ())
        return any(one.command_id == heard.command_id for one in queue)


def lane_of(verb: str | None) -> Lane:
    """Where a command of this verb waits."""
    return _LANES.get(Verb(verb), Lane.OTHER) if verb in list(Verb) else Lane.OTHER

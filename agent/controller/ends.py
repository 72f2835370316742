"""When a free passage that was commanded with an end is over: by whichever clock says so first.

    the end was set           monotonic clock, same boot   a trusted hour     it is
    in this boot              reached                      -                  over
    in any                    -                            reached            over
    in this boot              not reached                  not reached, none  not over
    before this boot          -                            not reached        not over
    before this boot          -                            none               unknown

The monotonic clock goes on while the agent restarts, and begins anew with the machine: how long
that was off, only a trusted hour tells. Until one does, the door is an ordinary one; it is free
again if the hour turns out to be within the time.
"""

from collections.abc import Mapping
from datetime import timedelta

from agent.domain.door.door_mode import DoorLatch, End
from agent.domain.hours.instant import Instant


class Ends:
    """The ends by door, as far as there are any."""

    def __init__(self, boot_id: str, kept: Mapping[str, DoorLatch]) -> None:
        self._boot_id = boot_id
        self._ends = {name: one.end for name, one in kept.items() if one.end is not None}

    def of(self, door: str) -> End | None:
        """When the door's free passage ends; None where it has no end, or there is none."""
        return self._ends.get(door)

    def begin(self, door: str, for_s: float, now: Instant) -> None:
        """It ends after ``for_s`` seconds from ``now``."""
        utc = now.utc + timedelta(seconds=for_s)
        self._ends[door] = End(utc, now.monotonic_s + for_s, self._boot_id)

    def forget(self, door: str) -> None:
        """Another command stands in its place."""
        self._ends.pop(door, None)

    def over(self, door: str, now: Instant) -> bool | None:
        """Whether it is over; None where nobody can tell, and False where there is no end."""
        end = self._ends.get(door)
        if end is None:
            return False
        here = end.boot_id == self._boot_id
        if (here and now.monotonic_s >= end.monotonic_s) or (
            now.utc_trusted and now.utc >= end.utc
        ):
            return True
        if here:
            return False
        if not now.utc_trusted:
            return None
        # From here on the monotonic clock holds it too.
        self.begin(door, (end.utc - now.utc).total_seconds(), now)
        return False

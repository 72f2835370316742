"""A door of a simulated process, which may die at it."""

from collections.abc import Callable

from agent.adapters.pins.door import GpioDoor


class MortalDoor:
    """A door, and the moments before and after at which its process may die."""

    def __init__(self, door: GpioDoor, reach: Callable[[], None]) -> None:
        self._door = door
        self._reach = reach

    def release(self, pulse_s: float) -> None:
        self._reach()
        self._door.release(pulse_s)
        self._reach()

    def hold(self, for_s: float) -> None:
        self._reach()
        self._door.hold(for_s)
        self._reach()

    def secure(self) -> None:
        self._reach()
        self._door.secure()
        self._reach()

    def close(self) -> None:
        self._door.close()

"""A door of a simulated process, which may die at it."""

from collections.abc import Callable

from agent.adapters.pins.door import GpioDoor


class MortalDoor:
    """A door, and the moments before and after at which its process may die."""

    def __init__(self, door: GpioDoor, reach: Callable[[], None]) -> None:
        """``reach`` is called at each of those moments."""
        self._door = door
        self._reach = reach

    def release(self, pulse_s: float) -> None:
        """As the door does."""
        self._reach()
        self._door.release(pulse_s)
        self._reach()

    def hold(self, for_s: float) -> None:
        """As the door does."""
        self._reach()
        self._door.hold(for_s)
        self._reach()

    def secure(self) -> None:
        """As the door does."""
        self._reach()
        self._door.secure()
        self._reach()

    def close(self) -> None:
        """As the door does; nobody dies of it."""
        self._door.close()

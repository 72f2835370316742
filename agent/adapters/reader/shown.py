"""What an access point tells, on its own lights and on its reader."""

from agent.domain.access.indication import Indication, Standing
from agent.domain.access.signs import Guidance
from agent.errors import UnavailableError
from agent.ports import Indicator


class ShownTwice:
    """Implements ``ports.Indicator``: both show it, and one that fails costs the other nothing."""

    def __init__(self, first: Indicator, second: Indicator) -> None:
        self._both = (first, second)

    def show(self, told: Indication | Guidance) -> None:
        """Say it now, on both.

        Raises:
            UnavailableError: one of them does not obey.
        """
        failed: UnavailableError | None = None
        for one in self._both:
            try:
                one.show(told)
            except UnavailableError as error:
                failed = error
        if failed is not None:
            raise failed

    def stand(self, standing: Standing) -> None:
        """How the access point stands, on both.

        Raises:
            UnavailableError: one of them does not obey.
        """
        failed: UnavailableError | None = None
        for one in self._both:
            try:
                one.stand(standing)
            except UnavailableError as error:
                failed = error
        if failed is not None:
            raise failed

    def close(self) -> None:
        """Dark and silent, both."""
        for one in self._both:
            one.close()

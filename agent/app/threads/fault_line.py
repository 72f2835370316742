"""One part's way of saying that it failed, and that it works again: each once."""

from collections.abc import Callable

from agent.controller.inputs import FaultCleared, FaultRaised, Input
from agent.domain.access.part import Part

_BY = "agent"


class FaultLine:
    """Raises and clears the fault of one part; used by the one thread that sees how it does."""

    def __init__(
        self, part: Part, post: Callable[[Input], None], *, may_stand_already: bool = False
    ) -> None:
        """``may_stand_already``: the fault may be older than this line, so ``works`` clears it once
        even where nothing failed.
        """
        self.part = part
        self._post = post
        self._works: bool | None = None if may_stand_already else True

    @property
    def failing(self) -> bool:
        """Whether the last word was that it failed."""
        return self._works is False

    def failed(self, why: str | Exception) -> None:
        """It failed; of an error the first line is told."""
        if self.failing:
            return
        self._works = False
        self._post(FaultRaised(self.part, why if isinstance(why, str) else _words(why)))

    def works(self) -> None:
        """It works, or works again."""
        if self._works:
            return
        self._works = True
        self._post(FaultCleared(self.part, _BY))


def _words(error: Exception) -> str:
    """One line; an OSError may come without any."""
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__

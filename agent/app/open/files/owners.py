"""Whose file of the state it was, where an error says only that it could not be opened."""

from collections.abc import Iterator
from pathlib import Path

from agent.adapters.store.owners import giving, whose


def whose_fault(error: BaseException, state: Path) -> tuple[str, str] | None:
    """What to say and do where ``error`` comes of a file in ``state`` that is another user's.

    None where it comes of something else, lies elsewhere (nobody shall give away ``/dev``), or says
    whose it is already.
    """
    for one in _causes(error):
        if isinstance(one, PermissionError) and isinstance(one.filename, str | Path):
            place = Path(one.filename).absolute()
            if not place.is_relative_to(state.absolute()):
                return None
            said, _ = whose(place) or (str(error), "")
            return None if said in str(error) else (said, giving(state))
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__

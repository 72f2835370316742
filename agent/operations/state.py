"""What a person says about files of the state that are in fault."""

from agent.errors import RefusedError
from agent.operations.reasons import reason_of
from agent.ports import StateKeeper


def checked_reason(reason: str) -> str:
    """Why somebody accepts a file, as the event tells it.

    Raises:
        RefusedError: ``no_reason``: it is empty, too long, or more than a line of text.
    """
    try:
        return reason_of(reason)
    except ValueError as fix:
        raise RefusedError("no_reason", f"a file is accepted for a reason\nFix: {fix}") from None


def accept_state(keeper: StateKeeper, file: str, reason: str, by: str) -> None:
    """The file counts as it is from now on: a person says so.

    Raises:
        RefusedError: ``no_reason``, ``unknown_file``, ``no_fault``, ``unreadable``.
        StoreError: something cannot be written.
    """
    keeper.accept(file, checked_reason(reason), by)

"""Why a person says something that the gate then goes by, as the event tells it."""

from agent.domain.credential.name import is_line

_LONGEST = 200


def reason_of(reason: object) -> str:
    """Why, in a person's words, on one line.

    Raises:
        ValueError: it is none, too long, or holds what no line does.
    """
    text = " ".join(reason.split()) if isinstance(reason, str) else ""
    if not 0 < len(text) <= _LONGEST or not is_line(text):
        raise ValueError(f"say why, in a line of at most {_LONGEST} characters")
    return text

"""What somebody at the broker wants said at the gates; it makes sound, and moves no output."""

from dataclasses import dataclass
from datetime import datetime

from agent.domain.access.hints import Priority

PRIORITIES = {
    "routine": Priority.ROUTINE,
    "urgent": Priority.URGENT,
    "emergency": Priority.EMERGENCY,
}
"""The words of a payload; what is told about an attempt lies between routine and urgent."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One announcement: ``message`` is the key of a prepared text, ``text`` free text; one of both.

    ``expires`` is UTC; past it nothing is said. ``language`` None means all of the kiosk's.
    """

    id: str
    priority: Priority
    expires: datetime
    message: str | None = None
    text: str | None = None
    repeat: int = 1
    language: str | None = None

"""[[command_key]]: whose signed commands count, for what, where and how long."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from agent.config.base import FilePath, Name, Table
from agent.config.tables.access_point import ids_of_points
from agent.config.tables.broker import BrokerConfig
from agent.config.whole import Finding, Whole, known, repeated
from agent.domain.record.command import Verb

OPENS = frozenset(
    {
        *(Verb.UNLOCK, Verb.FREE_PASSAGE, Verb.RESUME),
        *(Verb.TRUST_ISSUER, Verb.ENROL, Verb.UPDATE_HOLDER, Verb.SET_RULE),
    }
)
"""What lets somebody in, at once or later."""
AT_A_DOOR = frozenset({Verb.UNLOCK, Verb.LOCKDOWN, Verb.FREE_PASSAGE, Verb.RESUME})


class CommandKeyConfig(Table):
    """A key whose signed commands this kiosk carries out, within its rights.

    ``file`` is its public half, as ``gate-agent command keygen`` makes it; ``access_points`` limits
    what it may do at doors, and ``until`` is the first day on which it counts no more.
    """

    id: Annotated[Name, Field(description="as events and status call it")]
    file: Annotated[FilePath, Field(description="the public key; the private half stays away")]
    verbs: Annotated[
        tuple[Verb, ...], Field(min_length=1, max_length=32, description="what it may ask for")
    ]
    access_points: tuple[Name, ...] = Field(
        (), description="where it may move doors; empty: all of them"
    )
    until: date | None = Field(None, description="the first day on which it counts no more, UTC")

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Ids and files that are there twice, and access points that are none."""
        rows, points = whole.rows(cls), ids_of_points(whole)
        yield from repeated("command_key", [one.id for one in rows])
        for i, one in enumerate(rows):
            if one.file in [before.file for before in rows[:i]]:
                message = "is another key's file already"
                yield ("command_key", i, "file"), message, "give one key all its verbs"
            for j, name in enumerate(one.access_points):
                yield from known(("command_key", i, "access_points", j), name, points)

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Keys that nobody can use, that are not there, or that open for ever."""
        broker = bool(whole.rows(BrokerConfig))
        for i, one in enumerate(whole.rows(cls)):
            path = ("command_key", i)
            if not broker:
                message = f"[[command_key]] {one.id}: without [broker] no signed command comes"
                yield (*path, "id"), message
            if not whole.resolve(one.file).is_file():
                yield (*path, "file"), f"{whole.resolve(one.file)} is not there or not readable"
            if one.until is None and OPENS & set(one.verbs):
                message = (
                    f"[[command_key]] {one.id} may let people in and has no end (until): whoever"
                    " has its private half may for ever"
                )
                yield (*path, "verbs"), message
            if one.access_points and not AT_A_DOOR & set(one.verbs):
                message = f"[[command_key]] {one.id}: none of its verbs is about access points"
                yield (*path, "access_points"), message

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Each with what it may."""
        rows = whole.rows(cls)
        return {"command_keys": [f"{one.id} ({', '.join(one.verbs)})" for one in rows]}

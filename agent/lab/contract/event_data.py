"""What several types of events carry alike in their data."""

from collections.abc import Iterable

from agent.domain.record.command import CommandReason, Verb
from agent.lab.contract.schema import Schema, array, or_null, ref, text, word
from agent.lab.contract.shared import covered


def data_of(fields: dict[str, Schema], optional: Iterable[str] = ()) -> Schema:
    """``fields``, and what any event may carry: a door that it moves waits for no slow disk."""
    said = {"clock_synced": ref("clock_synced"), "recorded_late": ref("recorded_late"), **fields}
    return covered(said, ("recorded_late", *optional))


def at_door(*optional: str, **fields: Schema) -> Schema:
    """Of an output, and of the access point in front of it, where there is one."""
    named = {"access_point": ref("access_point"), "door": ref("door"), **fields}
    return data_of(named, ("access_point", *optional))


def command_of(*reasons: CommandReason) -> Schema:
    """Of a signed command; nobody whom it was about."""
    fields = {
        "command": or_null(text("its id", pattern="^[0-9a-f]{32}$"), "null: it could not be read"),
        "verb": or_null(word(Verb), "null: none that is known"),
        "key": or_null(text("as the config calls it"), "null: the config has it no more"),
    }
    return data_of({**fields, "reason": word(reasons)} if reasons else fields)


def walk_test_of(**fields: Schema) -> Schema:
    """Of a walk test: where it is on, and who began it."""
    where = array(ref("access_point"), "where it is on")
    return data_of({"access_points": where, "by": ref("by"), **fields})

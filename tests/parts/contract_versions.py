"""Whether a later contract still keeps what an earlier one promised."""

import re
from collections.abc import Iterator
from typing import Any

from asyncapi import contract, payload, whole

from agent.domain.record.published import PERSONAL

Schema = dict[str, Any]


def flattened(schema: Schema) -> Schema:
    """``schema`` without references and ``allOf``, all the way down: to be kept and compared."""
    found = {key: value for key, value in whole(schema).items() if key != "description"}
    if not found.get("required"):
        found.pop("required", None)
    if "properties" in found:
        found["properties"] = {key: flattened(one) for key, one in found["properties"].items()}
        if not found["properties"]:
            del found["properties"]
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = flattened(found[key])
    if "anyOf" in found:
        found["anyOf"] = [flattened(one) for one in found["anyOf"]]
    return found


def promised() -> dict[str, Schema]:
    """The payload of every message of the contract, flattened, by the message's name."""
    return {name: flattened(payload(name)) for name in contract()["components"]["messages"]}


def broken_promises(before: dict[str, Schema], after: dict[str, Schema]) -> list[str]:
    """What of ``before`` no longer holds: each is a reader that fails.

    A message's key may come, a list of words and a pattern's alternatives may grow. What was always
    there stays so, but for what retention erases; and what was not may not be demanded: rows of
    earlier agents are still sent.
    """
    gone = [f"{name} is gone" for name in before if name not in after]
    kept = [name for name in before if name in after]
    return gone + [found for name in kept for found in _broken(before[name], after[name], name)]


def _broken(before: Schema, after: Schema, place: str) -> Iterator[str]:
    yield from _narrowed(before, after, place)
    for key, inner in before.get("properties", {}).items():
        if key not in after.get("properties", {}):
            yield f"{place}.{key} is gone"
        else:
            yield from _broken(inner, after["properties"][key], f"{place}.{key}")
    demanded, always = set(after.get("required", ())), set(before.get("required", ()))
    # By whom somebody is known is erased in time, but never without a word of it.
    may_go = PERSONAL if "commitments" in after.get("properties", {}) else frozenset()
    lost = always - demanded - may_go
    yield from (f"{place}.{key} is not always there any more" for key in sorted(lost))
    yield from (f"{place}.{key} is demanded now" for key in sorted(demanded - always))
    for key in ("items", "additionalProperties"):
        if isinstance(before.get(key), dict):
            yield from _broken(before[key], after.get(key, {}), f"{place}[]")
    for number, inner in enumerate(before.get("anyOf", ())):
        answers = [list(_broken(inner, one, place)) for one in after.get("anyOf", [after])]
        if [] not in answers:
            yield f"{place}: alternative {number} is gone: {answers[0]}"


def _narrowed(before: Schema, after: Schema, place: str) -> Iterator[str]:
    if _words(after) and not _words(before):
        yield f"{place} has a list of words now"
    lost = [word for word in _words(before) if _words(after) and word not in _words(after)]
    yield from (f"{place} has no {word!r} any more" for word in lost)
    if after.get("type") and not _types(before) <= _types(after):
        yield f"{place} is narrower than {before.get('type')}"
    if after.get("pattern") and not _matched(before, after):
        yield f"{place} has another pattern"
    if after.get("maxLength", 0) and after["maxLength"] < before.get("maxLength", float("inf")):
        yield f"{place} must be shorter"


def _words(schema: Schema) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _types(schema: Schema) -> set[str]:
    text = bool(_words(schema)) and all(isinstance(one, str) for one in _words(schema))
    named = schema.get("type", "string" if text else "anything")
    return {named} if isinstance(named, str) else set(named)


def _matched(before: Schema, after: Schema) -> bool:
    """Whether what there was, as far as it is text, is what ``after`` has a pattern for."""
    words = [one for one in _words(before) if isinstance(one, str)]
    if words:
        return all(re.search(after["pattern"], one) for one in words)
    return _alternatives(before) <= _alternatives(after)


def _alternatives(schema: Schema) -> set[str]:
    """Of ``^(a|b)$`` each; any other pattern is one."""
    text = schema.get("pattern", "anything")
    if text.startswith("^(") and text.endswith(")$") and text.count("(") == 1:
        return set(text[2:-2].split("|"))
    return {text}

"""The config as a JSON Schema, for editors: what its tables are, made from them.

Draft 7, which editors of TOML know (Taplo, Even Better TOML). TOML has no null, so none is allowed;
what an editor knows as a key's description does not survive beside a ``$ref``, so there is none.
"""

import re
from functools import cache
from typing import Any

from agent.config.schema import GateConfig

DIALECT = "http://json-schema.org/draft-07/schema#"
TIME_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$"
_NOT_FOR_EDITORS = {"title", "discriminator"}
_UNITS = {
    "_s": "seconds",
    "_c": "degrees Celsius",
    "_k": "kelvin",
    "_deg": "degrees",
    "_px": "pixels",
    "_hz": "hertz",
    "_mb": "megabytes",
    "_days": "days",
    "_hours": "hours",
}


@cache
def json_schema() -> dict[str, Any]:
    """The JSON Schema of ``gate.toml``; not to be changed."""
    raw = GateConfig.model_json_schema(by_alias=True)
    made: dict[str, Any] = _made(raw, raw.pop("$defs"))
    return {"$schema": DIALECT, "title": "gate.toml, the config of a gate agent", **made}


def _made(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_made(one, definitions) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        beside = {key: value for key, value in node.items() if key != "$ref"}
        node = {**definitions[node["$ref"].rpartition("/")[2]], **beside}
    made = {
        key: _properties(value, definitions) if key == "properties" else _made(value, definitions)
        for key, value in node.items()
        if key not in _NOT_FOR_EDITORS
    }
    for choice in {"anyOf", "oneOf"} & made.keys():
        made = _without_null(made, choice)
    return _known_to_editors(made)


def _known_to_editors(made: dict[str, Any]) -> dict[str, Any]:
    if made.get("default", made) is None:
        del made["default"]
    if "const" in made:
        made["enum"] = [made.pop("const")]
    # An editor's time has seconds and an offset; a path is any text.
    if made.get("format") in {"time", "path"} and made.pop("format") == "time":
        made["pattern"] = TIME_PATTERN
    if "description" in made:
        made["description"] = _prose(str(made["description"]))
    return made


def _properties(keys: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    made = {name: _made(node, definitions) for name, node in keys.items()}
    for name, node in made.items():
        unit = next((word for end, word in _UNITS.items() if name.endswith(end)), None)
        if unit is not None:
            said = node.get("description")
            node["description"] = unit if said is None or unit in said else f"{unit}: {said}"
    return made


def _without_null(made: dict[str, Any], choice: str) -> dict[str, Any]:
    left = [one for one in made[choice] if one != {"type": "null"}]
    rest = {key: value for key, value in made.items() if key != choice}
    return {**left[0], **rest} if len(left) == 1 else {**rest, choice: left}


def _prose(text: str) -> str:
    """A docstring as an editor shows it: paragraphs on a line, without marks of code."""
    paragraphs = text.replace("``", "").split("\n\n")
    return "\n\n".join(re.sub(r"\s+", " ", one).strip() for one in paragraphs)

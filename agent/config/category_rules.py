"""The rules of one category as the community says them, held to what this kiosk's config allows.

    [{"factors": ["pass+face"], "access_points": ["north-entry"], "schedule": "day"}, ...]

JSON: a list of objects with the keys of [[rule]] but ``categories``; an empty one lets nobody pass.
"""

from collections.abc import Collection, Mapping
from typing import Any

from agent.config.lines import KeyPath
from agent.config.load import validated
from agent.config.schema import GateConfig
from agent.config.tables.registers.category import TERMS
from agent.config.tables.rule import RuleConfig
from agent.domain.access.community_rules import LONGEST_RULES
from agent.domain.foreign.json_text import read_json

MOST_RULES = 16


def rules_of_category(
    config: GateConfig, category: str, text: str, pad: Collection[str] | None = None
) -> tuple[RuleConfig, ...]:
    """The rules that ``text`` says, each for ``category`` alone.

    They are judged as if they stood in the config in place of its own for the category. ``pad`` as
    ``load_config`` has it.

    Raises:
        ValueError: it says no rules, or none that this kiosk could keep; the first finding.
    """
    said = _rows(text)
    data = config.model_dump(mode="json", by_alias=True, exclude_unset=True)
    kept = [left for row in data.get("rule", []) if (left := _without(row, category))]
    rows = [{**row, "categories": [category]} for row in said]
    data["category"] = [_without_rule(row, category) for row in data.get("category", [])]
    found, findings = validated({**data, "rule": [*kept, *rows]}, pad)
    if findings or found is None:
        path, message = findings[0][:2] if findings else ((), "is no config")
        raise ValueError(_told(path, len(kept), message))
    return tuple(found.rule[len(kept) :])


def _rows(text: str) -> list[dict[str, Any]]:
    if len(text) > LONGEST_RULES:
        raise ValueError(f"rules have {LONGEST_RULES} characters at most")
    said = read_json(text)
    if not isinstance(said, list) or not all(isinstance(row, dict) for row in said):
        raise ValueError("rules are a JSON list of objects")
    if len(said) > MOST_RULES:
        raise ValueError(f"a category has {MOST_RULES} rules at most")
    if any("categories" in row for row in said):
        raise ValueError("rules of a category do not name categories")
    return said


def _without_rule(row: Mapping[str, Any], category: str) -> dict[str, Any]:
    """The archive's table, which makes no rule any more where it is this category's."""
    if row["id"] != category:
        return dict(row)
    return {key: value for key, value in row.items() if key not in TERMS}


def _without(row: Mapping[str, Any], category: str) -> dict[str, Any] | None:
    left = [name for name in row["categories"] if name != category]
    return {**row, "categories": left} if left else None


def _told(path: KeyPath, before: int, message: str) -> str:
    """What is wrong and where: by the number of the rule within what was said."""
    if len(path) > 1 and path[0] == "rule" and isinstance(path[1], int) and path[1] >= before:
        path = (f"rule {path[1] - before + 1}", *path[2:])
    where = ".".join(map(str, path))
    return f"{where}: {message}" if where else message

"""Reads a config file and answers with the schema or with every finding at once."""

import json
import os
import re
import stat
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from agent.config.base import FACTORS_PATTERN, FUNCTION_PATTERN, NAME_PATTERN
from agent.config.lines import KeyPath, key_lines, line_of
from agent.config.mend import fields_of, mend, model_at
from agent.config.relations import check_relations
from agent.config.schema import GateConfig
from agent.config.tables.schedule import SCHEDULE_TAGS
from agent.config.whole import Finding, unsure
from agent.domain.credential.near import did_you_mean
from agent.domain.foreign.text import NoTextError, utf8_of
from agent.errors import ConfigError

_MAX_BYTES = 1_000_000
_MOST_PASSES = 8
_UNION_MEMBERS = {"int", "str", "list[str]"}
_PATTERNS = {
    NAME_PATTERN: "is 1 to 64 of A-Z a-z 0-9 . _ -",
    FACTORS_PATTERN: "is face, pass or id_document, or several of them joined by +",
    FUNCTION_PATTERN: "is module:function",
}
_MESSAGES = {
    "missing": "is missing",
    "too_short": "is empty",
    "model_type": "is no table",
    "tuple_type": "is no list",
    "json_invalid": "is nested too deeply",
}
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_TOML_LINE = re.compile(r" \(at line (\d+), column (\d+)\)$")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A config and the file it came from; relative paths in it are relative to that file."""

    path: Path
    config: GateConfig

    def resolve(self, path: str | Path) -> Path:
        """``path`` as the config means it: absolute, or beside the config file."""
        return (self.path.parent / path).resolve()


def load_config(path: Path, pad: Collection[str] | None = None) -> ConfigFile:
    """The config at ``path``.

    ``pad`` names the attack detection packs that are installed where it is to run; None: nobody has
    looked, and nothing is said of what only that makes wrong.

    Raises:
        ConfigError: the file is missing, is no TOML, or says what the schema forbids; each finding
            reads ``file:line: key: what is wrong``.
    """
    text = _read(path)
    try:
        config, findings = _validate(tomllib.loads(text), pad)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_not_toml(path, str(error))]) from error
    except RecursionError as error:
        raise ConfigError([f"{path}: is nested too deeply"]) from error
    except ValueError as error:
        # Python refuses to read or write a number of thousands of digits.
        raise ConfigError([f"{path}: holds a number that is too long"]) from error
    if findings or config is None:
        lines = key_lines(text)
        findings.sort(key=lambda finding: line_of(finding[0], lines) or 0)
        raise ConfigError([_render(path, lines, finding) for finding in findings])
    return ConfigFile(path.resolve(), config)


def _read(path: Path) -> str:
    try:
        # Not waiting, and no more than there may be: it could be a pipe, or have no end.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ConfigError([f"{path}: is no file"])
            raw = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            [
                f"{path}: cannot be read: {what}",
                "Fix: --config FILE or GATE_AGENT_CONFIG; begin with config/gate.example.toml",
            ]
        ) from error
    if len(raw) > _MAX_BYTES:
        raise ConfigError([f"{path}: is larger than {_MAX_BYTES} bytes; this is no config"])
    try:
        return utf8_of(raw)
    except NoTextError as error:
        line = raw.count(b"\n", 0, error.at) + 1
        raise ConfigError([f"{path}:{line}: is not UTF-8 at byte {error.at}"]) from error


def _not_toml(path: Path, message: str) -> str:
    if place := _TOML_LINE.search(message):
        message = f"{message[: place.start()]} (column {place[2]})"
        return f"{path}:{place[1]}: is not TOML: {message}"
    return f"{path}: is not TOML: {message}"


def _validate(
    data: dict[str, Any], pad: Collection[str] | None
) -> tuple[GateConfig | None, list[Finding]]:
    """The config, and everything that is wrong with it.

    A table's own rules are looked at once its values are right, and what the tables owe each other
    once all are: so what is wrong is reported, mended, and the rest judged again.
    """
    findings: list[Finding] = []
    mended: set[KeyPath] = set()
    for _ in range(_MOST_PASSES):
        try:
            config = _parse(data)
        except ValidationError as error:
            new = [finding for finding in _findings(error) if not _follows(finding, mended)]
            findings += new
            mended.update(path for path, _ in new)
            if not new or not all(mend(data, path) for path, _ in reversed(new)):
                return None, findings
        else:
            return config, findings + list(check_relations(config, mended, pad))
    return None, findings


def _follows(finding: Finding, mended: set[KeyPath]) -> bool:
    """Whether it was only the mending that made a finding: of the place, or of a key it names."""
    path, message = finding
    beside = {str(one[-1]) for one in mended if one[:-1] == path}
    return unsure(path, mended) or bool(beside & set(re.findall(r"\w+", message)))


def _parse(data: dict[str, Any]) -> GateConfig:
    # By JSON, because strict types there still take a list for a tuple and text for a path.
    return GateConfig.model_validate_json(json.dumps(data, default=str), strict=True)


def _render(path: Path, lines: dict[KeyPath, int], finding: Finding) -> str:
    keys, message = finding
    line = line_of(keys, lines)
    where = f"{path}:{line}" if line else f"{path}"
    return f"{where}: {_dotted(keys)}: {message}" if keys else f"{where}: {message}"


def _dotted(keys: KeyPath) -> str:
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            # Any other key is quoted, as in the file: it might hold a line's end.
            word = key if _BARE_KEY.fullmatch(key) else json.dumps(key)
            text += f".{word}" if text else word
    return text


def _findings(error: ValidationError) -> Iterator[Finding]:
    seen: set[tuple[KeyPath, str]] = set()
    items = error.errors(include_url=False, include_input=False, include_context=False)
    for item in items:
        path = _toml_path(item["loc"])
        if item["type"] == "too_short" and any(
            len(_untagged(other["loc"])) > len(path)
            and _toml_path(other["loc"])[: len(path)] == path
            for other in items
        ):
            continue  # its only fault is that its members have faults of their own
        message = _message(item, path)
        if (path, message) not in seen:
            seen.add((path, message))
            yield path, message


def _toml_path(loc: tuple[str | int, ...]) -> KeyPath:
    # Pydantic names the tried member of a union too; no TOML key has such a name.
    loc = _untagged(loc)
    end = next((i for i, part in enumerate(loc) if part in _UNION_MEMBERS), len(loc))
    return loc[:end]


def _untagged(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Without the names of union members that are chosen by what they look like."""
    return tuple(part for part in loc if part not in SCHEDULE_TAGS)


def _message(item: ErrorDetails, path: KeyPath) -> str:
    kind = item["type"]
    if len(path) < len(_untagged(item["loc"])):
        return "is a number, a text, or a list of texts"
    if kind == "extra_forbidden":
        return f"is no known key{did_you_mean(str(path[-1]), _known_keys(path[:-1]))}"
    if kind == "string_pattern_mismatch":
        known = (words for pattern, words in _PATTERNS.items() if f"'{pattern}'" in item["msg"])
        return next(known, "is not of the form that is wanted")
    return _MESSAGES.get(kind) or item["msg"].removeprefix("Value error, ")


def _known_keys(path: KeyPath) -> list[str]:
    """The keys that the schema knows in the table at ``path``."""
    model = model_at(path)
    return [] if model is None else [name for name, _ in fields_of(model)]

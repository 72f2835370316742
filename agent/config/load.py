"""Reads a config file and answers with the schema or with every finding at once."""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from agent.config.lines import KeyPath, key_lines, line_of
from agent.config.relations import Finding, check_relations, did_you_mean
from agent.config.schema import GateConfig
from agent.errors import ConfigError

_MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A config and the file it came from; relative paths in it are relative to that file."""

    path: Path
    config: GateConfig

    def resolve(self, path: str | Path) -> Path:
        """``path`` as the config means it: absolute, or beside the config file."""
        return (self.path.parent / path).resolve()


def load_config(path: Path) -> ConfigFile:
    """The config at ``path``.

    Raises:
        ConfigError: the file is missing, is no TOML, or says what the schema forbids; each finding
            reads ``file:line: key: what is wrong``.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            [
                f"{path}: cannot be read: {error.strerror or error}",
                "Fix: --config FILE or GATE_AGENT_CONFIG; begin with config/gate.example.toml",
            ]
        ) from error
    try:
        if len(raw) > _MAX_BYTES:
            raise ConfigError([f"{path}: is larger than {_MAX_BYTES} bytes; this is no config"])
        text = raw.decode()
        data = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8 at byte {error.start}"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: is not TOML: {error}"]) from error
    except RecursionError as error:
        raise ConfigError([f"{path}: is nested too deeply"]) from error
    config, findings = _validate(data)
    if config is not None:
        findings += check_relations(config)
    if findings or config is None:
        lines = key_lines(text)
        findings.sort(key=lambda finding: line_of(finding[0], lines) or 0)
        raise ConfigError([_render(path, lines, finding) for finding in findings])
    return ConfigFile(path.resolve(), config)


def _validate(data: dict[str, Any]) -> tuple[GateConfig | None, list[Finding]]:
    """The config, and what is wrong with it.

    Where values are wrong the config is that of the rest, if that is one at all: so that what the
    tables owe each other is found in the same run.
    """
    try:
        return _parse(data), []
    except ValidationError as error:
        findings = list(_findings(error))
    for path, _ in findings:
        _drop(data, path)
    try:
        return _parse(data), findings
    except ValidationError:
        return None, findings


def _parse(data: dict[str, Any]) -> GateConfig:
    # By JSON, because strict types there still take a list for a tuple and text for a path.
    return GateConfig.model_validate_json(json.dumps(data, default=str), strict=True)


def _drop(data: Any, path: KeyPath) -> None:
    for part in path[:-1]:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return
    if path and isinstance(data, dict):
        data.pop(path[-1], None)


def _render(path: Path, lines: dict[KeyPath, int], finding: Finding) -> str:
    keys, message = finding
    line = line_of(keys, lines)
    where = f"{path}:{line}" if line else f"{path}"
    return f"{where}: {_dotted(keys)}: {message}" if keys else f"{where}: {message}"


def _dotted(keys: KeyPath) -> str:
    text = ""
    for key in keys:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def _findings(error: ValidationError) -> Iterator[Finding]:
    seen: set[tuple[KeyPath, str]] = set()
    items = error.errors(include_url=False, include_input=False, include_context=False)
    for item in items:
        path = _toml_path(item["loc"])
        if item["type"] == "too_short" and any(
            len(other["loc"]) > len(path) and _toml_path(other["loc"])[: len(path)] == path
            for other in items
        ):
            continue  # its only fault is that its members have faults of their own
        message = _message(item["type"], item["msg"], path)
        if (path, message) not in seen:
            seen.add((path, message))
            yield path, message


def _toml_path(loc: tuple[str | int, ...]) -> KeyPath:
    # Pydantic names the tried member of a union too; no TOML key has such a name.
    members = {"int", "str", "list[str]"}
    return tuple(part for part in loc if part not in members)


def _message(kind: str, message: str, path: KeyPath) -> str:
    if kind == "extra_forbidden":
        return f"is no known key{did_you_mean(str(path[-1]), _known_keys(path[:-1]))}"
    if kind == "missing":
        return "is missing"
    if kind == "too_short":
        return "is empty"
    if kind == "string_pattern_mismatch":
        return "is 1 to 64 of A-Z a-z 0-9 . _ -"
    return message.removeprefix("Value error, ")


def _known_keys(path: KeyPath) -> list[str]:
    """The keys that the schema knows in the table at ``path``."""
    model: Any = GateConfig
    for part in path:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        found = _model_in(field.annotation) if field else None
        if found is None:
            return []
        model = found
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := _model_in(argument)) is not None:
            return found
    return None

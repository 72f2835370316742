"""The example config: it loads, shows the defaults, and leaves out no key of the schema."""

import re
import tomllib
from typing import Any

from config_parts import nested
from places import ROOT
from pydantic import BaseModel

from agent.config import GateConfig, load_config
from agent.config.mend import fields_of

EXAMPLE = ROOT / "config" / "gate.example.toml"


def schema_keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Every key that may stand in a file, as ``table.key``; of lists without the number."""
    keys: list[str] = []
    for name, field in fields_of(model):
        table = nested(field.annotation)
        keys += [f"{prefix}{name}"] if table is None else schema_keys(table, f"{prefix}{name}.")
    return keys


def file_keys(value: Any, prefix: str = "") -> set[str]:
    if isinstance(value, dict):
        return {
            key
            for name, inner in value.items()
            for key in file_keys(inner, f"{prefix}.{name}" if prefix else name)
        } or {prefix}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {key for inner in value for key in file_keys(inner, prefix)}
    return {prefix}


def uncommented(text: str) -> str:
    """The example with what stands in it as a comment: ``# key = value``, or a table's head.

    A key that stands both ways counts once, as the comment has it.
    """
    rows = text.splitlines()
    for i, row in enumerate(rows):
        if re.fullmatch(r"# \[\[?[\w.]+\]\]?(  +#.*)?", row):
            rows[i] = row[2:]
        if match := re.match(r"# (\w+) = ", row):
            rows[i] = row[2:]
            if i and re.match(rf"{match[1]} = ", rows[i - 1]):
                rows[i - 1] = ""
    return "\n".join(rows)


def test_the_example_loads_as_it_stands() -> None:
    assert load_config(EXAMPLE).config.kiosk.id == "north-1"


def test_the_example_leaves_out_no_key_and_names_no_other() -> None:
    keys = schema_keys(GateConfig)
    assert len(keys) > 60
    assert file_keys(tomllib.loads(uncommented(EXAMPLE.read_text()))) == set(keys)


def test_what_the_example_has_as_comments_is_right_too(tmp_path) -> None:
    text = uncommented(EXAMPLE.read_text())
    # Some that exclude what stands beside them.
    text = text.replace('kind = "gpio"                 # gpio', 'kind = "turnstile" # gpio', 1)
    text = text.replace('pin_factory = "lgpio"', 'pin_factory = "simulated"')
    text = text.replace('kind = "none" ', 'kind = "simulated" ', 1)
    text = text.replace('beside = "front"', "")
    path = tmp_path / "gate.toml"
    path.write_text(text)
    config = load_config(path).config
    assert config.door[0].pins_file is not None
    assert config.broker is not None
    assert config.broker.cert_file is not None
    assert config.rule[0].schedule != ()


def test_the_example_shows_the_defaults() -> None:
    """``key = value`` where the schema has a default, and the comment names no other."""
    data = tomllib.loads(EXAMPLE.read_text())
    tables = {
        "camera.0": data["camera"][0],
        "camera.0.zone": data["camera"][0]["zone"],
        "door.0": data["door"][0],
        "rule.0": data["rule"][0],
        **{name: data[name] for name in ("kiosk", "thermometer", "face", "broker", "store")},
    }
    differ = set()
    for name, table in tables.items():
        model: Any = GateConfig
        for part in name.split("."):
            model = model if part.isdigit() else nested(model.model_fields[part].annotation)
        for key, field in fields_of(model):
            if key not in table or field.is_required() or nested(field.annotation):
                continue
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            if table[key] != default:
                differ.add(f"{name}.{key}")
    assert differ == {"kiosk.timezone", "face.accept_no_pad"}

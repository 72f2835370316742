"""Reads a config file and answers with the schema or with every finding at once."""

import json
import os
import re
import stat
import tomllib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agent.config.faults import fault_at, fault_of, on_one_line
from agent.config.lines import KeyPath, Places, Span, places_in
from agent.config.mend import mend
from agent.config.relations import check_relations
from agent.config.schema import GateConfig
from agent.config.shape import finding_of, reshape
from agent.config.syntax import flaw
from agent.config.values import findings_of
from agent.config.whole import Finding, unsure
from agent.domain.foreign.text import NoTextError, text_of, utf8_of
from agent.errors import ConfigError, Fault

_MAX_BYTES = 1_000_000
_MOST_PASSES = 8
_BEGIN = "gate-agent init writes one; config/gate.example.toml shows every key"
_INIT_WRITES = Path("gate.toml")
_LONG_NUMBER = re.compile(r"[0-9A-Fa-f_]{1000,}")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A config and the file it came from; relative paths in it are relative to that file.

    ``text`` is what the file says, for what is to be shown of it.
    """

    path: Path
    config: GateConfig
    text: str = field(default="", repr=False, compare=False)

    def resolve(self, path: str | Path) -> Path:
        """``path`` as the config means it: absolute, or beside the config file."""
        return (self.path.parent / path).resolve()


def load_config(path: Path, pad: Collection[str] | None = None) -> ConfigFile:
    """The config at ``path``.

    ``pad`` names the attack detection packs that are installed where it is to run; None: nobody has
    looked, and nothing is said of what only that makes wrong.

    Raises:
        ConfigError: the file is missing, is no TOML, or says what the schema forbids; each finding
            reads ``file:line:column: key: what is wrong``, and each fault shows the line.
    """
    return config_in(read_config(path), path, pad)


def config_in(text: str, path: Path, pad: Collection[str] | None = None) -> ConfigFile:
    """The config that ``text`` says, held to the same; ``path`` is the file it is to stand in.

    Raises:
        ConfigError: as ``load_config``.
    """
    try:
        data = tomllib.loads(text)
        if not data:
            raise wrong(path, [_empty(text)])
        reshaped = reshape(data)
        config, findings = validated(data, pad)
    except tomllib.TOMLDecodeError as error:
        raise wrong(path, [_no_toml(text, str(error))]) from error
    except RecursionError as error:
        raise wrong(path, [Fault("is nested too deeply")]) from error
    except ValueError as error:
        # Python refuses to read or write a number of thousands of digits.
        raise wrong(path, [_long_number(text)]) from error
    if findings or reshaped or config is None:
        places = places_in(text)
        findings += [finding_of(one, places) for one in reshaped]
        for one in reshaped:
            places.rename(one.old, one.new)
        faults = [fault_of(finding, places) for finding in findings]
        raise wrong(path, sorted(faults, key=lambda one: (one.line or 0, one.column or 0)))
    return ConfigFile(path.resolve(), config, text)


def wrong(path: Path, faults: list[Fault]) -> ConfigError:
    """The error that tells these faults of the file."""
    return ConfigError([on_one_line(path, fault) for fault in faults], faults, str(path))


def read_config(path: Path) -> str:
    """The text of a config file, without a byte order mark.

    Raises:
        ConfigError: it is missing, no ordinary file, too large, or no UTF-8.
    """
    try:
        # Not waiting, and no more than there may be: it could be a pipe, or have no end.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise wrong(path, [Fault("is no file")])
            raw = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) else error
        is_here = isinstance(error, FileNotFoundError) and _INIT_WRITES.is_file()
        fix = (
            f"--config {_INIT_WRITES}, which is in this folder; or GATE_AGENT_CONFIG"
            if is_here
            else f"--config FILE or GATE_AGENT_CONFIG; {_BEGIN}"
        )
        fault = Fault(f"cannot be read: {what}", fix)
        lines = [f"{path}: {fault.message}", f"Fix: {fix}"]
        raise ConfigError(lines, [fault], str(path)) from error
    if len(raw) > _MAX_BYTES:
        raise wrong(path, [Fault(f"is larger than {_MAX_BYTES} bytes; this is no config")])
    try:
        return utf8_of(raw)
    except NoTextError as error:
        raise wrong(path, [_no_utf8(raw)]) from error


def _first_that_is_none(raw: bytes) -> int:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return error.start
    return len(raw)


def _no_utf8(raw: bytes) -> Fault:
    # Counted from the first byte of the file, also where a mark stands there.
    at = _first_that_is_none(raw)
    message, fix = f"is not UTF-8 at byte {at}", "save it as UTF-8"
    try:
        text_of(raw)
    except NoTextError:
        pass
    else:
        fix = "it is text of another encoding: save it as UTF-8"
    if at == 0 and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Fault(message, fix, line=1, column=1, found="UTF-16")
    # What stands before the byte is UTF-8; from there on the bytes are spelled out.
    before = raw[:at].decode("utf-8-sig")
    text = before + raw[at:].decode("utf-8", "backslashreplace")
    places = Places(text.replace("\r\n", "\n"))
    start = len(before.replace("\r\n", "\n"))
    return fault_at(Span(start, start + len(r"\xff")), message, fix, (), places)


def _no_toml(text: str, message: str) -> Fault:
    # As tomllib reads it, so that both count the same characters.
    places = Places(text.replace("\r\n", "\n"))
    found = flaw(places, message)
    return fault_at(found.span, found.message, found.fix, found.key, places)


def _empty(text: str) -> Fault:
    return fault_at(Span(0, 0), "is empty: no key stands in it", _BEGIN, (), Places(text))


def _long_number(text: str) -> Fault:
    message, places = "holds a number that is too long", Places(text.replace("\r\n", "\n"))
    found = _LONG_NUMBER.search(places.text)
    if found is None:
        return Fault(message)
    return fault_at(Span(*found.span()), message, None, (), places)


def validated(
    data: dict[str, Any], pad: Collection[str] | None
) -> tuple[GateConfig | None, list[Finding]]:
    """The config of a document's ``data``, which is changed, and everything that is wrong with it.

    A table's own rules are looked at once its values are right, and what the tables owe each other
    once all are: so what is wrong is reported, mended, and the rest judged again.
    """
    findings: list[Finding] = []
    mended: set[KeyPath] = set()
    for _ in range(_MOST_PASSES):
        try:
            config = _parse(data)
        except ValidationError as error:
            told = findings_of(error, data)
            new = [finding for finding in told if not _follows(finding, mended)]
            findings += new
            mended.update(finding[0] for finding in new)
            if not new or not all(mend(data, finding[0]) for finding in reversed(new)):
                return None, findings
        else:
            return config, findings + list(check_relations(config, mended, pad))
    return None, findings


def _follows(finding: Finding, mended: set[KeyPath]) -> bool:
    """Whether it was only the mending that made a finding: of the place, or of a key it names."""
    path, message = finding[:2]
    beside = {str(one[-1]) for one in mended if one[:-1] == path}
    return unsure(path, mended) or bool(beside & set(re.findall(r"\w+", message)))


def _parse(data: dict[str, Any]) -> GateConfig:
    # By JSON, because strict types there still take a list for a tuple and text for a path.
    return GateConfig.model_validate_json(json.dumps(data, default=str), strict=True)

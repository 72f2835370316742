"""What ``gate-agent run`` says to a person at its terminal, from the entries of the log.

    an event of the gate       a line: when, where, what
    a warning or an error      a line, whatever it is about; nothing of it is left out
    other information          nothing, unless GATE_AGENT_LOG_LEVEL is debug

What is longer than the terminal is wide goes on below its beginning, behind the time.

Holders are in no log, so they are in no line here either: ``gate-agent watch`` names them.
"""

import os
import re
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from agent.cli.terminal.style import Meaning, plain, styled
from agent.cli.terminal.table import flat
from agent.domain.record.events import TROUBLE, EventType
from agent.operations.decisions import grants, in_words, of_walk_test, score_and_limit

_ABOUT_THE_ENTRY = frozenset({"event", "level", "logger", "timestamp", "exception"})
_EVENTS = frozenset(kind.value for kind in EventType)
_TROUBLE = frozenset(kind.value for kind in TROUBLE)
_TOLD = frozenset({"broker_connected", "time_believed", "gallery_compared", "id_reader_opened"})
"""Information that is no event of the gate and yet worth a line."""
_LEVELS = {
    "warning": Meaning.DOUBT,
    "error": Meaning.BAD,
    "critical": Meaning.BAD,
    "debug": Meaning.QUIET,
}

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TIE = "\N{NO-BREAK SPACE}"
"""A space at which no line ends; it is told as any other."""
_BEHIND_THE_TIME = 10
_BEHIND_A_NAME = 20
_NARROWEST = 40

Entry = Mapping[str, Any]


class Narrator:
    """Makes a line for a person of each entry that is worth one; implements ``logs.Teller``."""

    def __init__(self, zone: tzinfo | None, *, everything: bool = False) -> None:
        """Times are told in ``zone``, or this machine's own; ``everything``: no entry is left."""
        self._zone = zone
        self._everything = everything
        self._words: dict[str, Callable[[Entry], str]] = {
            "watching": _watching,
            "ready": lambda entry: _strong(
                f"in service after {entry.get('took_s')} s; Ctrl-C ends it", Meaning.GOOD
            ),
            "stopping": lambda entry: _strong(f"stops: {plain(entry.get('why'))}", Meaning.STRONG),
            EventType.ACCESS_GRANTED.value: _decision,
            EventType.ACCESS_DENIED.value: _decision,
            EventType.WALK_TEST_GRANTED.value: _decision,
            EventType.WALK_TEST_DENIED.value: _decision,
            EventType.FAULT_RAISED.value: _fault,
            EventType.FAULT_CLEARED.value: _fault,
            EventType.DOOR_MODE_CHANGED.value: _mode,
            "broker_connected": lambda entry: _strong(
                f"broker {plain(entry.get('host'))} is there", Meaning.GOOD
            ),
            "broker_away": lambda entry: _strong(
                f"broker is away: {plain(entry.get('why'))}; events wait in the journal",
                Meaning.DOUBT,
            ),
        }

    def __call__(self, entry: Entry) -> str | None:
        """The entry's line, or None."""
        name, level = str(entry.get("event")), str(entry.get("level"))
        if name == "model_pack":
            return None  # said in lines of its own, at the same moment
        words = self._words.get(name)
        if words is not None:
            return _folded(f"{self._time(entry)}  {words(entry)}")
        if level not in ("info", "debug") or name in _EVENTS | _TOLD or self._everything:
            return _folded(f"{self._time(entry)}  {_any(entry, name, level)}")
        return None

    def _time(self, entry: Entry) -> str:
        try:
            moment = datetime.fromisoformat(str(entry.get("timestamp")))
        except ValueError:
            return "--:--:--"
        return styled(moment.astimezone(self._zone).strftime("%H:%M:%S"), Meaning.QUIET, sys.stderr)


def _watching(entry: Entry) -> str:
    doors = ", ".join(
        f"{plain(name)} ({'pin' if len(pins) == 1 else 'pins'} {', '.join(map(str, pins))})"
        for name, pins in entry["doors"].items()
    )
    faults = entry["state_faults"]
    rows = {
        "config": entry["config"],
        "cameras": _each(entry["cameras"]),
        "doors": doors,
        "access": _each(entry["access_points"]),
        "broker": entry["broker"] or "none: events stay in the journal of this kiosk",
        "holders": entry["holders"] or "none: nobody is let in; gate-agent enrol",
        "faults": ", ".join(f"{part}: {what}" for part, what in faults.items()) or "none",
    }
    told = [f"          {name:<8}  {plain(value)}" for name, value in rows.items()]
    return "\n".join([_strong(f"watches {plain(entry['kiosk'])}", Meaning.STRONG), *told])


def _each(kinds: Mapping[str, object]) -> str:
    return ", ".join(f"{plain(name)} ({plain(kind)})" for name, kind in kinds.items())


def _decision(entry: Entry) -> str:
    kind = EventType(entry["event"])
    granted = grants(kind)
    outcome = "granted" if granted else f"denied: {in_words(plain(entry.get('reason')))}"
    if of_walk_test(kind):
        outcome = f"walk test, {outcome}"
    score = score_and_limit(entry)
    compared = "" if score is None else f"  score/limit{_TIE}{score}"
    where = plain(entry.get("access_point"))
    return f"{where}  {_strong(outcome, Meaning.GOOD if granted else Meaning.BAD)}{compared}"


def _fault(entry: Entry) -> str:
    raised = entry["event"] == EventType.FAULT_RAISED.value
    what = "fault" if raised else "well again"
    more = f": {plain(entry['detail'])}" if entry.get("detail") else ""
    by = "" if entry.get("by") in (None, "agent") else f" (by {plain(entry['by'])})"
    told = _strong(what, Meaning.BAD if raised else Meaning.GOOD)
    return f"{told} {plain(entry.get('part'))}{more}{by}"


def _mode(entry: Entry) -> str:
    mode = in_words(plain(entry.get("mode")))
    return f"{plain(entry.get('access_point'))}  mode {mode}{_more(entry, {'mode'})}"


def _any(entry: Entry, name: str, level: str) -> str:
    meaning = Meaning.DOUBT if name in _TROUBLE else _LEVELS.get(level)
    where = "" if entry.get("access_point") is None else f"{plain(entry['access_point'])}  "
    said = _strong(in_words(plain(name)).replace(".", ": "), meaning)
    mark = _strong(f"{level}: ", meaning) if level in _LEVELS and name not in _EVENTS else ""
    trace = [f"          {plain(one)}" for one in str(entry.get("exception", "")).splitlines()]
    return "\n".join([f"{where}{mark}{said}{_more(entry)}", *trace])


def _more(entry: Entry, told: set[str] | frozenset[str] = frozenset()) -> str:
    left = {
        key: value
        for key, value in entry.items()
        if key not in _ABOUT_THE_ENTRY | told | {"access_point"} and value is not None
    }
    return f" ({plain(flat(left))})" if left else ""


def _strong(text: str, meaning: Meaning | None) -> str:
    return styled(text, meaning, sys.stderr)


def _folded(text: str) -> str:
    """``text`` with its lines no longer than the terminal is wide, but for a word that is."""
    width = _width()
    lines = text.split("\n")
    told = lines if width is None else [_folded_line(line, width) for line in lines]
    return "\n".join(told).replace(_TIE, " ")


def _folded_line(line: str, width: int) -> str:
    from rich.cells import cell_len

    named = line.startswith(" " * _BEHIND_THE_TIME)
    margin = " " * (_BEHIND_A_NAME if named else _BEHIND_THE_TIME)
    lines, used = [""], 0
    # A word and the gap before it; a gap at which a line ends is left out.
    for gap, word in re.findall(r"( *)([^ ]+)", line):
        cells = cell_len(_COLOUR.sub("", word))
        if used and used + len(gap) + cells > width:
            lines.append(margin + word)
            used = len(margin) + cells
        else:
            lines[-1] += gap + word
            used += len(gap) + cells
    return "\n".join(lines)


def _width() -> int | None:
    """The columns of the terminal; None where it has none to speak of, or folds by itself."""
    try:
        width = int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.stderr.fileno()).columns)
    except (OSError, ValueError):
        return None
    return width if width >= _NARROWEST else None

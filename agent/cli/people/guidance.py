"""What somebody at the kiosk's camera reads while the photographs of an enrolment are taken.

At a terminal one line that is rewritten with each frame; elsewhere a line where something changes;
with ``--json`` an object a step on stdout. stderr but for the latter.
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent.cli.common import emit
from agent.cli.terminal.style import Meaning, styled
from agent.operations.people.guide import Guide, Hint, Step

if TYPE_CHECKING:
    from agent.app.desk.guided import Seen, Watch

_STEPS = {
    Step.STRAIGHT: "1 of 3: look straight into the camera",
    Step.ONE_SIDE: "2 of 3: turn the head a little, to either side",
    Step.OTHER_SIDE: "3 of 3: now a little to the other side",
    Step.DONE: "done: 3 photographs taken, none is kept",
    Step.TIMED_OUT: "the time is over",
}
_HINTS = {
    Hint.NOBODY: "no face is seen",
    Hint.ONE_AT_A_TIME: "one person only",
    Hint.CLOSER: "come closer",
    Hint.MORE_LIGHT: "more light on the face",
    Hint.LESS_LIGHT: "less light on the face: turn away from the sun or lamp",
    Hint.HOLD_STILL: "hold still",
    Hint.LOOK_UP: "chin up a little",
    Hint.LOOK_DOWN: "chin down a little",
    Hint.LOOK_STRAIGHT: "straight ahead",
    Hint.TURN_MORE: "turn a little more",
    Hint.TURN_LESS: "turn back a little",
    Hint.OTHER_WAY: "the other way",
    Hint.HOLD: "good, stay so",
}
_CLEAR = "\r\x1b[K"


@contextmanager
def guidance(*, as_json: bool) -> "Iterator[Watch]":
    """What shows the guidance while the block runs."""
    if as_json:
        yield _as_json
        return
    terminal = sys.stderr.isatty()
    try:
        yield _Lines(sys.stderr.write, terminal=terminal).watch
    finally:
        if terminal:
            sys.stderr.write(_CLEAR)
        sys.stderr.flush()


class _Lines:
    def __init__(self, write: Callable[[str], object], *, terminal: bool) -> None:
        self._write, self._terminal = write, terminal
        self._said: tuple[Step, Hint] | None = None

    def watch(self, before: Guide, after: Guide, seen: "Seen | None") -> None:
        if self._terminal:
            if len(after.taken) > len(before.taken):
                self._write(f"{_CLEAR}photograph {len(after.taken)} of 3 taken\n")
            # A line that wraps could not be rewritten: each frame would leave its beginning behind.
            width = shutil.get_terminal_size().columns - 1
            told = styled(line(after, seen)[:width], _meaning(after), sys.stderr)
            self._write(f"{_CLEAR}{told}")
        elif (after.step, after.hint) != self._said:
            self._said = after.step, after.hint
            self._write(f"{line(after, seen)}\n")
        sys.stderr.flush()


def _meaning(guide: Guide) -> Meaning | None:
    if guide.step is Step.TIMED_OUT:
        return Meaning.BAD
    return Meaning.GOOD if guide.step is Step.DONE or guide.hint is Hint.HOLD else None


def line(guide: Guide, seen: "Seen | None") -> str:
    """The guidance as one line, with the quality of what is seen."""
    said = _STEPS[guide.step]
    if guide.step.over:
        return said
    said = f"{said}: {_HINTS[guide.hint]}"
    if seen is None or seen.quality is None:
        return said
    quality = seen.quality
    figures = (
        f"face {quality.face_px} px, sharpness {quality.sharpness:.0f},"
        f" contrast {quality.contrast:.0f}"
    )
    turn = "" if seen.pose is None else f", turned {seen.pose.yaw_deg:+.0f} degrees"
    return f"{said} [{figures}{turn}; {guide.left_s(seen.look.at_s):.0f} s left]"


def _as_json(before: Guide, after: Guide, seen: "Seen | None") -> None:
    if after.step is before.step:
        return
    emit(
        {
            "step": before.step.value,
            "photographs": len(after.taken),
            "next": after.step.value,
            "hint": after.hint.value,
            "quality": None if seen is None or seen.quality is None else seen.quality.as_figures(),
        }
    )

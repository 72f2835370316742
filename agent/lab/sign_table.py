"""Draws the table of signs: the page shows what the code goes by."""

from agent.domain.access.signs import (
    AMBER,
    BLUE,
    DARK,
    FLASH_S,
    RED,
    SIGNS,
    TONE_S,
    WHITE,
    Before,
    Sign,
)
from agent.lab.marks import between

WHEN: dict[Before, str] = {
    Before.TOLD: "a decision was told, for its three seconds",
    Before.NOT_SERVING: "the gate is unwell, locked down, free, or alarms",
    Before.PASSING: "who was let in stands there, and the way is free",
    Before.CODE_UNREAD: "a code is held up that cannot be read",
    Before.TOO_FAR: "somebody is seen outside the zone, or too far away",
    Before.NOT_BY_FACE: "a face alone opens nothing here just now: by the rules, the number of "
    "holders, or what strangers tried",
    Before.SEVERAL: "several stand there, none of them nearest",
    Before.TURNED: "the face is turned away, or could not be compared for some seconds",
    Before.COVERED: "the face is covered",
    Before.TOO_DARK: "it is too dark",
    Before.TOO_BRIGHT: "it is too bright, or the light is behind",
    Before.BLURRED: "the face moves",
    Before.TURN_LEFT: "a turn of the head to the left is asked for",
    Before.TURN_RIGHT: "a turn of the head to the right is asked for",
    Before.ASKED: "something is missing, and was asked for",
    Before.PACED: "who was refused stays, or came soon after: the next attempt is not due yet",
    Before.REFUSED: "who was refused stays, and no attempt follows",
    Before.LET_IN: "who was let in stays, and the way is free no more: step aside to begin anew",
    Before.COMPARED: "a face is seen and compared",
    Before.NOBODY: "nobody is there",
}
_COLOURS = {AMBER: "amber", RED: "red", WHITE: "white", BLUE: "blue", DARK: "dark"}
_FLASHES = {seconds: name for name, seconds in FLASH_S.items()}
_TONES = {seconds: name for name, seconds in TONE_S.items()}


def table() -> str:
    """A row a state, as Markdown, the one that goes before all others first."""
    head = ["| who is there | lights | buzzer | heard |", "|---" * 4 + "|"]
    return "\n".join([*head, *(_line(state, SIGNS[state]) for state in Before)])


def _line(state: Before, sign: Sign) -> str:
    tones = ", ".join(_TONES[seconds] for seconds in sign.tones) or "silent"
    said = ", ".join(f"`{key}`" for key in sign.messages) or "nothing"
    return f"| {WHEN[state]} | {_lights(sign)} | {tones} | {said} |"


def _lights(sign: Sign) -> str:
    if not sign.lights:
        return "as they are"
    if len(sign.lights) == 1:
        return _COLOURS[sign.lights[0].lit]
    if len(sign.lights) > 2:
        flashes = [_FLASHES[step.lasts_s] for step in sign.lights if step.lit]
        return f"amber: {', '.join(flashes)}"
    first, second = sign.lights
    return f"{_COLOURS[first.lit]} {first.lasts_s:g} s, {_COLOURS[second.lit]} {second.lasts_s:g} s"


def page(text: str) -> str:
    """``text`` with the table between its marks drawn anew.

    Raises:
        ValueError: a mark is missing.
    """
    return between(text, "signs", table())

"""What is shown and said before a decision: a row for every state that somebody may stand in.

A state says what stands between whoever is there and a decision; it follows from a ``Scene`` by one
precedence, and has one sign. Nobody is left in silence: whoever is seen has a light, whoever stays
is told what to do, in words that can be done.

A sign is the same for whoever was recognised and refused and for whoever was not recognised: it
goes by what the frames show and by what the gate takes just now, never by who somebody is.

Lights need no blue one to be told apart. The code of a hindrance is a long and a short flash or
more, in amber; its tones follow the same code, longer than any beep of a decision. Nothing flashes
more often than three times a second, the bound below which flashes harm nobody (WCAG 2.3.1).
"""

import itertools
from dataclasses import dataclass
from enum import StrEnum

from agent.domain.access.indication import Standing
from agent.domain.sight.hindrance import Hindrance


class Face(StrEnum):
    """How far an access point has come with the face before its camera."""

    NOBODY = "nobody"
    SEEN = "seen"
    """Followed, and not compared yet."""
    UNREADABLE = "unreadable"
    """Followed for some seconds, and nothing of it could be compared."""
    COMPARED = "compared"
    PACED = "paced"
    """Its attempt, or its next one, is not due yet."""
    REFUSED = "refused"
    """It was judged, and no attempt of it follows while it stays."""
    LET_IN = "let_in"


class Before(StrEnum):
    """The states before a decision, the one that goes before all others first."""

    TOLD = "told"
    NOT_SERVING = "not_serving"
    PASSING = "passing"
    CODE_UNREAD = "code_unread"
    TOO_FAR = "too_far"
    NOT_BY_FACE = "not_by_face"
    SEVERAL = "several"
    TURNED = "turned"
    COVERED = "covered"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    BLURRED = "blurred"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    ASKED = "asked"
    PACED = "paced"
    REFUSED = "refused"
    LET_IN = "let_in"
    COMPARED = "compared"
    NOBODY = "nobody"


OF_HINDRANCE: dict[Hindrance, Before] = {
    Hindrance.TOO_FAR: Before.TOO_FAR,
    Hindrance.SEVERAL: Before.SEVERAL,
    Hindrance.TURNED: Before.TURNED,
    Hindrance.COVERED: Before.COVERED,
    Hindrance.TOO_DARK: Before.TOO_DARK,
    Hindrance.TOO_BRIGHT: Before.TOO_BRIGHT,
    Hindrance.BLURRED: Before.BLURRED,
    Hindrance.CODE_UNREAD: Before.CODE_UNREAD,
}
"""The state of every hindrance; a test holds the table whole."""

_SERVING = frozenset({Standing.READY, Standing.WALK_TEST})
"""Whoever stands there is looked at; in a walk test they are led as ever."""
_TURNS = {"turn_left": Before.TURN_LEFT, "turn_right": Before.TURN_RIGHT}
_FACES, CODES = frozenset({"face"}), frozenset({"pass", "health_certificate"})


@dataclass(frozen=True, slots=True)
class Scene:
    """What holds at one access point now.

    ``told``: a decision was told, and its seconds are not over. ``passing``: the way is free.
    ``asked`` names what an attempt under way waits for, None where none is. ``code_unread``: a
    code is held up that cannot be read. ``face_suffices``: a face alone may open here just now.
    """

    standing: Standing = Standing.READY
    told: bool = False
    passing: bool = False
    asked: frozenset[str] | None = None
    hindrance: Hindrance | None = None
    code_unread: bool = False
    face: Face = Face.NOBODY
    face_suffices: bool = True


def before(scene: Scene) -> Before:
    """The state that a scene is in; every scene has one."""
    if scene.told:
        return Before.TOLD
    if scene.standing not in _SERVING:
        return Before.NOT_SERVING
    if scene.passing and scene.face is Face.LET_IN:
        return Before.PASSING
    hindered = _hindered(scene)
    if scene.asked is not None:
        turns = [state for what, state in _TURNS.items() if what in scene.asked]
        if turns:
            return turns[0]
        wanted = CODES if hindered is Before.CODE_UNREAD else _FACES
        helps = hindered is not None and not wanted.isdisjoint(scene.asked)
        return hindered if hindered is not None and helps else Before.ASKED
    return _unasked(scene, hindered)


def _hindered(scene: Scene) -> Before | None:
    """What is in the way: a code in the hand goes before a face."""
    if scene.code_unread:
        return Before.CODE_UNREAD
    if scene.hindrance is not None:
        return OF_HINDRANCE[scene.hindrance]
    return Before.TURNED if scene.face is Face.UNREADABLE else None


def _unasked(scene: Scene, hindered: Before | None) -> Before:
    """The state while no attempt is under way that waits for anything."""
    if scene.face is Face.LET_IN:
        return Before.LET_IN
    if hindered in (Before.CODE_UNREAD, Before.TOO_FAR):
        return hindered
    somebody = hindered is not None or scene.face is not Face.NOBODY
    if somebody and not scene.face_suffices:
        return Before.NOT_BY_FACE
    # Whoever has no attempt left here is helped by no better picture of them.
    if hindered is not None and scene.face is not Face.REFUSED:
        return hindered
    return _OF_FACE[scene.face]


_OF_FACE = {
    Face.NOBODY: Before.NOBODY,
    Face.SEEN: Before.COMPARED,
    Face.UNREADABLE: Before.TURNED,
    Face.COMPARED: Before.COMPARED,
    Face.PACED: Before.PACED,
    Face.REFUSED: Before.REFUSED,
    Face.LET_IN: Before.LET_IN,
}


@dataclass(frozen=True, slots=True)
class Step:
    """So many seconds of these lights, ``red``, ``green``, ``blue``; 0: while it stands."""

    lit: frozenset[str]
    lasts_s: float


@dataclass(frozen=True, slots=True)
class Sign:
    """How a state is told.

    ``lights`` go round and round; none where the lights stay with what was told, or with how the
    access point stands. ``tones`` are the seconds of each tone of the buzzer, sounded once when the
    ``messages`` are said. A state must last ``after_s`` to be shown and ``aloud_after_s`` to be
    heard; one without messages is not heard.
    """

    lights: tuple[Step, ...] = ()
    tones: tuple[float, ...] = ()
    messages: tuple[str, ...] = ()
    after_s: float = 0.0
    aloud_after_s: float = 1.2


AMBER, RED, WHITE, BLUE, DARK = (
    frozenset({"red", "green"}),
    frozenset({"red"}),
    frozenset({"red", "green", "blue"}),
    frozenset({"blue"}),
    frozenset[str](),
)
FLASH_S = {"long": 0.8, "short": 0.25}
TONE_S = {"long": 0.7, "short": 0.25}
GAP_S, PAUSE_S = 0.25, 1.2
LEAST_S = 0.4
"""Shorter than this, what hinders one frame or two is nobody's concern."""
_PASSES_BY_S = 2.5
"""Whoever only crosses before the gate has gone by then, and is not called to it."""
_CODES = {
    Before.TOO_FAR: ("long", "short"),
    Before.SEVERAL: ("long", "short", "short"),
    Before.TURNED: ("long", "long"),
    Before.COVERED: ("long", "long", "short"),
    Before.TOO_DARK: ("long", "short", "long"),
    Before.TOO_BRIGHT: ("long", "long", "long"),
    Before.BLURRED: ("long", "short", "short", "short"),
    Before.CODE_UNREAD: ("long", "long", "short", "short"),
}


def _hint(state: Before) -> Sign:
    code = _CODES[state]
    steps = [(Step(AMBER, FLASH_S[flash]), Step(DARK, GAP_S)) for flash in code]
    lights = [*itertools.chain.from_iterable(steps)][:-1]
    return Sign(
        (*lights, Step(DARK, PAUSE_S)),
        tuple(TONE_S[flash] for flash in code),
        (f"sign.{state}",),
        LEAST_S,
        _PASSES_BY_S if state is Before.TOO_FAR else 1.2,
    )


def _turn(state: Before, flashes: int) -> Sign:
    """Once is to the left and twice to the right; no other sign begins with a short flash."""
    flash = (Step(AMBER, FLASH_S["short"]), Step(DARK, GAP_S))
    lights = (flash * flashes)[:-1]
    tones = (TONE_S["short"],) * flashes
    return Sign((*lights, Step(DARK, PAUSE_S)), tones, (f"sign.{state}",), 0.0, 0.0)


SIGNS: dict[Before, Sign] = {
    Before.TOLD: Sign(),
    Before.NOT_SERVING: Sign(),
    Before.PASSING: Sign(),
    **{state: _hint(state) for state in _CODES},
    Before.NOT_BY_FACE: Sign(
        (Step(AMBER, 0.9), Step(RED, 0.3)), (0.7,), ("sign.not_by_face",), LEAST_S
    ),
    Before.TURN_LEFT: _turn(Before.TURN_LEFT, 1),
    Before.TURN_RIGHT: _turn(Before.TURN_RIGHT, 2),
    Before.ASKED: Sign((Step(AMBER, 0.0),)),
    Before.PACED: Sign(
        (Step(AMBER, 1.6), Step(DARK, 0.2)), (), ("waiting.other", "sign.help"), 0.0
    ),
    Before.REFUSED: Sign((Step(RED, 0.6), Step(AMBER, 0.6)), messages=("sign.help",)),
    Before.LET_IN: Sign((Step(AMBER, 0.4), Step(DARK, 1.0))),
    Before.COMPARED: Sign((Step(WHITE, 0.5), Step(BLUE, 0.5))),
    Before.NOBODY: Sign(),
}
"""The sign of every state; a test holds the table whole, and the page that shows it."""

HINTS_BEFORE = frozenset(_CODES)
"""The states in which whoever stands there could do something better."""


@dataclass(frozen=True, slots=True)
class Guidance:
    """The sign of ``state`` at one access point; ``aloud``: it is heard now, too."""

    access_point: str
    state: Before
    aloud: bool = False

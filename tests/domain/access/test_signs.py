"""Signs before a decision: one for every state, told apart by eye and ear, and none tells who."""

import itertools
from collections.abc import Iterator

import pytest

from agent.adapters.pins.indicator import _LIGHTS, _STANDINGS
from agent.domain.access.hints import NEEDED_KEYS, SIGN_KEYS
from agent.domain.access.indication import Standing
from agent.domain.access.signs import (
    DARK,
    HINTS_BEFORE,
    OF_HINDRANCE,
    SIGNS,
    WHITE,
    Before,
    Face,
    Scene,
    Sign,
    Step,
    before,
)
from agent.domain.sight.hindrance import Hindrance
from agent.operations.voice.texts import load_texts

ASKED = (
    None,
    frozenset[str](),
    frozenset({"face"}),
    frozenset({"pass"}),
    frozenset({"temperature"}),
    frozenset({"turn_left"}),
    frozenset({"turn_right"}),
)


SERVING = (Standing.READY, Standing.WALK_TEST)


def scenes() -> Iterator[Scene]:
    both = (False, True)
    hindrances = (None, *Hindrance)
    yield from itertools.starmap(
        Scene, itertools.product(Standing, both, both, ASKED, hindrances, both, Face, both)
    )


def test_every_state_has_a_sign_and_every_hindrance_a_state() -> None:
    assert set(SIGNS) == set(Before)
    assert set(OF_HINDRANCE) == set(Hindrance)
    assert set(OF_HINDRANCE.values()) == HINTS_BEFORE


def test_every_scene_has_a_state_and_whoever_is_there_a_light() -> None:
    seen = set()
    for scene in scenes():
        state = before(scene)
        seen.add(state)
        # Elsewhere the lights stay with the decision, the standing or the way that is free.
        passes = scene.passing and scene.face is Face.LET_IN
        elsewhere = scene.told or passes or scene.standing not in SERVING
        nobody = scene.face is Face.NOBODY and scene.hindrance is None and not scene.code_unread
        if elsewhere or (nobody and scene.asked is None):
            continue
        assert SIGNS[state].lights, scene
    assert seen == set(Before)


def test_nothing_is_shown_over_a_decision_or_an_alarm() -> None:
    for scene in scenes():
        if scene.told or scene.standing not in SERVING:
            assert not SIGNS[before(scene)].lights
            assert not SIGNS[before(scene)].messages


@pytest.mark.parametrize(
    ("scene", "state"),
    [
        (Scene(), Before.NOBODY),
        (Scene(hindrance=Hindrance.TOO_FAR), Before.TOO_FAR),
        (Scene(face=Face.SEEN, hindrance=Hindrance.COVERED), Before.COVERED),
        (Scene(face=Face.SEEN), Before.COMPARED),
        (Scene(face=Face.UNREADABLE), Before.TURNED),
        (Scene(face=Face.COMPARED), Before.COMPARED),
        (Scene(face=Face.COMPARED, face_suffices=False), Before.NOT_BY_FACE),
        (Scene(hindrance=Hindrance.TOO_FAR, face_suffices=False), Before.TOO_FAR),
        (Scene(face=Face.PACED), Before.PACED),
        (Scene(face=Face.PACED, hindrance=Hindrance.TOO_DARK), Before.TOO_DARK),
        (Scene(face=Face.REFUSED, hindrance=Hindrance.TOO_DARK), Before.REFUSED),
        (Scene(face=Face.COMPARED, code_unread=True), Before.CODE_UNREAD),
        (Scene(asked=frozenset({"turn_left"}), hindrance=Hindrance.TURNED), Before.TURN_LEFT),
        (Scene(asked=frozenset({"turn_right"}), code_unread=True), Before.TURN_RIGHT),
        (Scene(asked=frozenset({"face"})), Before.ASKED),
        (Scene(asked=frozenset({"face"}), hindrance=Hindrance.COVERED), Before.COVERED),
        (Scene(asked=frozenset({"pass"}), hindrance=Hindrance.COVERED), Before.ASKED),
        (Scene(asked=frozenset({"pass"}), code_unread=True), Before.CODE_UNREAD),
        (Scene(asked=frozenset({"face"}), code_unread=True), Before.ASKED),
        (Scene(standing=Standing.OUT_OF_ORDER, face=Face.COMPARED), Before.NOT_SERVING),
    ],
)
def test_what_goes_before_what(scene: Scene, state: Before) -> None:
    assert before(scene) is state


# --- seen and heard ---------------------------------------------------------------------------


def seen_as(steps: tuple[Step, ...], *, blue: bool) -> frozenset[tuple[tuple[str, float], ...]]:
    """The lights as an eye sees them go round: from wherever one begins to look."""
    kept: list[tuple[str, float]] = []
    for step in steps:
        lit = step.lit - {"buzzer"} if blue else step.lit - {"blue", "buzzer"}
        kept.append(("".join(sorted(lit)), step.lasts_s))
    return frozenset(tuple(kept[i:] + kept[:i]) for i in range(len(kept)))


@pytest.mark.parametrize("blue", [True, False])
def test_the_lights_of_all_signs_can_be_told_apart(*, blue: bool) -> None:
    steady = {name: (Step(lit, 0.0),) for name, lit in _LIGHTS.items() if name != "waiting"}
    told = [sign.lights for sign in SIGNS.values() if sign.lights]
    told += [*_STANDINGS.values(), *steady.values()]
    # A steady red or green says the same of a decision as of the access point.
    assert len({seen_as(steps, blue=blue) for steps in told}) == len(told) - 2


def test_no_sign_says_green_and_none_flashes_more_than_three_times_a_second() -> None:
    for sign in SIGNS.values():
        for step in sign.lights:
            assert step.lit in (DARK, WHITE) or "red" in step.lit or step.lit == {"blue"}
        flashes = [step for step in sign.lights if step.lit]
        lasts_s = sum(step.lasts_s for step in sign.lights)
        assert not lasts_s or len(flashes) / lasts_s < 3.0
        assert all(step.lasts_s <= 1.2 for step in sign.lights if not step.lit), "dark for longer"


def test_the_tones_of_all_hints_can_be_told_apart_and_are_no_decision_s() -> None:
    tones = [SIGNS[state].tones for state in HINTS_BEFORE]
    assert len(set(tones)) == len(tones)
    assert min(itertools.chain(*tones)) > 0.16


def aloud(sign: Sign) -> bool:
    return bool(sign.messages)


def test_every_hint_is_said_in_both_languages_and_in_words_of_its_own() -> None:
    for language in ("zh", "en"):
        messages = load_texts(language).messages
        said = [messages[key] for key in SIGN_KEYS]
        assert len(set(said)) == len(SIGN_KEYS) == 14
    assert all(set(sign.messages) <= {*NEEDED_KEYS, *SIGN_KEYS} for sign in SIGNS.values())
    assert {state for state, sign in SIGNS.items() if aloud(sign)} == {
        *HINTS_BEFORE,
        *(Before.NOT_BY_FACE, Before.PACED, Before.REFUSED),
        *(Before.TURN_LEFT, Before.TURN_RIGHT),
    }

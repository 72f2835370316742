"""Strangers with somebody's pass or card: how many are compared, and what showing it again does."""

from dataclasses import replace

import pytest
from gate_parts import ANNA, DOCUMENT, DOOR, FACE, LANE, LIN, Gate
from pass_parts import claims

from agent.controller.combination import Claim
from agent.controller.effects import Record
from agent.controller.inputs import CredentialShown
from agent.controller.kiosk import Kiosk
from agent.controller.wrong_faces import FORGOTTEN_AFTER_S
from agent.domain.access.rule import Rule
from agent.domain.credential.gate_pass import PassId
from agent.domain.credential.holder import HolderId
from agent.domain.credential.presented import PassPresented
from agent.domain.record.events import EventType

FACE_OR_PASS = Rule(frozenset({"resident"}))
BY_CARD = Rule(frozenset({"resident"}), factors=(frozenset({DOCUMENT, FACE}),))


class Entrance(Gate):
    """A gate, and the one credential that is held up before it time and again."""

    def __init__(self, *rules: Rule, kind: str = "pass") -> None:
        super().__init__(*rules)
        self.kind = kind
        self.hold_up = self.show if kind == "pass" else self.lay


def stranger(number):
    return HolderId(f"stranger.{number}")


def locks(gate):
    drafts = [effect.draft for effect in gate.log if isinstance(effect, Record)]
    return [draft for draft in drafts if draft.type is EventType.CREDENTIAL_LOCKED]


@pytest.fixture(params=["pass", "id_document"])
def gate(request):
    return Entrance(*([BY_CARD] if request.param == "id_document" else []), kind=request.param)


def lock(gate, first=0):
    """Three strangers, each until they are judged or refused."""
    before = len(locks(gate))
    for number in range(first, first + 3):
        gate.hold_up()
        gate.stand(stranger(number), 2.0)
        gate.wait(16)
    assert len(locks(gate)) == before + 1


def test_showing_it_again_makes_a_mismatch_no_grant(gate) -> None:
    gate.hold_up()
    gate.stand(ANNA, 0.6)
    gate.hold_up()
    gate.stand(LIN, 2.0)
    assert (gate.outcomes(), gate.opened()) == (["HolderMismatch"], 0)


def test_nor_does_it_once_the_first_was_judged(gate) -> None:
    gate.hold_up()
    gate.stand(ANNA, 2.0)
    gate.wait(4)
    gate.hold_up()
    gate.stand(LIN, 2.0)
    assert (gate.outcomes(), gate.opened()) == (["HolderMismatch", "HolderMismatch"], 0)


def test_nor_does_the_same_wrong_face_a_moment_longer(gate) -> None:
    gate.hold_up()
    gate.stand(ANNA, 2.0)
    gate.wait(2)
    gate.hold_up()
    gate.stand(ANNA, 0.2, step_in=False)
    gate.hold_up()
    gate.stand(LIN, 2.0)
    assert gate.opened() == 0


def test_the_holder_gets_in_once_the_window_is_over(gate) -> None:
    gate.hold_up()
    gate.stand(ANNA, 2.0)
    gate.wait(16)
    gate.hold_up()
    gate.stand(LIN, 1.0)
    assert gate.outcomes() == ["HolderMismatch", "granted"]


def test_one_window_does_not_compare_dozens_of_faces(gate) -> None:
    """Each stands there for a moment and steps aside, and the pass is shown again all the time."""
    compared = set()
    for number in range(40):
        gate.hold_up()
        if gate.claim is not None:
            compared.add(number)
        gate.stand(stranger(number), 0.3)
    assert len(compared) <= 4
    assert gate.opened() == 0


def test_a_credential_that_met_three_wrong_faces_is_locked_and_says_so(gate) -> None:
    lock(gate)
    (draft,) = locks(gate)
    assert draft.access_point == "north-entry"
    assert draft.data["kind"] == gate.kind
    assert draft.data["pass"] == (claims().id if gate.kind == "pass" else None)
    assert (draft.data["seconds"], draft.data["wrong_faces"]) == (60.0, 3)
    assert "lin" not in str(draft.data)
    gate.hold_up()
    gate.stand(LIN, 2.0)
    assert gate.opened() == 0
    assert gate.outcomes()[-1] == "HolderMismatch"
    assert gate.claim is None


def test_a_lock_ends_and_the_next_is_longer_but_never_beyond_an_hour(gate) -> None:
    seconds = []
    for turn in range(9):
        lock(gate, first=10 * turn)
        seconds.append(locks(gate)[-1].data["seconds"])
        gate.wait(seconds[-1])
    assert seconds == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    gate.hold_up()
    gate.stand(LIN, 1.0)
    assert gate.outcomes()[-1] == "granted"


def test_an_hour_of_quiet_takes_one_step_back(gate) -> None:
    lock(gate)
    gate.wait(60)
    lock(gate, first=10)
    gate.wait(120 + FORGOTTEN_AFTER_S)
    lock(gate, first=20)
    assert [draft.data["seconds"] for draft in locks(gate)] == [60, 120, 120]


def test_who_steps_aside_before_the_end_counts(gate) -> None:
    for number in range(3):
        gate.hold_up()
        gate.stand(stranger(number), 0.2)
        gate.wait(16)
        gate.wait(16)  # the credential's own interval has grown by then
    assert len(locks(gate)) == 1


def test_one_person_who_tries_again_is_one_face(gate) -> None:
    for turn in range(5):
        gate.hold_up()
        gate.stand(stranger(0), 2.0, step_in=turn == 0)
        gate.wait(16)
    assert locks(gate) == []


@pytest.mark.parametrize("accomplice", [False, True])
def test_a_day_of_strangers_is_few_comparisons(gate, accomplice) -> None:
    """They take turns for six hours without a pause, the holder now and then among them."""
    compared = 0
    ends_s = gate.clock.now().monotonic_s + 6 * 3600
    while gate.clock.now().monotonic_s < ends_s:
        if accomplice:
            gate.hold_up()
            gate.stand(LIN, 1.0)
            gate.wait(16)
        gate.hold_up()
        if gate.claim is None:
            gate.wait(20)
            continue
        gate.stand(stranger(compared), 0.4)
        compared += 1
        gate.wait(16 if accomplice else 0)
    assert (gate.opened() > 0) is accomplice
    assert compared <= 21 + 3 * 5


def test_an_accomplice_launders_nothing(gate) -> None:
    """The holder comes between two strangers, is let in, and the strangers still count."""
    for number in range(2):
        gate.hold_up()
        gate.stand(stranger(number), 2.0)
        gate.wait(16)
    gate.hold_up()
    gate.stand(LIN, 1.0)
    assert gate.opened() == 1
    gate.wait(16)
    gate.hold_up()
    gate.stand(stranger(2), 2.0)
    assert len(locks(gate)) == 1


def test_a_wrong_face_is_forgotten_after_an_hour(gate) -> None:
    for number in range(6):
        gate.hold_up()
        gate.stand(stranger(number), 2.0)
        gate.wait(FORGOTTEN_AFTER_S / 2 + 1)
    assert locks(gate) == []


def test_the_holders_own_days_lock_nothing(gate) -> None:
    for _ in range(20):
        gate.hold_up()
        gate.stand(LIN, 1.0)
        gate.wait(16)
    assert (locks(gate), gate.opened()) == ([], 20)


def test_the_holder_still_gets_in_by_their_face_and_by_another_credential() -> None:
    gate = Entrance(FACE_OR_PASS)
    lock(gate)
    gate.stand(LIN, 1.0)
    assert (gate.opened(), gate.last()["factors"]) == (1, ["face"])
    gate = Entrance()
    lock(gate)
    gate.show(claims(id=PassId("ab" * 8)))
    gate.stand(LIN, 1.0)
    assert (gate.opened(), gate.last()["pass"]) == (1, "ab" * 8)


def test_another_access_point_and_camera_know_it_too() -> None:
    gate = Entrance()
    exit_lane = replace(LANE, access_point="north-exit", direction="exit", camera="back")
    gate.settings = replace(
        gate.settings,
        lanes=(LANE, replace(exit_lane, door="gate")),
        doors=(DOOR, replace(DOOR, door="gate")),
    )
    gate.kiosk = Kiosk(gate.settings, gate.registry)
    lock(gate)
    gate.log.clear()
    shown = PassPresented(900, gate.clock.now().monotonic_s, claims())
    gate.tell(CredentialShown("north-exit", shown))
    assert gate.outcomes() == ["HolderMismatch"]


def test_the_claim_stays_while_the_pass_is_shown_again() -> None:
    gate = Entrance()
    gate.show()
    first = gate.claim
    gate.wait(2)
    gate.show()
    assert gate.claim == first == Claim(101, LIN)


def test_only_believed_credentials_have_a_place_and_the_places_are_bounded() -> None:
    gate = Entrance()
    memory = gate.kiosk._judge._wrong_faces
    lock(gate)
    for number in range(400):
        gate.show(claims(id=PassId(f"{number:016x}")))
        gate.stand(stranger(number), 0.3)
    assert 200 < len(memory._kept) <= 256
    assert claims().id in {one.value for one in memory._kept}  # a lock outlives faces

"""What an operator may ask: every wrong request is refused in words, and nothing comes of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.adapters.manual_clock import ManualClock
from agent.adapters.store.latches import SqliteLatches
from agent.app.threads.control.deeds import Asked, DeedRefused
from agent.app.threads.control.doors import DoorDeeds
from agent.app.threads.control.faults import FaultDeeds
from agent.app.threads.control.verbs import Operator
from agent.controller.effects import SetStatus
from agent.controller.inputs import Commanded, FaultCleared, Forgiven, Input, TriedOut
from agent.domain.access.indication import Outcome
from agent.domain.access.part import Part, PartKind
from agent.domain.credential.holder import HolderId
from agent.domain.door.antipassback import Position
from agent.domain.door.door_mode import Command
from agent.domain.foreign.boundary import UNREADABLE
from agent.domain.record.command import Verb
from agent.errors import RefusedError

POINTS = ("north-entry", "north-exit")
ME = "uid:0 root"


class Board:
    """Says what the test lets it; what is waited for comes, or does not."""

    def __init__(self):
        self.stands = SetStatus(
            {"door:lane": "stuck"},
            dict.fromkeys(POINTS, "secured"),
            dict.fromkeys(POINTS, "normal"),
        )
        self.comes = True

    def newest(self):
        return self.stands

    def faults(self):
        return list(self.stands.faults)

    def read(self):
        return {"online": True}

    def wait_for(self, holds, timeout_s):
        assert timeout_s < 3.0  # a client waits no longer
        return self.comes


class Asker:
    def __init__(self, folder):
        self.board = Board()
        self.posted: list[Input] = []
        self.latches = SqliteLatches(folder / "latches.sqlite")
        self.commands = Operator(
            self.board,  # type: ignore[arg-type] # all that is asked of a board
            self.latches,
            DoorDeeds(self.board, POINTS, self.posted.append, ManualClock()),  # type: ignore[arg-type] # as above
            self.posted.append,
            lambda: ("away", "nothing listens there"),
            self.accept,
        ).commands()

    def accept(self, file, reason, by):
        self.accepted = (file, reason, by)
        return PartKind.STATE.part("passes")

    def ask(self, command, **request):
        return self.commands[command](request, ME)


@pytest.fixture
def asker(tmp_path):
    asker = Asker(tmp_path)
    yield asker
    asker.latches.close()


def test_a_file_of_the_state_is_accepted_with_a_reason_and_never_cleared_as_a_part(asker):
    asker.board.stands = replace(asker.board.stands, faults={"state:passes": "passes.sqlite"})
    with pytest.raises(RefusedError, match="state accept") as refused:
        asker.ask("clear_fault", part="state:passes")
    assert (refused.value.reason, asker.posted) == ("refused", [])
    answer = asker.ask("accept_state", file="passes.sqlite", reason=" a new \n card ")
    assert answer == {"file": "passes.sqlite", "part": "state:passes"}
    assert asker.accepted == ("passes.sqlite", "a new card", ME)
    for reason in ("", " ", "x" * 201, "a\x1bb"):
        with pytest.raises(RefusedError, match="for a reason"):
            asker.ask("accept_state", file="passes.sqlite", reason=reason)
    with pytest.raises(ValueError, match="names a file"):
        asker.ask("accept_state", file="passes.sqlite")


def test_a_command_is_posted_for_each_access_point_once(asker):
    answer = asker.ask("door", do="lockdown", access_points=["north-exit", *POINTS])
    assert asker.posted == [
        Commanded(Command.LOCK_DOWN, "north-exit", ME),
        Commanded(Command.LOCK_DOWN, "north-entry", ME),
    ]
    assert set(answer["access_points"]) == set(POINTS)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({}, "a door does"),
        ({"do": "open", "access_points": ["north-entry"]}, "a door does: lockdown"),
        ({"do": ["lockdown"], "access_points": ["north-entry"]}, "a door does"),
        ({"do": "lockdown"}, "access_points is a list"),
        ({"do": "lockdown", "access_points": []}, "access_points is a list"),
        ({"do": "lockdown", "access_points": "north-entry"}, "access_points is a list"),
        ({"do": "lockdown", "access_points": ["north-entry", 7]}, "no access point 7"),
        ({"do": "lockdown", "access_points": ["north-entri"]}, "did you mean 'north-entry'"),
        ({"do": "lockdown", "access_points": [["north-entry"]]}, "no access point"),
        ({"do": "release", "access_points": list(POINTS)}, "names one access point"),
    ],
)
def test_a_wrong_request_about_a_door_is_refused_and_moves_nothing(asker, request_, says):
    with pytest.raises(ValueError, match=says):
        asker.ask("door", **request_)
    assert asker.posted == []


@pytest.mark.parametrize(("state", "mode"), [("locked_down", "locked_down"), ("fault", "normal")])
def test_a_release_is_refused_where_it_could_not_be(asker, state, mode):
    asker.board.stands.access_points["north-entry"] = state
    asker.board.stands.modes["north-entry"] = mode
    with pytest.raises(RefusedError):
        asker.ask("door", do="release", access_points=["north-entry"])
    assert asker.posted == []


def test_why_a_door_is_released_goes_with_it(asker):
    asker.board.stands = replace(
        asker.board.stands, access_points=dict.fromkeys(POINTS, "released")
    )
    asker.ask("door", do="release", access_points=["north-entry"], reason=" a   parcel ")
    assert asker.posted == [Commanded(Command.RELEASE, "north-entry", ME, reason="a parcel")]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "two\x07bells", 5, ["a"], True])
def test_a_reason_that_is_none_releases_nothing(asker, reason):
    with pytest.raises(ValueError, match="say why"):
        asker.ask("door", do="release", access_points=["north-entry"], reason=reason)
    assert asker.posted == []


@pytest.mark.parametrize("outcome", ["granted", "denied"])
def test_lights_and_voice_are_tried_out_by_the_controller_alone(asker, outcome):
    asker.ask("try_out", access_point="north-exit", outcome=outcome)
    assert asker.posted == [TriedOut("north-exit", Outcome(outcome))]


@pytest.mark.parametrize(
    ("point", "outcome"),
    [
        ("north-exit", "waiting"),
        ("north-exit", None),
        ("north-exit", ["granted"]),
        ("west", "granted"),
        (None, "granted"),
        (["north-exit"], "granted"),
    ],
)
def test_nothing_else_is_tried_out(asker, point, outcome):
    with pytest.raises(ValueError, match=r"outcome|access point"):
        asker.ask("try_out", access_point=point, outcome=outcome)
    assert asker.posted == []


def test_a_release_that_does_not_come_is_said_to_have_failed(asker):
    asker.board.comes = False
    with pytest.raises(RefusedError, match="was not released"):
        asker.ask("door", do="release", access_points=["north-entry"])


@pytest.mark.parametrize("do", ["release", "lockdown", "free-passage", "resume"])
def test_before_the_controller_has_said_anything_a_door_is_not_asked(asker, do):
    asker.board.stands = SetStatus()
    with pytest.raises(RefusedError, match="still starting"):
        asker.ask("door", do=do, access_points=["north-entry"])
    assert asker.posted == []


def test_a_fault_that_stays_is_said_to_be_still_there(asker):
    assert asker.ask("clear_fault", part="door:lane") == {"part": "door:lane"}
    assert asker.posted == [FaultCleared(Part("door:lane"), ME)]
    asker.board.comes = False
    with pytest.raises(RefusedError, match="still in fault"):
        asker.ask("clear_fault", part="door:lane")
    with pytest.raises(RefusedError, match="latched are: door:lane"):
        asker.ask("clear_fault", part="camera:front")
    with pytest.raises(RefusedError, match=r"did you mean 'door:lane'.*\nFix: gate-agent status"):
        asker.ask("clear_fault", part="door:lan")


def test_an_alert_is_acknowledged_from_afar_as_a_fault_is_cleared_here(asker):
    deed = FaultDeeds(asker.board, asker.posted.append).deeds()[Verb.ACKNOWLEDGE_ALERT]
    plan = deed.plan(Asked({"part": "door:lane"}, "key:office", "00", 0))
    assert asker.posted == []
    assert plan.run() == {"part": "door:lane"}
    assert asker.posted == [FaultCleared(Part("door:lane"), "key:office")]
    with pytest.raises(DeedRefused, match="no such fault"):
        deed.plan(Asked({}, "key:office", "00", 0))


def test_only_who_is_inside_is_forgiven(asker):
    inside = Position("garden", 1.0, "boot", datetime(2026, 5, 6, tzinfo=UTC), utc_trusted=True)
    asker.latches.move(HolderId("anna"), inside)
    assert asker.ask("passback") == {
        "total": 1,
        "positions": [{"holder": "anna", "area": "garden", "since": "2026-05-06T00:00:00.000Z"}],
    }
    wrong: list[object] = ["nobody", "not an id", 7, {}]
    for holder in wrong:
        with pytest.raises((RefusedError, ValueError)):
            asker.ask("forgive", holder=holder)
    with pytest.raises(ValueError, match="holder is missing"):
        asker.ask("forgive")
    assert asker.posted == []
    asker.ask("forgive", holder="anna")
    asker.ask("forgive", holder=None)
    assert asker.posted == [Forgiven(HolderId("anna"), ME), Forgiven(None, ME)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@given(
    st.sampled_from(["status", "clear_fault", "door", "passback", "forgive"]),
    st.dictionaries(st.sampled_from(["do", "access_points", "holder", "part", "x"]), JSON),
)
def test_whatever_json_comes_it_is_answered_or_refused(tmp_path_factory, command, request_):
    asker = Asker(tmp_path_factory.mktemp("operator"))
    try:
        asker.commands[command](request_, ME)
    except (ValueError, RefusedError):
        assert asker.posted == []
    finally:
        asker.latches.close()


def test_the_status_counts_what_could_not_be_read(asker) -> None:
    before = UNREADABLE.read().get("zbar", 0)
    UNREADABLE.note("zbar", ValueError("what was shown"))
    status = asker.commands["status"]({}, ME)["status"]
    assert (status["online"], status["broker"]) == (True, "away")
    assert status["unreadable"]["zbar"] == before + 1

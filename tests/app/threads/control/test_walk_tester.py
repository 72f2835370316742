"""A walk test over the control socket: who may, for how long, and what every wrong word says."""

from dataclasses import replace

import pytest
from gate_parts import LANE, Gate

from agent.adapters.manual_clock import ManualClock
from agent.app.threads.control.doors import DoorDeeds
from agent.app.threads.control.walking import WalkTester
from agent.controller.effects import SetStatus
from agent.errors import RefusedError

ME = "uid:997 gate-agent"
EXIT = replace(LANE, access_point="north-exit", direction="exit", camera="back")


class Asker:
    """The handler before a real controller, which takes at once what is posted."""

    def __init__(self):
        self.gate = Gate(lanes=(LANE, EXIT))
        self.stands = SetStatus()
        self.gets_there = True
        self.post(None)
        doors = DoorDeeds(self, ("north-entry", "north-exit"), self.post, ManualClock())  # type: ignore[arg-type] # all that is asked of a board
        exits = frozenset({"north-exit"})
        self.commands = WalkTester(self, doors, exits, self.post).commands()  # type: ignore[arg-type] # as above

    def post(self, happened):
        if not self.gets_there:
            return
        now = self.gate.clock.now()
        effects = (
            self.gate.kiosk.start(now)
            if happened is None
            else self.gate.kiosk.handle(happened, now)
        )
        for one in effects:
            if isinstance(one, SetStatus):
                self.stands = one

    def newest(self):
        return self.stands

    def wait_for(self, holds, timeout_s):
        return holds(self.stands)

    def ask(self, do, **request):
        return self.commands["walk_test"]({"do": do, **request}, ME)


def test_it_is_begun_held_and_ended():
    asker = Asker()
    begun = asker.ask("begin", access_points=["north-entry"], minutes=5)
    assert begun["walk_test"]["access_points"] == ["north-entry"]
    assert begun["walk_test"]["by"] == ME
    assert asker.ask("hold", id=begun["id"])["walk_test"] == begun["walk_test"]
    with pytest.raises(RefusedError, match="makes one already"):
        asker.ask("begin", access_points=["north-entry"])
    with pytest.raises(RefusedError, match="is over"):
        asker.ask("hold", id="another")
    assert asker.ask("end") == {"walk_test": None}
    with pytest.raises(RefusedError, match="is over"):
        asker.ask("hold", id=begun["id"])
    assert asker.ask("end") == {"walk_test": None}


def test_no_exit_is_tested():
    asker = Asker()
    with pytest.raises(RefusedError, match="must get out by it"):
        asker.ask("begin", access_points=["north-entry", "north-exit"])
    assert asker.stands.walk_test is None


def test_an_agent_that_does_not_take_it_says_so():
    asker = Asker()
    asker.gets_there = False
    with pytest.raises(RefusedError, match="did not begin"):
        asker.ask("begin", access_points=["north-entry"])


@pytest.mark.parametrize(
    ("do", "request_", "says"),
    [
        ("begin", {}, "a list"),
        ("begin", {"access_points": []}, "a list"),
        ("begin", {"access_points": "north-entry"}, "a list"),
        ("begin", {"access_points": ["north"]}, "no access point"),
        ("begin", {"access_points": [["north-entry"]]}, "no access point"),
        *(
            ("begin", {"access_points": ["north-entry"], "minutes": wrong}, "from 1 to 30")
            for wrong in (0, -1, 31, 1.5, True, "5", None, float("nan"))
        ),
        ("begun", {}, "begin, hold, end"),
        (None, {}, "begin, hold, end"),
    ],
)
def test_every_wrong_word_is_refused_in_words(do, request_, says):
    asker = Asker()
    with pytest.raises(ValueError, match=says):
        asker.ask(do, **request_)
    assert asker.stands.walk_test is None

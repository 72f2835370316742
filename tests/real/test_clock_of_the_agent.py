"""The installed agent, its ledger and a person: a time in doubt, told, settled, and kept."""

import json
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from mosquitto import wait_until
from test_agent import Site

from agent.adapters.store.pass_ledger import SqlitePassLedger
from agent.app.open.files.state import LEDGER

WHY = ("--reason", "the power was off for three weeks")


class Kiosk(Site):
    """A kiosk whose config vouches for its clock, and what it wrote down of the time."""

    def remember(self, utc: datetime) -> None:
        ledger = SqlitePassLedger(LEDGER.at(self.state))
        ledger.set_trusted(utc)
        ledger.close()

    @property
    def latest(self) -> datetime:
        ledger = SqlitePassLedger(LEDGER.at(self.state))
        try:
            found = ledger.latest_trusted()
        finally:
            ledger.close()
        assert found is not None
        return found

    def started(self) -> Any:
        process = self.run()
        assert wait_until(lambda: self.command("status").returncode == 0)
        assert wait_until(lambda: self.answer("clock", "show")["state"] != "unknown")
        return process

    def stopped(self, process: Any) -> None:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

    def answer(self, *words: object) -> Any:
        done = self.command(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def kiosk(tmp_path, dlib_pack, shared_faces):
    kiosk = Kiosk(tmp_path, dlib_pack.directory.parent)
    scene = shared_faces / "hard" / "no_face.png"
    kiosk.configure(f'kind = "simulated"\nsource = ["{scene}"]\nloop = true\nfps = 5')
    text = kiosk.config.read_text()
    kiosk.config.write_text(text + "[clock]\ntrust_system_clock = true\n")
    yield kiosk
    for process in kiosk.processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


@pytest.mark.slow
def test_weeks_without_power_then_a_person_confirms_the_clock(kiosk) -> None:
    then = datetime.now(UTC) - timedelta(days=21)
    kiosk.remember(then)
    process = kiosk.started()
    # The agent answers before its first look at the clock is a fault.
    assert wait_until(lambda: "clock" in kiosk.answer("status")["faults"])
    status = kiosk.answer("status")
    assert status["clock"]["state"] == "ahead"
    assert status["clock_synced"] is False
    assert "more than a day ahead" in status["faults"]["clock"]
    assert kiosk.command("clear-fault", "clock").returncode == 1
    kiosk.stopped(process)
    assert kiosk.latest - then < timedelta(minutes=5), "what one source claims is not kept"

    process = kiosk.started()
    assert wait_until(lambda: "clock" in kiosk.answer("status")["faults"])
    assert kiosk.answer("clock", "confirm", *WHY)["state"] == "settled"
    assert datetime.now(UTC) - kiosk.latest < timedelta(minutes=1), "durable once it is answered"
    assert wait_until(lambda: kiosk.answer("status")["faults"] == {})
    (told,) = kiosk.events("clock")
    assert told["data"]["reason"] == WHY[1]
    assert told["data"]["by"].startswith("uid:")
    assert [one["type"] for one in kiosk.events("fault")] == [
        *("gate.fault.raised", "gate.fault.raised", "gate.fault.cleared")
    ]
    process.kill()
    process.wait()
    kiosk.stopped(kiosk.started())
    assert kiosk.events("clock") == [told]


def test_a_bad_future_time_of_the_last_agent_is_taken_back(kiosk) -> None:
    kiosk.remember(datetime(2199, 1, 1, tzinfo=UTC))
    process = kiosk.started()
    assert kiosk.answer("status")["clock"]["state"] == "behind"
    assert kiosk.command("clock", "confirm", *WHY).returncode == 1
    assert kiosk.answer("clock", "set-back", *WHY)["state"] == "settled"
    kiosk.stopped(process)
    assert kiosk.latest - datetime.now(UTC) < timedelta(minutes=1)

"""The shipped package in an emulated Raspberry Pi: what a door does, whatever fails."""

import contextlib
import json

import pytest
from mosquitto import Subscriber, wait_until
from rig_parts import BUTTON, CUTS, DOOR, SOUTH_BUTTON, SOUTH_DOOR

pytestmark = [pytest.mark.rig, pytest.mark.slow]


def test_the_service_runs_as_it_was_shipped(kiosk):
    assert kiosk.unit("ActiveState") == "active"
    assert kiosk.unit("FragmentPath").endswith("/systemd/system/gate-agent.service")
    assert kiosk.unit("DropInPaths") == ""
    assert kiosk.sh("dpkg -V gate-agent | grep -v ' c ' || true") == ""
    status = kiosk.sh(f"cat /proc/{kiosk.main_pid()}/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["CapEff"].strip("0\n ") == ""
    assert fields["NoNewPrivs"].strip() == "1"
    assert fields["Seccomp"].strip() == "2"
    assert kiosk.unit("User") == "gate-agent"


def test_the_kernel_calls_itself_a_pi_with_its_pins_and_pulls(kiosk):
    assert kiosk.sh("tr -d '\\0' < /proc/device-tree/model").startswith("Raspberry Pi 4")
    assert kiosk.sh("ls /sys/class/rtc 2>/dev/null | wc -l") == "0"
    assert (kiosk.pin(2), kiosk.pin(27)) == (1, 0)
    assert kiosk.at_rest()


def test_the_exit_button_moves_the_door_and_a_broker_hears_of_it(kiosk):
    with contextlib.closing(_Heard(kiosk.broker.port)) as heard:
        kiosk.press(BUTTON)
        assert kiosk.wait(DOOR, 1, 30) < 10_000
        assert wait_until(lambda: any(_by_button(one) for one in heard.events("door")), 120)
        assert kiosk.wait(DOOR, 0, 60) > 1000


class _Heard(Subscriber):
    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


@pytest.mark.parametrize(
    ("part", "lowest", "highest"), [("mlx90614", 35.0, 38.0), ("mlx90640", 20.0, 42.0)]
)
def test_the_thermometers_are_read_through_the_kernels_bus(kiosk, part, lowest, highest):
    bus = kiosk.sh("basename $(grep -l i2c_virtio /sys/bus/i2c/devices/i2c-*/name | xargs dirname)")
    text = f'kind = "{part}"\\nbus = {bus.removeprefix("i2c-")}\\nfield_of_view_deg = 5'
    if part == "mlx90640":
        text = text.replace("= 5", "= 55")
    config = f"/run/{part}.toml"
    kiosk.sh(
        f"sed '/^.thermometer/,/^$/s/^kind = .*/{text}/' /etc/gate-agent/gate.toml > {config}"
        f"; chgrp gate-agent {config}"
    )
    said = json.loads(kiosk.agent(f"thermometer read --config {config} --json 2>/dev/null"))
    assert lowest < said["object_c"] < highest, said


def test_an_agent_that_hangs_is_ended_by_the_watchdog_and_the_door_is_shut(kiosk):
    kiosk.press(BUTTON)
    kiosk.wait(DOOR, 1, 30)
    before = int(kiosk.unit("NRestarts"))
    kiosk.sh(f"kill -STOP {kiosk.main_pid()}")
    assert kiosk.wait(DOOR, 0, 60) < 30_000
    kiosk.sh("for i in $(seq 120); do systemctl -q is-active gate-agent || break; sleep 0.2; done")
    kiosk.ready()
    assert int(kiosk.unit("NRestarts")) > before
    assert "watchdog" in kiosk.sh("journalctl -u gate-agent --no-pager -o cat | grep -i watchdog")
    assert kiosk.at_rest()


def test_a_killed_agent_leaves_no_relay_energised_even_where_the_board_pulls_it_so(kiosk):
    kiosk.press(SOUTH_BUTTON)
    kiosk.wait(SOUTH_DOOR, 0, 30)
    before = kiosk.main_pid()
    kiosk.sh(f"kill -9 {before}")
    assert kiosk.wait(SOUTH_DOOR, 1, 60) < 30_000
    kiosk.sh(
        "for i in $(seq 300); do p=$(systemctl show -p MainPID --value gate-agent);"
        f" [ $p != 0 ] && [ $p != {before} ] && break; sleep 0.2; done"
    )
    kiosk.ready()
    assert kiosk.at_rest()


@pytest.mark.parametrize("turn", range(CUTS))
def test_power_that_fails_in_a_release_loses_nothing_and_the_gate_comes_back_at_rest(kiosk, turn):
    count = _releases(kiosk)
    kiosk.press(BUTTON)
    kiosk.wait(DOOR, 1, 30)
    kiosk.guest.cut()
    kiosk.guest.check()
    kiosk.boot()
    assert kiosk.at_rest()
    assert _releases(kiosk) == count + 1
    kiosk.agent("events verify --json 2>/dev/null")


def _releases(kiosk):
    return sum(_by_button(one) for one in kiosk.events("door.released"))


def test_a_gate_that_starts_in_1970_works_and_knows_the_time_once_it_is_set(kiosk):
    kiosk.guest.cut()
    kiosk.boot("rig.date=60")
    assert int(kiosk.sh("date +%Y")) == 1970
    kiosk.press(BUTTON)
    kiosk.wait(DOOR, 1, 60)
    kiosk.wait(DOOR, 0, 120)
    kiosk.sh("date -s '2026-12-01 12:00:00'")
    kiosk.press(BUTTON)
    kiosk.wait(DOOR, 1, 60)
    kiosk.wait(DOOR, 0, 120)
    assert kiosk.unit("ActiveState") == "active"
    assert kiosk.events("door.released")[-1]["time"].startswith("2026-12-01")


def _by_button(event):
    return event["type"] == "gate.door.released" and event["data"]["cause"] == "rex"

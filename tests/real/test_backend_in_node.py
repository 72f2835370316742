"""A backend in another language, written from the pages alone, at an agent with broker and pins."""

import pytest
from mosquitto import wait_until
from other_language import in_node, packages
from test_agent import ended
from test_commands_at_the_gate import Backend, Gate


@pytest.fixture
def gate(tmp_path, dlib_pack, shared_faces, mosquitto, subscriber):
    site = Gate(tmp_path, dlib_pack.directory.parent, shared_faces / "hard" / "no_face.png")
    site.mosquitto, site.backend = mosquitto, Backend(tmp_path, subscriber)
    site.configure("")
    with ended(site):
        yield site


def test_it_reads_events_opens_a_door_and_is_not_taken_for_another(gate: Gate) -> None:
    modules = packages()
    gate.begun()
    kiosk = gate.folder / "kiosk.json"
    kiosk.write_text(gate.command("key", "show", "--json").stdout)
    before = gate.opened
    url = f"mqtt://127.0.0.1:{gate.mosquitto.port}"
    said = in_node("client.mjs", url, kiosk, gate.folder / "office.pem", "north-entry", modules)

    assert said["keys_agree"]
    assert said["unlock"] == {"outcome": "done", "kiosk": "lakeside/g3/north-1", "verb": "unlock"}
    assert said["event"] == {"type": "gate.command.done", "key": "office", "verb": "unlock"}
    assert said["forged"] == {"replies": 0, "events": 0, "counted": 1}
    # Once there and back: of two unlocks, one was forged.
    assert wait_until(lambda: not gate.free)
    assert gate.opened == before + 2

    again, journal = said["range"], said["journal"]
    assert (again["outcome"], again["missing"]) == ("done", [])
    assert again["sent"] == again["asked"]
    assert again["same"] == again["heard_live"] >= 3
    assert journal["flaws"] == []
    assert 0 < journal["signed"] < again["asked"]
    # Spoilt in any way it is no whole journal, and nobody else's key vouches for it.
    assert list(said["noticed"]) == ["removed", "changed", "moved", "covered"]
    assert all(said["noticed"].values()), said["noticed"]
    assert said["by_another_key"]["signed"] == 0

"""A face from a film before the emulated kiosk's camera: it grants, and the door's pin moves.

The guest's clock counts instructions here (``-icount``): one embedding takes an emulated processor
seconds, and a frame older than half a second grants nothing, at this gate as at every other.
"""

from pathlib import Path

import pytest
from rig_parts import DOOR

pytestmark = [pytest.mark.rig, pytest.mark.slow]
_SHARED = Path(__file__).resolve().parents[3] / "shared"
_FILM = _SHARED / "faces/video/short_hamilton_clip.mp4"
_PHOTOGRAPH = _SHARED / "faces/gallery/miranda.png"
_EDITS = (
    's|^source = .*|source = "/opt/rig/film.mp4"\\nloop = true|',
    's|^factors = .*|factors = ["face"]|',
    "/^width = /d",
    "/^height = /d",
    "/^fps = /d",
)


def test_a_face_from_a_film_grants_and_the_line_moves(kiosk):
    if not _FILM.exists():
        pytest.skip("no photographs are here: ../shared/faces")
    kiosk.guest.cut()
    kiosk.guest.put(_FILM, "/opt/rig/film.mp4")
    kiosk.guest.put(_PHOTOGRAPH, "/opt/rig/face.png")
    kiosk.boot()
    kiosk.sh("systemctl stop gate-agent; chmod a+r /opt/rig/*", 300)
    edits = " ".join(f"-e '{edit}'" for edit in _EDITS)
    face = "[face]\\naccept_no_pad = true\\n"
    config = "/etc/gate-agent/gate.toml"
    kiosk.sh(f"sed -i {edits} {config}; printf '{face}' >> {config}")
    kiosk.agent("enrol miranda --name Miranda --category resident /opt/rig/face.png", 590)
    kiosk.guest.cut()
    kiosk.boot(slow=True)
    kiosk.wait(DOOR, 1, 500)
    granted = kiosk.events("access.granted")
    assert granted[-1]["data"]["holder"] == "miranda"

"""Where the thermometer looks in the camera's picture, for whoever mounts it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from agent.domain.skin.optics import Optics, Region, face_region, spot_in_picture

SINGLE = Optics(640, 480, 66.0, 35.0)
ARRAY = Optics(640, 480, 66.0, 55.0, thermometer_fov_v_deg=35.0, columns=32)


def test_a_single_element_sees_a_round_spot_in_the_middle() -> None:
    spot = spot_in_picture(SINGLE)
    assert spot is not None
    assert spot.round
    wide = math.tan(math.radians(17.5)) / math.tan(math.radians(33.0))
    assert spot.right - spot.left == pytest.approx(wide)
    assert (spot.left + spot.right, spot.top + spot.bottom) == pytest.approx((1.0, 1.0))
    # As many pixels down as across.
    assert (spot.bottom - spot.top) * 480 == pytest.approx((spot.right - spot.left) * 640)


def test_an_aim_to_the_right_and_down_moves_it_there() -> None:
    spot = spot_in_picture(replace(SINGLE, aim_x_deg=10.0, aim_y_deg=5.0))
    assert spot is not None
    assert spot.left + spot.right > 1.0
    assert spot.top + spot.bottom > 1.0


def test_nobody_knows_where_without_the_cameras_lens() -> None:
    assert spot_in_picture(replace(SINGLE, camera_fov_deg=None)) is None


def test_what_an_array_sees_is_what_a_face_is_looked_for_in() -> None:
    """The outline is the inverse of ``face_region``: a face at its rim lies at the image's."""
    for aim in (0.0, 8.0):
        optics = replace(ARRAY, aim_x_deg=aim, aim_y_deg=-aim)
        spot = spot_in_picture(optics)
        assert spot is not None
        assert not spot.round
        face = Region(
            round(spot.top * 480),
            round(spot.bottom * 480),
            round(spot.left * 640),
            round(spot.right * 640),
        )
        assert face_region(face, optics, np.zeros((24, 32), np.float32)) == Region(0, 24, 0, 32)

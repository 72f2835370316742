"""What the simulated camera and thermometer do beyond their ports."""

import numpy as np
import pytest

from agent.adapters.camera.simulated import Scene, SimulatedCamera, fit_scene
from agent.adapters.manual_clock import ManualClock
from agent.adapters.thermometer.simulated import SimulatedThermometer
from agent.domain.sight.image import Image
from agent.errors import UnavailableError


def plain(value: int, height: int = 48, width: int = 64) -> Image:
    return np.full((height, width, 3), value, dtype=np.uint8)


def camera(
    clock: ManualClock, *scenes: Image | Scene, fps: float = 10.0, **more
) -> SimulatedCamera:
    return SimulatedCamera(
        scenes, fps=fps, now_s=lambda: clock.now().monotonic_s, sleep=clock.advance, **more
    )


def values(source: SimulatedCamera, frames: int) -> list[int | None]:
    """The mean grey of each frame, to the nearest ten."""
    read = [source.read(1.0) for _ in range(frames)]
    return [None if f is None else int(np.rint(f.image.mean() / 10) * 10) for f in read]


def test_a_script_shows_each_scene_for_its_time_and_ends() -> None:
    source = camera(ManualClock(), Scene(plain(50), 0.3), Scene(plain(200), 0.2))
    assert values(source, 6) == [50, 50, 50, 200, 200, None]
    assert source.frames == 5


def test_a_loop_begins_again() -> None:
    source = camera(ManualClock(), Scene(plain(50), 0.2), Scene(plain(200), 0.1), loop=True)
    assert values(source, 7) == [50, 50, 200, 50, 50, 200, 50]


def test_what_is_shown_replaces_the_script_until_it_is_taken_away() -> None:
    source = camera(ManualClock(), Scene(plain(50), 60.0))
    source.show(plain(150))
    assert values(source, 2) == [150, 150]
    source.show(None)
    assert values(source, 1) == [50]


def test_frames_come_at_the_cameras_rate() -> None:
    clock = ManualClock(monotonic_s=10.0)
    source = camera(clock, Scene(plain(50), 60.0), fps=4.0)
    frames = [source.read(1.0) for _ in range(4)]
    assert [f.captured_s for f in frames if f] == pytest.approx([10.0, 10.25, 10.5, 10.75])
    clock.advance(5.0)
    late = source.read(1.0)
    assert late is not None
    assert late.captured_s == pytest.approx(15.75)


def test_a_living_picture_shimmers_little_and_a_frozen_one_not_at_all() -> None:
    scene = plain(100)
    source = camera(ManualClock(), Scene(scene, 60.0))
    frames = [f.image for f in (source.read(1.0) for _ in range(20)) if f is not None]
    assert len({image.tobytes() for image in frames}) == 20
    for image in frames:
        difference = image.astype(int) - scene
        assert 1.0 < difference.std() < 3.0
        assert abs(difference.mean()) < 0.5
    source.frozen = True
    assert len({f.image.tobytes() for f in (source.read(1.0) for _ in range(5)) if f}) == 1


def test_noise_saturates_and_never_wraps() -> None:
    for value in (0, 255):
        frame = camera(ManualClock(), Scene(plain(value), 60.0)).read(1.0)
        assert frame is not None
        assert np.abs(frame.image.astype(int) - value).max() < 20


def test_the_picture_shifts_by_a_pixel_or_two() -> None:
    scene = plain(0)
    scene[20:28, 30:38] = 255
    source = camera(ManualClock(), Scene(scene, 60.0))
    corners = set()
    for _ in range(30):
        frame = source.read(1.0)
        assert frame is not None
        rows, columns = np.nonzero(frame.image[:, :, 1] > 128)
        corners.add((int(rows.min()), int(columns.min())))
    assert len(corners) > 5
    assert all(abs(row - 20) <= 2 and abs(column - 30) <= 2 for row, column in corners)


def test_the_same_seed_makes_the_same_frames() -> None:
    one, other = (camera(ManualClock(), Scene(plain(90), 60.0)) for _ in range(2))
    for _ in range(3):
        a, b = one.read(1.0), other.read(1.0)
        assert a is not None
        assert b is not None
        assert np.array_equal(a.image, b.image)


def test_scenes_may_differ_in_size() -> None:
    source = camera(ManualClock(), Scene(plain(90), 0.1), Scene(plain(90, 96, 128), 60.0))
    shapes = [f.image.shape for f in (source.read(1.0) for _ in range(2)) if f is not None]
    assert shapes == [(48, 64, 3), (96, 128, 3)]


def test_a_dead_camera_costs_its_timeout_and_may_come_back() -> None:
    clock = ManualClock()
    source = camera(clock, Scene(plain(90), 60.0))
    source.silent = True
    before_s = clock.now().monotonic_s
    with pytest.raises(UnavailableError, match="no frame"):
        source.read(3.0)
    assert clock.now().monotonic_s == before_s + 3.0
    source.silent = False
    assert source.read(3.0) is not None


def test_a_rate_slower_than_the_timeout_is_a_camera_without_frames() -> None:
    source = camera(ManualClock(), Scene(plain(90), 60.0), fps=0.5)
    assert source.read(1.0) is not None
    with pytest.raises(UnavailableError):
        source.read(1.0)
    assert source.read(1.0) is not None


@pytest.mark.parametrize(("height", "width"), [(100, 400), (400, 100), (37, 41), (1, 1)])
def test_a_photograph_fits_whole_and_in_proportion(height: int, width: int) -> None:
    scene = fit_scene(plain(255, height, width), 320, 240)
    assert scene.shape == (240, 320, 3)
    rows, columns = np.nonzero(scene[:, :, 0] == 255)
    seen_height, seen_width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert seen_height == 240 or seen_width == 320
    assert seen_width / seen_height == pytest.approx(width / height, rel=0.02)


# --- the thermometer ------------------------------------------------------------------------------


def thermometer(clock: ManualClock, **more) -> SimulatedThermometer:
    return SimulatedThermometer(36.0, now_s=lambda: clock.now().monotonic_s, **more)


def test_readings_are_noisy_in_the_parts_own_steps() -> None:
    part = thermometer(ManualClock(), noise_c=0.1)
    readings = [part.read().temperature_c for _ in range(200)]
    assert len(set(readings)) > 10
    assert all(abs(c / 0.02 - round(c / 0.02)) < 1e-6 for c in readings)
    assert sum(readings) / len(readings) == pytest.approx(36.0, abs=0.05)
    assert part.reads == 200


def test_drift_grows_with_time() -> None:
    clock = ManualClock()
    part = thermometer(clock, noise_c=0.0, drift_c_per_s=0.01)
    clock.advance(100.0)
    assert part.read().temperature_c == pytest.approx(37.0)


def test_a_script_is_followed_by_the_clock() -> None:
    clock = ManualClock()
    part = thermometer(clock, noise_c=0.0, script=[(2.0, 39.0), (1.0, 38.0)])
    seen = []
    for _ in range(4):
        seen.append(part.read().temperature_c)
        clock.advance(1.0)
    assert seen == pytest.approx([36.0, 38.0, 39.0, 39.0])


def test_a_stuck_part_repeats_itself_to_the_last_digit() -> None:
    part = thermometer(ManualClock())
    part.stuck = True
    part.temperature_c = 40.0
    assert {part.read().temperature_c for _ in range(10)} == {36.0}


def test_a_garbled_answer_is_no_reading() -> None:
    part = thermometer(ManualClock())
    part.garbled = True
    with pytest.raises(UnavailableError, match="check"):
        part.read()

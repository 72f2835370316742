"""What is installed and clashes: packages and modules that are put beside the real ones."""

from pathlib import Path

import pytest

from agent.app.desk.examined.software import software_found
from agent.errors import UnavailableError


def package(folder: Path, name: str) -> None:
    notes = folder / f"{name.replace('-', '_')}-4.0.dist-info"
    notes.mkdir()
    (notes / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 4.0\n")


def test_versions_are_told() -> None:
    said = software_found(picamera=False)
    assert "Python 3." in said
    assert "numpy 2" in said


def test_a_module_for_another_numpy_is_told_where_a_camera_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "simplejpeg.py").write_text("raise ValueError('numpy.dtype size changed')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert software_found(picamera=False)
    with pytest.raises(UnavailableError, match="size changed") as told:
        software_found(picamera=True)
    assert "simplejpeg>=1.9" in str(told.value)


def test_two_packages_in_one_place_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(tmp_path, "opencv-python")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UnavailableError, match="lie over each other") as told:
        software_found(picamera=False)
    assert "pip uninstall opencv-python" in str(told.value)

"""A photograph on which a library fails is an error of its own line; the others are answered."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import cv2
import numpy as np
import pytest

from agent.domain.sight.comparison import ReferenceIndex
from agent.operations.people.identify import Bar, identify
from agent.vision.packs.manifest import read_manifest


@pytest.mark.parametrize("error", [cv2.error("OpenCV(4)"), MemoryError(), RuntimeError()])
def test_identify_goes_on(tmp_path: Path, error: BaseException) -> None:
    def detect(image: np.ndarray, _smallest: int) -> list[NoReturn]:
        if image.mean() > 200:
            raise error
        return []

    for name, value in (("light.png", 250), ("dark.png", 20)):
        cv2.imwrite(str(tmp_path / name), np.full((64, 64, 3), value, np.uint8))
    files = [str(tmp_path / name) for name in ("light.png", "dark.png")]
    engine = SimpleNamespace(detect=detect, manifest=read_manifest("dlib"))
    bar = Bar(0.0, 0.0, lambda _: False)
    light, dark = identify(files, cast(Any, engine), cast(ReferenceIndex, None), bar)
    assert light.error is not None
    assert str(error) not in light.error or not str(error)
    assert (dark.error, dark.faces) == (None, ())

"""Opens the photographs of ID documents with what the reader's maker supplies.

The format (WLT) is closed, and no decoder ships with the agent: the config names the maker's as
``module:function``, a function from the 1,024 bytes of the chip to an array of height x width x 3
(blue, green, red). It runs in this process and is trusted as much as the agent itself; what it
raises and what it returns is not.
"""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from agent.domain.foreign.boundary import boundary
from agent.domain.sight.image import Image
from agent.errors import RefusedError, UnavailableError

_LARGEST_PX = 4096
_FIX = "name the decoder of the reader's maker as module:function, installed beside the agent"


class MakersPhotoDecoder:
    """Implements ``ports.PhotoDecoder`` by the function that ``named`` leads to."""

    def __init__(self, named: str) -> None:
        """Import it.

        Raises:
            UnavailableError: there is no such function.
        """
        self._named = named
        self._function = _load(named)

    def decode(self, photo: bytes) -> Image:
        """The photograph: height x width x 3, blue-green-red, a copy.

        Raises:
            RefusedError: ``unreadable_photo``: the decoder fails, or returns no image.
        """
        with boundary("photograph", lambda: _refused(f"{self._named} fails on it")):
            image = np.array(self._function(photo))
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise _refused(f"{self._named} returns no image")
        if not (0 < image.shape[0] <= _LARGEST_PX and 0 < image.shape[1] <= _LARGEST_PX):
            raise _refused(f"{self._named} returns an image of no possible size")
        return np.ascontiguousarray(image)


def _load(named: str) -> Callable[[bytes], Any]:
    module, _, name = named.partition(":")
    if not module or not name:
        raise UnavailableError(f"{named!r} names no decoder", _FIX)
    try:
        found = getattr(importlib.import_module(module), name, None)
    except Exception as error:  # foreign code may raise anything while it is imported
        kind = type(error).__name__
        raise UnavailableError(f"the decoder {named} cannot be imported: {kind}", _FIX) from error
    if not callable(found):
        raise UnavailableError(f"there is no function {name} in {module}", _FIX)
    function: Callable[[bytes], Any] = found
    return function


def _refused(why: str) -> RefusedError:
    return RefusedError("unreadable_photo", f"the document's photograph cannot be opened: {why}")

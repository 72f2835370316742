"""Whether bytes are a recording that the gate may play: a WAV file held to bounds."""

import io
import wave

import numpy as np

from agent.domain.foreign.boundary import boundary
from agent.errors import RefusedError

LONGEST_S = 15.0
_SHORTEST_S = 0.1
LARGEST_BYTES = 3_000_000
_RATES_HZ = range(8_000, 48_001)
_QUIETEST = 200
"""Of 32767: a loudest sample below that is silence in a street."""


def check_wav(content: bytes) -> float:
    """The length in seconds of a WAV file: PCM, 16 bits, one or two channels, not silent.

    Raises:
        RefusedError: it is something else, too long, cut short, or silent.
    """
    if len(content) > LARGEST_BYTES:
        raise _refused(f"is larger than {LARGEST_BYTES} bytes")
    with (
        boundary("recording", lambda: _refused("is no WAV file (PCM)"), RefusedError),
        wave.open(io.BytesIO(content)) as stream,
    ):
        channels, width, rate, count = stream.getparams()[:4]
        if width != 2 or channels not in (1, 2) or rate not in _RATES_HZ:
            raise _refused("is not 16 bits, 1 or 2 channels, 8000 to 48000 Hz")
        if not _SHORTEST_S <= count / rate <= LONGEST_S:
            raise _refused(f"does not last {_SHORTEST_S} to {LONGEST_S:g} s")
        samples = np.frombuffer(stream.readframes(count), "<i2")
    if samples.size != count * channels:
        raise _refused("is cut short")
    if int(np.abs(samples.astype(np.int32)).max()) < _QUIETEST:
        raise _refused("is silent")
    return float(count / rate)


def _refused(why: str) -> RefusedError:
    return RefusedError("recording_unusable", why)

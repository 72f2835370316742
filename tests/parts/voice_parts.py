"""WAV files for tests, and a synthesiser that is quick and says how often it was asked."""

import io
import wave

import numpy as np


def wav(
    seconds: float = 0.5,
    *,
    rate: int = 16_000,
    channels: int = 1,
    width: int = 2,
    loud: int = 8000,
    hz: float = 440.0,
) -> bytes:
    """A tone."""
    count = round(seconds * rate)
    tone = np.sin(np.arange(count) * (2 * np.pi * hz / rate)) * loud
    samples = np.repeat(tone.astype("<i2"), channels)
    made = io.BytesIO()
    with wave.open(made, "wb") as stream:
        stream.setnchannels(channels)
        stream.setsampwidth(width)
        stream.setframerate(rate)
        stream.writeframes(samples.tobytes() if width == 2 else bytes(count * channels * width))
    return made.getvalue()


class Tones:
    """A synthesiser: another tone for another text."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, text: str, voice: str, words_per_minute: int) -> bytes:
        self.asked.append(text)
        return wav(0.2, hz=200.0 + sum(map(ord, text)) % 2000)

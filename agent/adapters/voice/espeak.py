"""Makes speech of text by the program espeak-ng (Debian's package of that name).

The text goes in by stdin and is no argument, no file name and no shell's business; ``--`` ends the
options. The program is given seconds, and what it wrote is looked at before it is believed.
"""

import subprocess
import tempfile
from pathlib import Path

from agent.errors import UnavailableError

PROGRAM = "espeak-ng"
_TIMEOUT_S = 10.0
_FIX = (
    "install it: apt-get install espeak-ng; or install recordings: gate-agent voice prepare --from"
)


def synthesise(text: str, voice: str, words_per_minute: int, *, program: str = PROGRAM) -> bytes:
    """A WAV file (22050 Hz, 16 bits, mono) of ``text``, spoken by ``voice``.

    Raises:
        UnavailableError: the program is missing, does not know the voice, or did not end in 10 s.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="gate-agent-voice-")
    except OSError as error:
        raise UnavailableError(
            f"there is no room for a spoken text: {error.strerror or error}",
            "free space where temporary files lie",
        ) from error
    with folder as place:
        made = Path(place) / "said.wav"
        command = [
            program,
            *("-v", voice),
            *("-s", str(words_per_minute)),
            *("-b", "1"),  # UTF-8, whatever the locale
            "-z",  # no pause at the end
            *("-w", str(made)),
            "--stdin",
            "--",
        ]
        try:
            done = subprocess.run(  # noqa: S603 - a list, no shell; the text goes in by stdin
                command,
                input=text.encode(),
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except FileNotFoundError as error:
            raise UnavailableError(f"the program {program} is not installed", _FIX) from error
        except subprocess.TimeoutExpired as error:
            message = f"{program} did not end within {_TIMEOUT_S:g} s"
            raise UnavailableError(message) from error
        except OSError as error:
            raise UnavailableError(f"{program} cannot be run: {error.strerror}", _FIX) from error
        if done.returncode != 0 or not made.is_file():
            # What it complains of holds no text of ours: the voice, or its own files.
            why = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            message = f"{program} failed with the voice {voice}: {' '.join(why) or 'no file'}"
            raise UnavailableError(message, "see espeak-ng --voices")
        try:
            return made.read_bytes()
        except OSError as error:
            raise UnavailableError(f"what {program} wrote cannot be read: {error}") from error

"""What a dead agent's outputs need: each opened at rest by another process, in bounded time.

kill -9 during a pulse leaves the relay energised with nobody to end the pulse, so the service's
ExecStopPost comes here. It cannot rely on the config alone: the file may have been changed, or
broken, since the agent read it. So the agent records the outputs before it opens them, and

    secured = the config's outputs + the recorded ones on pins that the config does not name

The record says of which config its outputs are. Where that is still the one, it says all, and the
config need not be understood: that is most of the time and the whole of the imports that it takes.
"""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import UnavailableError
from agent.operations.places import OUTPUTS_RECORD

if TYPE_CHECKING:  # see above: the ports would bring numpy
    from agent.ports import Door

_TIMEOUT_S = 2.0
_CONFIG = "config"


@dataclass(frozen=True, slots=True)
class OutputLine:
    """What it takes to put one output at rest; ``pin`` is a BCM number."""

    door: str
    pin: int
    active_high: bool
    pin_factory: str
    pins_file: str | None = None

    @property
    def line(self) -> tuple[str, str | None, int]:
        """The line itself: two outputs with the same one are the same relay."""
        return self.pin_factory, self.pins_file, self.pin


def record_outputs(
    folder: Path, outputs: Sequence[OutputLine], config: bytes | None = None
) -> None:
    """Write down which outputs this agent is about to drive, before it opens the first.

    ``config`` is the file that they are of, where they are all of its outputs.

    Raises:
        UnavailableError: the folder cannot be written to; then no output may be driven.
    """
    path = folder / OUTPUTS_RECORD
    draft = path.with_name(f".{OUTPUTS_RECORD}.new")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Private however the umask stands; the record is replaced, so an older one does not matter.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            of = {} if config is None else {_CONFIG: hashlib.sha256(config).hexdigest()}
            json.dump([asdict(output) | of for output in outputs], file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        fix = "make the state directory writable for the agent"
        raise UnavailableError(f"{path}: {error.strerror}", fix) from error


def recorded_outputs(folder: Path) -> tuple[OutputLine, ...]:
    """What ``record_outputs`` last wrote; nothing where it never did.

    Raises:
        UnavailableError: there is a record that cannot be read.
    """
    path = folder / OUTPUTS_RECORD
    try:
        return tuple(_output(item) for item in json.loads(path.read_bytes()))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UnavailableError(
            f"{path} cannot be read", "start the agent: it is rewritten"
        ) from error


def recorded_of(folder: Path, config: Path) -> tuple[OutputLine, ...]:
    """The recorded outputs where they are those of ``config`` as it stands there now; else none.

    Raises:
        OSError, ValueError, TypeError, KeyError: one of the two cannot be read.
    """
    digest = hashlib.sha256(config.read_bytes()).hexdigest()
    items = json.loads((folder / OUTPUTS_RECORD).read_bytes())
    if any(item[_CONFIG] != digest for item in items):
        return ()
    return tuple(_output(item) for item in items)


def merge_outputs(
    configured: Iterable[OutputLine], recorded: Iterable[OutputLine]
) -> tuple[OutputLine, ...]:
    """Every line once: as the config has it, else as it was recorded."""
    merged = {output.line: output for output in recorded}
    merged.update({output.line: output for output in configured})
    return tuple(merged.values())


def secure_outputs(
    outputs: Iterable[OutputLine],
    opens: "Callable[[OutputLine], Door]",
    timeout_s: float = _TIMEOUT_S,
) -> dict[str, str]:
    """Secure and close every output; what failed, by door. One that fails spares no other.

    ``opens`` takes an output at rest. Each has ``timeout_s``; one that hangs is left to its thread.
    """
    failed = {}
    for output in outputs:
        problem = _secure(output, opens, timeout_s)
        if problem is not None:
            failed[output.door] = problem
    return failed


def _secure(
    output: OutputLine, opens: "Callable[[OutputLine], Door]", timeout_s: float
) -> str | None:
    problems = [f"GPIO {output.pin} did not answer within {timeout_s:g} s"]

    def work() -> None:
        try:
            door = opens(output)
            door.secure()
            door.close()
            problems.clear()
        except Exception as error:  # noqa: BLE001 - told to the caller, and the next output has its turn
            problems[:] = [str(error)]

    thread = threading.Thread(target=work, name=f"secures {output.door}", daemon=True)
    thread.start()
    thread.join(timeout_s)
    return problems[0] if problems else None


def _output(item: dict[str, object]) -> OutputLine:
    door, pin, factory, file = item["door"], item["pin"], item["pin_factory"], item["pins_file"]
    if not (isinstance(door, str) and isinstance(factory, str) and isinstance(pin, int)):
        raise TypeError("no output")
    return OutputLine(
        door, pin, item["active_high"] is True, factory, file if isinstance(file, str) else None
    )

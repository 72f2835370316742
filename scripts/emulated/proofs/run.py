"""One run of the proofs: the guest, who listens at the broker, and what was given along."""

from dataclasses import dataclass
from pathlib import Path

from mosquitto import Mosquitto, Subscriber

from emulated.proofs.kiosk import Kiosk


@dataclass(slots=True)
class Run:
    """What every proof is handed. ``times``: how often the power is cut in each proof of it."""

    kiosk: Kiosk
    server: Mosquitto
    subscriber: Subscriber
    folder: Path
    log: Path
    photograph: Path | None = None
    update: Path | None = None
    times: int = 1

"""Those who look at the frames, as the controller speaks to them."""

import structlog

from agent.app.camera_worker import CameraWatcher
from agent.app.credentials import CredentialDesk
from agent.controller.combination import Claim
from agent.vision.watch import ClaimedFace

_log = structlog.get_logger(__name__)


class Eyes:
    """Implements ``executor.Vision`` over every camera's watcher."""

    def __init__(self, desk: CredentialDesk) -> None:
        self._desk = desk
        self._watchers: dict[str, CameraWatcher] = {}

    def add(self, camera: str, watcher: CameraWatcher) -> None:
        """From now on ``camera`` is looked at by ``watcher``."""
        self._watchers[camera] = watcher

    def settle(self, camera: str, track: int) -> None:
        """The track has had its attempt."""
        self._watchers[camera].settle(track)

    def compare(self, camera: str, claim: Claim | None) -> None:
        """Compare faces 1:1 with the claim's holder from now on; None stops that."""
        face = None
        if claim is not None:
            face = ClaimedFace(claim.id, claim.holder, self._desk.template_of(claim.id))
        self._watchers[camera].compare(face)

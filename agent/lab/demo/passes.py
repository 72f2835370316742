"""The demo's issuer: a pass, a forged one, and one that carries a face."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.adapters.store.keys import load_key
from agent.credentials.passes.issuers import IssuerKey
from agent.credentials.passes.pass_template import CommunityKey, PassTemplate
from agent.domain.sight.image import Image
from agent.operations.passes.issue import PassRequest, issue_pass, qr_code
from agent.operations.passes.keys import make_community_key

ISSUER = "demo-office"
_BITS = 8
_DAY = timedelta(days=1)


class PassOffice:
    """Issues passes for the demo's community, and draws them as a phone shows them."""

    def __init__(self, community_key: Path) -> None:
        make_community_key(community_key)
        self._community = CommunityKey(load_key(community_key))
        self._key = Ed25519PrivateKey.generate()
        self._forger = Ed25519PrivateKey.generate()

    @property
    def issuer(self) -> IssuerKey:
        """What the kiosk is told to trust."""
        return IssuerKey(ISSUER, self._key.public_key())

    def draw(
        self,
        holder: str,
        category: str,
        *,
        template: PassTemplate | None = None,
        forged: bool = False,
    ) -> Image:
        """A phone with a pass for today."""
        now = datetime.now(UTC)
        request = PassRequest(
            issuer=ISSUER,
            holder=holder,
            category=category,
            communities=("demo",),
            valid_from=now - _DAY,
            valid_until=now + _DAY,
        )
        sealed = None if template is None else (template, _BITS, self._community)
        issued = issue_pass(request, self._forger if forged else self._key, now, sealed)
        rows = np.array(list(qr_code(issued.text).matrix_iter(border=4)))
        code = np.where(rows > 0, 20, 235).astype(np.uint8)
        side = 420
        image = np.full((480, 640, 3), 60, np.uint8)
        large = cv2.resize(code, (side, side), interpolation=cv2.INTER_AREA)
        image[30 : 30 + side, 110 : 110 + side] = large[:, :, None]
        return image

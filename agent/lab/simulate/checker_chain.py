"""Whether what the broker got hangs together: by the page of the contract, not by the gate's code.

invariant                   the events
chain_broken                an event does not carry the link of the one before it, a value does not
                            fit its commitment, or a checkpoint names another link
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import rfc8785

from agent.lab.simulate.checker_probes import Report

Place = tuple[str, int]
_ORIGIN = "0" * 64


class Chain:
    """The events of every epoch, in whichever order they came."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._links: dict[Place, tuple[str, str]] = {}
        self.checkpoints = 0

    def take(self, at_s: float, place: Place, body: Mapping[str, Any]) -> None:
        """An event that came for the first time."""
        data = body["data"]
        known, salts = data.get("commitments", {}), data.get("salts", {})
        for field, salt in salts.items():
            if _hashed([salt, field, data.get(field)]) != known.get(field):
                self._broken(at_s, place, f"{field} does not fit its commitment")
        opened = {key: one for key, one in data.items() if key not in known and key != "salts"}
        link = hashlib.sha256(rfc8785.dumps({**body, "data": opened})).hexdigest()
        self._links[place] = (str(body.get("previous")), link)
        if body["type"] == "gate.journal.checkpoint":
            self.checkpoints += 1
            if data["link"] != body.get("previous"):
                self._broken(at_s, place, "the checkpoint names another link")

    def finish(self, at_s: float) -> None:
        """Hold each event against the one before it, where that came."""
        for (epoch, sequence), (previous, _) in self._links.items():
            before = self._links.get((epoch, sequence - 1))
            wanted = _ORIGIN if sequence == 1 else previous if before is None else before[1]
            if previous != wanted:
                self._broken(at_s, (epoch, sequence), "it follows another event")

    def _broken(self, at_s: float, place: Place, why: str) -> None:
        self._report.violated(at_s, "chain_broken", sequence=place[1], why=why)


def _hashed(value: Any) -> str:
    digest = hashlib.sha256(rfc8785.dumps(value)).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")

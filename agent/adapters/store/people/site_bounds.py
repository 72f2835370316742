"""The bound of the people's own scores that is in force, beside the people."""

import json
import math

from agent.adapters.store.people.registry_file import RegistryFile
from agent.domain.foreign.json_text import read_json


class SiteBounds(RegistryFile):
    """Implements ``ports.BoundMemory``; what is kept is no change of who may come in."""

    def site_bound(self, pack: str, pack_version: str) -> tuple[float, ...] | None:
        """What was kept last; None where nothing was, or it is no list of finite numbers."""
        query = "SELECT scores FROM site_bound WHERE pack = ? AND pack_version = ?"
        found = self._rows(query, pack, pack_version)
        if not found or not isinstance(found[0][0], str):
            return None
        try:
            scores = read_json(found[0][0])
        except ValueError:
            return None
        if not isinstance(scores, list):
            return None
        whole = all(isinstance(one, float) and math.isfinite(one) for one in scores)
        return tuple(scores) if whole else None

    def keep_site_bound(self, pack: str, pack_version: str, bound: tuple[float, ...]) -> None:
        """Remember it, in the place of the one before."""
        if self.site_bound(pack, pack_version) == bound:
            return
        row = (pack, pack_version, json.dumps(bound))
        self._write(
            lambda: self._connection.execute("REPLACE INTO site_bound VALUES (?, ?, ?)", row),
            counts=False,
        )

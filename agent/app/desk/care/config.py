"""The config of a backup on its way back: collected while the state is read, put back after it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePath

from agent.adapters.store.keys import key_path
from agent.app.open.site import Site
from agent.config.load import config_in
from agent.errors import ConfigError
from agent.operations.care.archive import Entry, odd
from agent.operations.care.config_files import FOLDER, MOST_BYTES, Part, Placed, checked, put_back

_DEPTH, _MOST_FILES = 2, 200


class ComingConfig:
    """Takes what of a backup is the config's; ``place`` is where it is to lie, None: nowhere."""

    def __init__(self, place: Path | None) -> None:
        self._place = place
        self._parts: list[Part] = []

    def takes(self, entry: Entry, content: Iterator[bytes]) -> bool:
        """Whether the file is the config's; then it was read.

        Raises:
            RefusedError: ``odd_backup``: it claims to be, and no agent makes such a one.
        """
        place = PurePath(entry.name)
        if place.parts[0] != FOLDER:
            return False
        many = len(self._parts) >= _MOST_FILES
        if many or len(place.parts) != _DEPTH or entry.size > MOST_BYTES:
            raise odd("a file in it is none of the config's")
        self._parts.append(Part(place.name, b"".join(content)))
        return True

    @property
    def parts(self) -> Sequence[Part]:
        """What came, once all of the backup was read.

        Raises:
            RefusedError: ``odd_backup``: a file that the config does not name.
        """
        return checked(self._parts)

    @property
    def size(self) -> int:
        """Bytes of it."""
        return sum(len(one.content) for one in self._parts)

    def site(self, site: Site) -> Site:
        """The site as this config has it, where there was none: the key may lie elsewhere."""
        parts = self.parts
        if site.config is not None or self._place is None or not parts:
            return site
        if site.key_file != key_path(None, site.state):
            return site
        try:
            file = config_in(parts[0].content.decode("utf-8-sig"), self._place)
        except (ConfigError, UnicodeDecodeError):
            return site  # another version's: it is put back, and the start says what is wrong
        said = file.config.store.key_file
        key = key_path(None if said is None else file.resolve(said), site.state)
        return replace(site, key_file=key)

    def put_back(
        self, made: datetime, *, successor: bool, dry_run: bool = False
    ) -> tuple[Placed, ...]:
        """Lay it where it is to lie, over nothing that is there; ``made``: when the backup was."""
        if self._place is None or not self._parts:
            return ()
        return tuple(put_back(self.parts, self._place, made, successor=successor, dry_run=dry_run))

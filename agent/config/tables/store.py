"""[store]: what is kept."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from agent.config.base import FilePath, Table
from agent.config.whole import Finding, Whole


class BackupConfig(Table):
    """Copies that ``gate-agent backup`` makes by itself: where, how many, and sealed by what."""

    folder: Annotated[FilePath, Field(description="on another disk than the state; never made")]
    keep: Annotated[int, Field(ge=1, le=1000, description="the newest stay, older ones go")] = 7
    passphrase_file: Annotated[
        FilePath | None,
        Field(description="mode 0600; default: systemd's credential backup.passphrase"),
    ] = None
    models: Annotated[bool, Field(description="model packs too")] = True
    same_disk: Annotated[bool, Field(description="allow the disk that the state lies on")] = False
    max_age_days: Annotated[
        float, Field(ge=0.1, le=400, description="an older newest one is the fault backup")
    ] = 3.0


class StoreConfig(Table):
    """What is kept and for how long."""

    key_file: Annotated[
        FilePath | None,
        Field(description="of the gallery; default: in the state folder, beside what it opens"),
    ] = None
    keep_photographs: Annotated[bool, Field(description="of enrolments")] = False
    snapshot_max_age_s: Annotated[
        float,
        Field(ge=5, le=3600, description="how long the gate decides by a registry it cannot read"),
    ] = 60.0
    journal_days: Annotated[
        int,
        Field(
            ge=1, le=3650, description="events are kept so long; what the broker lacks, nameless"
        ),
    ] = 90
    journal_mb: Annotated[
        int,
        Field(ge=16, le=100_000, description="the journal's file uses so many megabytes at most"),
    ] = 1000
    journal_events: Annotated[
        int,
        Field(ge=1000, le=100_000_000, description="the journal holds so many events at most"),
    ] = 2_000_000
    written_mb_a_day: Annotated[
        int,
        Field(
            ge=1,
            le=1_000_000,
            description="more written to the card a day is told, and thinned out",
        ),
    ] = 50
    backup: Annotated[
        BackupConfig | None, Field(description="copies of all this, made by a timer")
    ] = None

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """What a stolen card tells, and photographs of people that outlive their enrolment."""
        if whole.one(cls).key_file is None:
            message = (
                "[store] key_file: unless systemd hands it over, the gallery's key lies in the"
                " state folder beside what it opens: a stolen card tells every name and every"
                " face's template"
            )
            yield ("store", "key_file"), message
        if whole.one(cls).keep_photographs:
            message = "[store] keep_photographs: enrolment photographs are kept"
            yield ("store", "keep_photographs"), message

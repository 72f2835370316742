"""[voice]: what the gate says, and when it keeps its voice down."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from agent.config.base import FilePath, Name, Table, WallTime
from agent.config.tables.access_point import ids_of_points
from agent.config.whole import Finding, Whole, known
from agent.domain.access.hints import LANGUAGE_PATTERN

_DEVICE_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:,=-]{0,63}$"

Language = Annotated[str, Field(pattern=f"^{LANGUAGE_PATTERN}$")]
"""A language's name: ``zh``, ``en``, ``pt-BR``."""


class QuietConfig(Table):
    """The hours of the kiosk's time zone in which the gate keeps its voice down; may pass midnight.

    Lights go on; of what is said only urgent and emergency announcements are.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True
    )

    from_: Annotated[WallTime, Field(alias="from", description="when it begins")]
    until: Annotated[WallTime, Field(description="when it ends")]

    @model_validator(mode="after")
    def _some_hours(self) -> Self:
        if self.from_ == self.until:
            raise ValueError("from and until are the same: leave quiet out, or name two hours")
        return self


class VoiceConfig(Table):
    """The loudspeaker of one access point; ``simulated`` plays nothing and says what it would.

    ``languages`` are spoken one after the other. ``device`` is ALSA's name of the output.
    ``speak_text`` lets announcements be free text instead of prepared messages only.
    """

    kind: Annotated[
        Literal["none", "aplay", "simulated"],
        Field(description="aplay: ALSA; simulated: logs what it would play"),
    ] = "none"
    access_point: Annotated[
        Name | None, Field(description="of [[access_point]]: where the loudspeaker is")
    ] = None
    languages: Annotated[
        tuple[Language, ...],
        Field(min_length=1, max_length=4, description="spoken one after the other"),
    ] = ("zh", "en")
    device: Annotated[
        Annotated[str, Field(pattern=_DEVICE_PATTERN)] | None,
        Field(description="of aplay -L; default: ALSA's own"),
    ] = None
    texts: Annotated[FilePath | None, Field(description="a folder of the community's own")] = None
    announcements: Annotated[bool, Field(description="say what the broker announces")] = True
    speak_text: Annotated[bool, Field(description="free text too; else prepared messages only")] = (
        False
    )
    quiet: Annotated[
        QuietConfig | None, Field(description="only urgent announcements are said")
    ] = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind != "none" and self.access_point is None:
            raise ValueError(f"kind = '{self.kind}' needs access_point: where the loudspeaker is")
        if self.speak_text and not self.announcements:
            raise ValueError("speak_text goes with announcements = true")
        if len(set(self.languages)) < len(self.languages):
            raise ValueError("languages names one twice")
        return self

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """A loudspeaker at no access point."""
        voice = whole.one(cls)
        if voice.access_point is not None:
            yield from known(("voice", "access_point"), voice.access_point, ids_of_points(whole))

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """A loudspeaker that is none; whether the texts are there is not the config's to know."""
        if whole.one(cls).kind == "simulated":
            yield ("voice", "kind"), "the voice is simulated: nobody hears it"

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Its kind."""
        return {"voice": whole.one(cls).kind}

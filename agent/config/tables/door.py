"""[[door]]: a relay, or a turnstile's two.

Pins are BCM numbers; polarity and pull are always said, never guessed.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from agent.config.base import Name, Pin, PinsTable
from agent.config.tables.schedule import ScheduleConfig
from agent.config.whole import UNREAD, Finding, Whole, known, repeated


class DoorConfig(PinsTable):
    """One door with its relay, or one turnstile with a relay for each direction.

    ``lock`` says what the lock does without power; ``energised`` what an energised relay means.
    """

    id: Annotated[Name, Field(description="what access points call it")]
    kind: Annotated[
        Literal["gpio", "turnstile"],
        Field(description="gpio: one relay; turnstile: a relay for each direction"),
    ]
    pin: Pin = Field(description="the relay; of a turnstile the one that frees the entry")
    exit_pin: Pin | None = Field(None, description="kind = 'turnstile': frees the exit")
    active_high: Annotated[
        bool, Field(description="energised at this level; a wrong guess opens the gate")
    ]
    lock: Annotated[
        Literal["fail_secure", "fail_safe"], Field(description="what the lock does without power")
    ] = "fail_secure"
    energised: Annotated[
        Literal["released", "secured"],
        Field(description="what an energised relay does; secured: of fail_safe only"),
    ] = "released"
    pull_resistor: bool = Field(False, description="the relay board holds its input at rest")
    pulse_s: Annotated[
        float, Field(ge=0.1, le=30, description="so long the door is free after a grant")
    ] = 3.0
    max_pulse_s: Annotated[
        float, Field(ge=0.1, le=60, description="never longer at a time, whatever happens")
    ] = 10.0
    passage_window_s: Annotated[
        Annotated[float, Field(ge=0.5, le=120)] | None,
        Field(description="in which a grant may be used; default: pulse_s"),
    ] = None
    held_open_s: Annotated[
        float, Field(ge=1, le=3600, description="an open door is an alarm after so long")
    ] = 30.0
    free_passage_schedule: Name | None = Field(None, description="of [[schedule]]: stands free")
    lockdown_schedule: Name | None = Field(None, description="of [[schedule]]: locked down")

    @model_validator(mode="after")
    def _relays_fit_the_kind(self) -> Self:
        if (self.kind == "turnstile") != (self.exit_pin is not None):
            raise ValueError("exit_pin goes with kind = 'turnstile', and only with it")
        return self

    @model_validator(mode="after")
    def _pulse_within_maximum(self) -> Self:
        if self.pulse_s > self.max_pulse_s:
            raise ValueError(f"pulse_s = {self.pulse_s} exceeds max_pulse_s = {self.max_pulse_s}")
        if self.passage_window_s is not None and self.passage_window_s < self.pulse_s:
            raise ValueError(
                f"passage_window_s = {self.passage_window_s} is less than pulse_s = {self.pulse_s}:"
                " the door would be free for longer than anybody may pass"
            )
        return self

    @model_validator(mode="after")
    def _dead_kiosk_opens_no_gate(self) -> Self:
        if self.lock == "fail_secure" and self.energised == "secured":
            raise ValueError(
                "energised = 'secured' would power a fail-secure lock's release whenever the kiosk"
                " is dead; set energised = 'released', unless lock = 'fail_safe'"
            )
        return self

    @property
    def outputs(self) -> dict[str, int]:
        """The pin of each output by its name: a turnstile has one a direction."""
        if self.exit_pin is None:
            return {self.id: self.pin}
        return {f"{self.id}.entry": self.pin, f"{self.id}.exit": self.exit_pin}

    def output_for(self, direction: str) -> str:
        """The name of the output that frees this direction."""
        return self.id if self.kind == "gpio" else f"{self.id}.{direction}"

    @classmethod
    def findings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Names of doors and outputs used twice, and schedules that are none or no use."""
        doors = whole.rows(cls)
        yield from repeated("door", [door.id for door in doors])
        yield from _same_outputs(whole)
        schedules = [schedule.id for schedule in whole.rows(ScheduleConfig)]
        for i, door in enumerate(doors):
            for key in ("free_passage_schedule", "lockdown_schedule"):
                if (name := getattr(door, key)) is not None:
                    yield from known(("door", i, key), name, schedules, "[[schedule]] ")
            both = door.free_passage_schedule is not None
            if both and door.free_passage_schedule == door.lockdown_schedule != UNREAD:
                message = "is the free_passage_schedule too: lockdown would always win"
                yield ("door", i, "lockdown_schedule"), message

    @classmethod
    def warnings(cls, whole: Whole, /) -> Iterator[Finding]:
        """Doors that stand free, and those that do not move."""
        for i, door in enumerate(whole.rows(cls)):
            if door.free_passage_schedule is not None:
                message = (
                    f"door {door.id} stands free while {door.free_passage_schedule} holds"
                    " (free_passage_schedule): anybody may pass then"
                )
                yield ("door", i, "free_passage_schedule"), message
            if door.pin_factory != "lgpio":
                message = f"door {door.id} is simulated ({door.pin_factory}): no real output moves"
                yield ("door", i, "pin_factory"), message

    @classmethod
    def summary(cls, whole: Whole, /) -> dict[str, Any]:
        """Each with what moves its pins."""
        return {"doors": [f"{door.id} ({door.pin_factory})" for door in whole.rows(cls)]}


def _same_outputs(whole: Whole) -> Iterator[Finding]:
    """A turnstile's outputs are ``lane.entry`` and ``lane.exit``: no other door is called so."""
    owners: dict[str, str] = {}
    for i, door in enumerate(whole.rows(DoorConfig)):
        if whole.unsure("door", i, "id") or whole.unsure("door", i, "kind"):
            continue
        for name in door.outputs:
            owner = owners.setdefault(name, door.id)
            if owner != door.id:
                yield ("door", i, "id"), f"{name!r} is an output of {owner!r} too", "rename one"

"""The doctor's checks of what is kept and of the bus: pure, as those of ``checks``."""

from agent.operations.examination.facts import BusFact, DiskFact, InferenceFact, JournalFact
from agent.technician.verdict import Row, Verdict, failing, passed, warned

_LEAST_FREE_BYTES = 200_000_000
_LEAST_NODES = 0.02
_OLD, _OVER = 90, 100
_SPARE_LOW, _SPARE_GONE = 2, 3
_OFTEN = 0.1
_OFF = 0.02
"""Of a template of length 1, or a probability: more than processors differ by."""

# --- the I2C bus ----------------------------------------------------------------------------------

_ANSWERS = passed("its part answers, byte for byte", "the thermometer can be asked")
_NO_BUS = failing(
    "there is no such bus",
    "there is no temperature, and a rule that asks for one denies",
    "sudo raspi-config nonint do_i2c 0, then restart",
)
_SILENT = failing(
    "nobody answers at its address",
    "there is no temperature, and a rule that asks for one denies",
    "check its wiring and supply; where another address answers, address under [thermometer]",
)
_STUCK = failing(
    "the bus hangs",
    "a part holds it: no temperature until it lets go",
    "power the part off and on; check SDA and SCL for a short and for pull-ups",
)
_SPOILT = warned(
    "answers are spoilt on their way",
    "readings come late, and some not at all",
    "shorten or shield its wires and check the pull-ups",
)
_BROKEN = failing(
    "most answers are spoilt on their way",
    "there is no temperature for much of the time",
    "shorten or shield its wires, check the pull-ups; lower the bus's clock",
)


def bus(fact: BusFact) -> Verdict:
    """Who answers, and how well."""
    others = ", ".join(f"{one:#04x}" for one in fact.answering) or "nobody"
    said = f"/dev/i2c-{fact.bus}: answering: {others}"
    if fact.hangs:
        return Verdict(_STUCK, f"{said}, then it hung")
    if fact.wanted not in fact.answering:
        return Verdict(_SILENT, f"{said}; the {fact.part} should at {fact.wanted:#04x}")
    if fact.asked:
        said += f"; {fact.spoilt} of {fact.asked} answers failed their check (PEC)"
    if fact.spoilt:
        often = fact.spoilt > _OFTEN * fact.asked
        return Verdict(_BROKEN if often else _SPOILT, said)
    return Verdict(_ANSWERS, said)


# --- disk and journal -----------------------------------------------------------------------------

_ROOM = passed("there is room", "the journal has room")
_FULL = failing(
    "nearly full",
    "old events are given up, unsent",
    "free space: the journal needs some; see journal_days",
)
_NO_NODES = failing(
    "no more files can be made",
    "nothing new can be written, however much is free",
    "find the folder with too many small files: du --inodes -x / | sort -n | tail",
)
_WORN = warned(
    "the card is nearly worn out",
    "it will take no more writes one day: nothing is remembered then",
    "copy it to a new card soon",
)
_DEAD = failing(
    "the card is worn out",
    "what is written may be lost",
    "copy it to a new card now",
)


def disk(fact: DiskFact) -> Verdict:
    """Room, and wear."""
    said = f"{fact.free_bytes / 1e9:.1f} GB free"
    if fact.nodes is not None:
        said += f", {fact.nodes:.0%} of its inodes"
    if fact.written is not None:
        said += f"; {fact.written}"
    if fact.worn is not None:
        used = "more than all" if fact.worn > _OVER else f"{fact.worn}%"
        said += f"; the card has used {used} of its life"
    if fact.free_bytes < _LEAST_FREE_BYTES:
        return Verdict(_FULL, said)
    if fact.nodes is not None and fact.nodes < _LEAST_NODES:
        return Verdict(_NO_NODES, said)
    worn, spare = fact.worn or 0, fact.spare or 0
    if worn > _OVER or spare >= _SPARE_GONE:
        return Verdict(_DEAD, said)
    if worn >= _OLD or spare == _SPARE_LOW:
        return Verdict(_WORN, said)
    return Verdict(_ROOM, said)


_CHAINED = passed("its events follow each other", "nothing was taken out, changed or put in")
_FLAWED = failing(
    "events are missing, changed or not in their place",
    "what happened here cannot be proved by it",
    "gate-agent events verify",
)
_UNREAD = failing(
    "it cannot be read",
    "what happened here is not known, and may not be written down",
    "gate-agent events verify",
)


def journal(fact: JournalFact) -> Verdict:
    """Whether its chain holds."""
    said = f"{'all' if fact.whole else 'the newest'} {fact.events} events"
    if fact.flaws:
        return Verdict(_FLAWED, f"{said}: {'; '.join(fact.flaws)}")
    return Verdict(_CHAINED, said)


# --- the packs at work ----------------------------------------------------------------------------

_COMPUTES = passed("each pack answers as it should", "faces are compared as they were measured")
_UNKNOWN = warned(
    "of a pack no right answer is known",
    "it computes something; whether it is right is not known",
    "gate-agent evaluate, or take a pack that docs/packs.md names",
)
_MISTAKEN = failing(
    "a pack computes something else",
    "people are refused, or taken for each other",
    "gate-agent models install NAME; where that changes nothing, another release of onnxruntime",
)
_STILL = failing("a pack cannot be run", "no face is recognised, and the agent does not start")


def inference(facts: tuple[InferenceFact, ...]) -> Verdict:
    """Whether each answers a known picture as it did when it was made."""
    said = ", ".join(f"{one.pack} in {one.took_s * 1000.0:.0f} ms" for one in facts)
    wrong = [one for one in facts if not one.finite or (one.off or 0.0) > _OFF]
    if wrong:
        return Verdict(_MISTAKEN, f"{said}; not as it should: {_names(wrong)}")
    unknown = [one for one in facts if one.off is None]
    if unknown:
        return Verdict(_UNKNOWN, f"{said}; no answer is known of {_names(unknown)}")
    return Verdict(_COMPUTES, said)


def _names(facts: list[InferenceFact]) -> str:
    return ", ".join(one.pack for one in facts)


ROWS = (
    Row(
        "disk",
        "free space, inodes, and the wear that the card's controller tells",
        disk,
        (_ROOM, _FULL, _NO_NODES, _WORN, _DEAD),
        _FULL,
    ),
    Row(
        "journal",
        "the chain of the newest 2000 events; of all with --deep",
        journal,
        (_CHAINED, _FLAWED),
        _UNREAD,
        timeout_s=120.0,
    ),
    Row(
        "inference",
        "each pack's answer to a drawn picture, beside the known one; while no agent runs",
        inference,
        (_COMPUTES, _UNKNOWN, _MISTAKEN),
        _STILL,
        timeout_s=60.0,
    ),
    Row(
        "i2c bus",
        "which addresses answer, and twenty words by their check byte",
        bus,
        (_ANSWERS, _SILENT, _STUCK, _SPOILT, _BROKEN),
        _NO_BUS,
    ),
)
"""The checks of this module."""

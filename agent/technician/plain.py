"""The doctor's checks whose look says itself what it found, or by its error what is missing."""

from agent.operations.examination.facts import Doubtful
from agent.technician.verdict import Finding, Row, Verdict, failing, passed, warned


def plain_row(
    name: str, looks_at: str, well: str, meaning: str, doubt: Finding | None = None
) -> Row:
    """A check whose look says itself what it found, or by its error what is missing."""
    found = passed("it is well", well)

    def judge(said: str | Doubtful) -> Verdict:
        if isinstance(said, Doubtful):
            assert doubt is not None
            return Verdict(doubt, said.said)
        return Verdict(found, said)

    findings = (found,) if doubt is None else (found, doubt)
    return Row(name, looks_at, judge, findings, failing("it is not well", meaning))


PLAIN: dict[str, Row] = {
    row.name: row
    for row in (
        plain_row(
            "state directory",
            "whether this user may write it",
            "what happens can be written down",
            "the agent does not start",
        ),
        plain_row(
            "state files",
            "whether they are those that were there",
            "nothing was lost or put in its place",
            "the gate keeps to the stricter side until somebody accepts what is there",
        ),
        plain_row(
            "file owners",
            "whose the files of the state are, and who may open them",
            "the agent may use all of them, and nobody else",
            "the agent cannot use them, or others can read what is secret",
            warned(
                "some are open to others",
                "the closed folder around them is all that keeps others out",
                "gate-agent doctor --fix",
            ),
        ),
        plain_row(
            "unknown files",
            "what lies in the state folder and is not the agent's",
            "all there is the agent's",
            "nobody knows what it is",
            warned(
                "somebody put something there",
                "the agent lets it be, and no backup has it",
                "look at it, and take it away",
            ),
        ),
        plain_row(
            "service",
            "whether systemd starts it at boot",
            "the gate comes back after a power cut",
            "after a power cut nobody is let in until somebody starts it",
        ),
        plain_row(
            "card's config",
            "gate.toml of the boot partition",
            "the gate runs by it",
            "the gate goes on by the last config that was right",
        ),
        plain_row(
            "model pack",
            "its files by their hashes, for whom it was not measured",
            "faces can be recognised",
            "no face is recognised, and the agent does not start",
            warned(
                "nobody measured it for some people",
                "they may be refused, or taken for each other",
                "gate-agent gallery check",
            ),
        ),
        plain_row(
            "attack detection",
            "which packs run, and whether the config may do without",
            "what the config asks for is there",
            "the agent does not start so",
            warned(
                "none is installed, or not all",
                "a photograph of a resident may pass",
                "gate-agent models setup",
            ),
        ),
        plain_row(
            "registry",
            "holders and references, by the key",
            "all of them can be read",
            "some holders, or all, are not known at the gate",
        ),
        plain_row(
            "backup",
            "the newest one that the timer made",
            "this kiosk can be replaced",
            "who is known here dies with this card",
        ),
        plain_row(
            "gallery key",
            "that it is there, and where it lies",
            "references and names can be opened",
            "nobody is known by face",
        ),
        plain_row(
            "id reader", "its device", "cards can be read", "no document is read at this gate"
        ),
        plain_row(
            "reader ID",
            "that its pins can be had, and its wires are quiet",
            "cards can be read",
            "no card is read at its gate",
        ),
        plain_row(
            "kiosk keys",
            "the two by which it signs and opens, and where they lie",
            "the backend can believe this kiosk, and write to it sealed",
            "what it says is not believed, and what is sealed for it opens not",
            warned(
                "one is not there",
                "the next start makes another one, which the backend does not know",
                "gate-agent key init",
            ),
        ),
        plain_row(
            "software",
            "versions, and what is known to clash",
            "nothing clashes that is known to",
            "a part fails at its start, or in the middle",
        ),
        plain_row(
            "voice",
            "its program and its messages",
            "people hear what to do",
            "the gate is silent, in part or whole",
        ),
    )
}
"""Those whose look says itself what it found, by their names."""

INPUT = plain_row(
    "an input's ID",
    "what it says now",
    "it says what it should while nobody does anything",
    "the gate takes it for a press, an alarm or an open door",
)
PULSE = plain_row(
    "pulse DOOR",
    "one release, with --pulse",
    "the output obeys",
    "the door does not move as it is told",
)
OTHER = plain_row("another", "", "it is there", "it cannot be used")

"""Draws the access point's state table: the page shows what the code does, and nothing else."""

from collections import defaultdict

from agent.domain.door.access_point import TABLE, DoorInput, Output, State
from agent.lab.marks import between

_MARKS = {Output.RELEASE: "pulse", Output.HOLD: "hold", Output.SECURE: "rest"}


def diagram() -> str:
    """A Mermaid state diagram: every way from one state to another, by the inputs that lead there.

    What secures every state alike (a failed output, the agent's end) is left to the table.
    """
    ways: dict[tuple[State, State], list[str]] = defaultdict(list)
    for (state, happened), (after, _) in TABLE.items():
        if after is not state and happened not in (DoorInput.OUTPUT_FAILED, DoorInput.STOP):
            ways[state, after].append(happened.value)
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.SECURED.value}"]
    lines += [
        f"    {state.value} --> {after.value}: {', '.join(inputs)}"
        for (state, after), inputs in ways.items()
    ]
    return "\n".join([*lines, "```"])


def table() -> str:
    """The table whole, as Markdown: a row an input, a column a state.

    A cell names the next state where it is another, and what the output does where it does
    anything: pulse, hold, or rest.
    """
    states = list(State)
    rows = [
        "| input | " + " | ".join(state.value for state in states) + " |",
        "|---" * (len(states) + 1) + "|",
    ]
    for happened in DoorInput:
        cells = [_cell(state, *TABLE[state, happened]) for state in states]
        rows.append(f"| `{happened.value}` | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _cell(state: State, after: State, output: Output) -> str:
    words = [] if after is state else [f"**{after.value}**"]
    if output in _MARKS:
        words.append(_MARKS[output])
    return ", ".join(words) or "·"


def page(text: str) -> str:
    """``text`` with what stands between its marks drawn anew.

    Raises:
        ValueError: a mark is missing.
    """
    return between(between(text, "diagram", diagram()), "table", table())

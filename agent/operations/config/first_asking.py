"""One question of a first gate: what it offers, how its answer is judged, what is said of it.

An answer is put into the gate as it is so far and the config's own rules judge the whole: what they
object to is the answer's fault, because everything before was right.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from agent.operations.config.first_answers import header_position, shown
from agent.operations.config.first_found import Found
from agent.operations.config.first_gate import FirstGate, objection

Gives = Callable[[FirstGate, Found], Any]


class NotTakenError(ValueError):
    """An answer that may not stand there; the message says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question, and the option ``--name``.

    ``sets`` is the field of ``FirstGate`` that the answer becomes, ``may`` what may stand there.
    ``default`` gives the answer that is offered, None where there is none. ``asked`` says whether
    a person is asked or the default is taken in silence, ``needs`` whether it makes sense, and
    ``goes_with`` what it goes with otherwise. ``takes`` makes of the answer what else it changes,
    ``shows`` a word of the value again.
    """

    name: str
    asks: str
    may: str
    sets: str
    reads: Callable[[str], Any]
    default: Gives
    asked: Gives = lambda _gate, _found: True
    needs: Gives = lambda _gate, _found: True
    goes_with: str = ""
    takes: Callable[[FirstGate], Mapping[str, Any]] = lambda _gate: {}
    shows: Callable[[object], str] = shown

    @property
    def option(self) -> str:
        """The option that answers it."""
        return f"--{self.name}"


def answered(question: Question, word: str, gate: FirstGate, found: Found) -> FirstGate:
    """The gate with this answer.

    Raises:
        NotTakenError: it may not stand there.
    """
    try:
        value: Any = question.reads(word.strip())
        made = replace(gate, **{question.sets: value})
    except ValueError as error:
        raise NotTakenError(str(error)) from error
    made = replace(made, **question.takes(made))
    wrong = objection(made, found.pad)
    if wrong is not None:
        raise NotTakenError(wrong)
    return made


def remark(question: Question, gate: FirstGate) -> str | None:
    """What is good to know about an answer that was taken; None where nothing is."""
    value = getattr(gate, question.sets)
    if not question.sets.endswith("_pin") or value is None:
        return None
    pull = "up" if value <= 8 else "down"
    said = f"BCM {value} is pin {header_position(value)} of the header"
    if question.sets != "relay_pin":
        return said
    held = "a resistor holds the relay at rest" if gate.pull_resistor else "the relay stays at rest"
    return f"{said}; at power-on the Pi pulls it {pull}, and {held}"

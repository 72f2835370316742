"""Asks what a first gate is to be, a question at a time, or takes the answers from options.

What is asked and said meanwhile goes to stderr: stdout is for the answer.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import typer

from agent.cli.common import complain
from agent.cli.terminal.style import Meaning, plain, styled
from agent.errors import RefusedError
from agent.operations.config.first_asking import NotTakenError, Question, answered, remark
from agent.operations.config.first_found import Found
from agent.operations.config.first_gate import FirstGate
from agent.technician.verdict import Check

MOST_TRIES = 5
Usage = Callable[[str], object]
"""Ends the command as wrong usage, with a message."""
Tried = Callable[[Question, FirstGate], None]
"""Is told of each answer, to try what it names."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was said on the command line; ``answers`` by the names of the questions."""

    file: Path
    state: Path | None
    answers: Mapping[str, str]
    pull_resistor: bool
    asks: bool
    person: tuple[str, str] | None
    as_json: bool
    is_card: bool = False
    label: Path | None = None
    checks: list[Check] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Interview:
    """Who is asked, and what was said beforehand: ``given`` has answers by the questions' names.

    Nobody is asked where not ``asks``: what has no default is then wrong usage.
    """

    found: Found
    given: Mapping[str, str]
    asks: bool
    usage: Usage
    tried: Tried

    def gate(self, questions: tuple[Question, ...], begun: FirstGate) -> FirstGate:
        """The gate that the answers make.

        Raises:
            RefusedError: ``too_many_tries``.
        """
        gate = begun
        for question in questions:
            gate = self._settled(question, gate)
        return gate

    def _settled(self, question: Question, gate: FirstGate) -> FirstGate:
        word = self.given.get(question.name)
        if not question.needs(gate, self.found):
            if word is not None:
                self.usage(f"{question.option} goes with {question.goes_with}")
            return gate
        if word is not None:
            made = self._by_option(question, word, gate)
        elif self.asks and question.asked(gate, self.found):
            made = self._asked(question, gate)
        else:
            default = question.default(gate, self.found)
            if default is None:
                self.usage(f"Missing option '{question.option}': {question.may}")
            made = self._by_option(question, str(default), gate)
        self.tried(question, made)
        return made

    def _by_option(self, question: Question, word: str, gate: FirstGate) -> FirstGate:
        try:
            return answered(question, word, gate, self.found)
        except NotTakenError as error:
            self.usage(f"{question.option}: {_not_taken(word, error)}; {question.may}")
            raise

    def _asked(self, question: Question, gate: FirstGate) -> FirstGate:
        default = question.default(gate, self.found)
        for _ in range(MOST_TRIES):
            word = _prompt(question, default)
            try:
                made = answered(question, word, gate, self.found)
            except NotTakenError as error:
                complain(_not_taken(word, error))
                continue
            beside = remark(question, made)
            if beside is not None:
                note(beside)
            return made
        message = (
            f"no answer in {MOST_TRIES} tries\nFix: {question.option} with {question.may};"
            " nothing was written"
        )
        raise RefusedError("too_many_tries", message)


def note(text: str) -> None:
    """One line about what was answered, on stderr."""
    typer.echo(f"  {plain(text)}", err=True)


def secret(asks: str) -> str:
    """A word that nobody sees; empty for none."""
    word: str = typer.prompt(
        asks, default="", hide_input=True, show_default=False, err=True, prompt_suffix=": "
    )
    return word


def _prompt(question: Question, default: str | None) -> str:
    may = styled(f"  {question.may}", Meaning.QUIET, sys.stderr)
    typer.echo(f"\n{may}", err=True)
    word: str = typer.prompt(
        plain(question.asks), default=default or "", show_default=default is not None, err=True
    )
    return word


def _not_taken(word: str, error: NotTakenError) -> str:
    said = str(error)
    # An address may hold a login.
    shown = "" if "://" in word else f"{word!r}: "
    return f"{shown}{said}"

"""What the doctor may mend without a person's judgement, one step at a time.

    looked    each repair is planned from what lies there now: what is well plans nothing
    done      in the order of the plan; one that fails keeps no other from its turn
    again     what a repair itself left behind (root's files) is looked for once more

No repair moves a door, changes a threshold or a rule, or accepts what a person must accept.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from agent.errors import GateAgentError


@dataclass(frozen=True, slots=True)
class Repair:
    """One step; ``step`` says what it does, ``do`` does it and may raise."""

    check: str
    step: str
    do: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Mended:
    """A step that was tried; ``detail`` and ``fix`` say why it failed, and what to do then."""

    check: str
    step: str
    ok: bool
    detail: str | None = None
    fix: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)


def mended(
    plan: Callable[[], Iterable[Repair]], tell: Callable[[Mended], None] | None = None
) -> list[Mended]:
    """All that the plan has, done; ``tell`` hears of each as it is done. None of them raises."""
    tried: list[Mended] = []
    for _ in range(2):
        known = {(one.check, one.step) for one in tried}
        for repair in plan():
            if (repair.check, repair.step) in known:
                continue
            tried.append(_done(repair))
            if tell is not None:
                tell(tried[-1])
    return tried


def _done(repair: Repair) -> Mended:
    try:
        repair.do()
    except GateAgentError as error:
        said, _, fix = str(error).partition("\nFix: ")
        return Mended(repair.check, repair.step, ok=False, detail=said, fix=fix or None)
    except OSError as error:
        said = error.strerror or type(error).__name__
        return Mended(repair.check, repair.step, ok=False, detail=said)
    return Mended(repair.check, repair.step, ok=True)

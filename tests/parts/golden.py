"""Golden files: what people see, so that a change of it is seen in review.

``GATE_GOLDEN=write`` with the tests writes them anew; look at the difference, then commit it.
"""

import os

from places import ROOT

FOLDER = ROOT / "tests" / "golden"


def held(shown: str, name: str) -> None:
    """Fail where ``shown`` is not what the golden file of this name has."""
    file = FOLDER / name
    if os.environ.get("GATE_GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(shown, encoding="utf-8")
    assert file.is_file(), f"there is no {file.relative_to(ROOT)}: GATE_GOLDEN=write makes it"
    assert shown == file.read_text(encoding="utf-8")

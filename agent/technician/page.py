"""The table of all checks as docs/doctor.md has it."""

from agent.technician.checks import all_rows
from agent.technician.verdict import Finding

_ITS_OWN = "as the line says"


def table_text() -> str:
    """Markdown: a row a finding, under the check that finds it."""
    lines = ["| check | finds | result | means | fix |", "|---|---|---|---|---|"]
    for row in all_rows():
        shown = f"**{row.name}**: {row.looks_at}"
        for one in dict.fromkeys((*row.findings, row.missing)):
            cells = (shown, one.seen, one.status.value, one.meaning, _fix(one))
            lines.append(f"| {' | '.join(cells)} |")
            shown = ""
    return "\n".join(lines) + "\n"


def _fix(one: Finding) -> str:
    return "" if one.status.value == "pass" else one.fix or _ITS_OWN

"""Where ``gate-agent`` begins: one command goes a shorter way than all others.

gate-agent secure-outputs      the service's ExecStopPost, without options: what is needed, and
                               nothing of the command line
anything else, or not done     the command line, which says what is wrong
"""

import sys
from collections.abc import Sequence

_SHORT = ["secure-outputs"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == _SHORT and _secured():
        return 0
    from agent.cli.main import main as whole

    return whole(given)


def _secured() -> bool:
    from agent.app.desk.secure_known import secure_known
    from agent.app.open.paths import config_path, state_dir

    return secure_known(config_path(), state_dir())

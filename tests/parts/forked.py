"""Commands as processes of their own, forked from one that has their imports already.

A process that only says "no such file" costs a second of imports; this one pays them once a module.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from places import ROOT

WAY = (sys.executable, "-W", "ignore", str(Path(__file__).resolve()))


class Forked:
    """Runs ``gate-agent`` with these words, each time in a new process."""

    def __init__(self, server: subprocess.Popen[str], folder: Path) -> None:
        self._server, self._folder = server, folder

    def __call__(
        self, *arguments: object, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        words = [str(argument) for argument in arguments]
        out, err = self._folder / "out", self._folder / "err"
        asked = {"words": words, "environment": dict(environment), "files": [str(out), str(err)]}
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        print(json.dumps(asked), file=self._server.stdin, flush=True)
        code = int(self._server.stdout.readline())
        return subprocess.CompletedProcess(words, code, out.read_text(), err.read_text())


@contextmanager
def forked(folder: Path, drop: Sequence[str] = ()) -> Iterator[Forked]:
    """Such a runner; ``drop`` is a program that takes rights away, ``folder`` is for what is said.

    Files of what is said are made here, so whoever has no rights writes into what is open.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        [*drop, *WAY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    ) as server:
        yield Forked(server, folder)


def _serve() -> None:
    import importlib  # noqa: PLC0415 - only the server has to have all of it
    import pkgutil  # noqa: PLC0415 - as above

    from agent.cli.main import main  # noqa: PLC0415 - as above

    for heavy in ("agent.operations", "agent.app.open", "agent.app.desk"):
        package = importlib.import_module(heavy)
        for module in pkgutil.iter_modules(package.__path__, f"{heavy}."):
            importlib.import_module(module.name)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(asked)
            code = 70
            try:
                sys.argv = ["gate-agent", *asked["words"]]
                code = main()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(ended, flush=True)  # noqa: T201 - the process speaks to the test


def _become(asked: dict[str, object]) -> None:
    files, environment = asked["files"], asked["environment"]
    assert isinstance(files, list)
    assert isinstance(environment, dict)
    signal.alarm(60)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)


if __name__ == "__main__":
    _serve()

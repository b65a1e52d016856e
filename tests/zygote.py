"""Runs of the command that can be killed: processes forked from one that has everything imported, so that most of a
run is work and not import.

As a script it reads one JSON list of words from each line, forks, runs them as ``metroon WORDS`` and tells the child's
process id, and its end.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ended:
    """How a process ended: its code, negative for a signal, and what it wrote."""

    code: int
    told: str
    seconds: float


@dataclass
class Zygote:
    """A process from which runs are forked.

    Args:
        folder: Where what the runs write is kept.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Zygote:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1", **self.environment},
        )  # fmt: skip
        assert self._read() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()
        assert self._process.stdout
        self._process.stdout.close()

    def run(self, *words: str, kill_after_s: float | None = None, limit: int | None = None) -> Ended:
        """Run ``metroon WORDS``, killed after some time unless it has ended.

        It may write no file longer than a limit, where one is given.
        """
        assert self._process.stdin
        out = self.folder / "told.txt"
        asked = {"words": words, "out": str(out), "limit": limit}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        pid, began = int(self._read()), time.monotonic()
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        code = int(self._read())
        return Ended(code, out.read_text(errors="replace"), time.monotonic() - began)

    def _read(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


def _serve() -> None:
    from metroon import audit, catalog, cli, explain, flow, scorecard, serve, verb, verification  # noqa: F401

    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        ours, theirs = os.pipe()  # a pipe grows beyond no limit of files
        pid = os.fork()
        if not pid:
            os.dup2(theirs, 1)
            os.dup2(theirs, 2)
            code = 1
            if asked["limit"] is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (asked["limit"], asked["limit"]))
            try:
                cli.main(asked["words"])
            except SystemExit as end:
                code = int(end.code or 0)
            except BaseException:  # noqa: BLE001  # told, and the process ends
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(code)
        print(json.dumps(pid), flush=True)
        os.close(theirs)
        with open(ours, "rb") as told:
            Path(asked["out"]).write_bytes(told.read())
        _, status = os.waitpid(pid, 0)
        print(json.dumps(os.waitstatus_to_exitcode(status)), flush=True)


if __name__ == "__main__":
    _serve()

"""The commands on a page, run as a reader would: in the order of the page, in one folder.

What runs: a ``bash`` block as it stands; in a ``console`` block each line after ``$``, whose output must hold the
lines shown below it, in their order (``...`` stands for anything); a ``diff`` block as an edit of the file that it
names. ``console exit=2`` says that the block's last command ends with that code; every other command must end with 0.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^```(?P<kind>\w+)(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_MINUTES = 2


@dataclass(frozen=True)
class Block:
    """One block of a page."""

    kind: str
    info: str
    text: str
    where: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = _FENCE.finditer(text)
    return [
        Block(m["kind"], m["info"].strip(), m["text"], f"{page.name}:{text[: m.start()].count(chr(10)) + 1}")
        for m in found
    ]


def walk(page: Path, folder: Path) -> int:
    """Run a page in a folder; returns how many commands and edits there were."""
    steps = {"bash": _bash, "console": _console, "diff": _edit}
    return sum(steps[b.kind](b, folder) for b in blocks(page) if b.kind in steps)


def _bash(block: Block, folder: Path) -> int:
    _run(block.text, folder, block.where, 0)
    return 1


def _console(block: Block, folder: Path) -> int:
    steps = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    code = re.search(r"exit=(\d+)", block.info)
    for at, step in enumerate(steps):
        command, _, shown = re.sub(r"\\\n", "", step).partition("\n")
        expected = int(code[1]) if code and at == len(steps) - 1 else 0
        output = _run(command, folder, block.where, expected)
        missing = _missing(shown, output)
        assert not missing, f"{block.where}: `{command}` did not print\n  {missing}\nbut\n{output}"
    return len(steps)


def _missing(shown: str, output: str) -> str:
    """The first shown line that the output lacks, looked for in order, wherever the output breaks its lines."""
    real, at = " ".join(output.split()), 0
    for line in (" ".join(line.split()) for line in shown.splitlines()):
        words = ".*?".join(re.escape(part.strip()) for part in line.split("..."))
        found = re.compile(rf"(?<!\S){words}" if words[:1] != "." else words).search(real, at)
        if found is None:
            return line
        at = found.end()
    return ""


def _edit(block: Block, folder: Path) -> int:
    name = re.search(r"^\+\+\+ (\S+)$", block.text, re.MULTILINE)
    assert name, f"{block.where}: an edit names its file in a line that begins with +++"
    lines = [line for line in block.text.splitlines() if not line.startswith(("---", "+++", "@@"))]
    before = "\n".join(line[1:] for line in lines if line[:1] in (" ", "-"))
    after = "\n".join(line[1:] for line in lines if line[:1] in (" ", "+"))
    file = folder / name[1]
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{block.where}: {name[1]} holds {text.count(before)} times\n{before}\nin\n{text}"
    file.write_text(text.replace(before, after), encoding="utf-8")
    return 1


def _run(command: str, folder: Path, where: str, code: int) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("METROON_")}
    environment = {**kept, "PATH": path, "COLUMNS": "100", "PYTHONUTF8": "1", "NO_COLOR": "1"}
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", command],
        cwd=folder, env=environment, text=True, encoding="utf-8", timeout=60 * _MINUTES, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == code, f"{where}: `{command}` ended with {done.returncode}, not {code}:\n{done.stdout}"
    return done.stdout

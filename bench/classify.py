"""How well suggested classes agree with a labelled set of invented columns: precision and recall of each class.

    .venv/bin/python bench/classify.py [--misses]

The set is tests/guard/labelled.py: a tuned part, which may be looked at, and a held-out part, which is only counted.
"""

from __future__ import annotations

import csv
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from metroon.collect.profile import profile
from metroon.guard.suggest import suggest

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "guard"))
from labelled import NOT_DIRECT, Labelled, columns, is_right  # the tests' folder is no package

ROWS = 400
CLASSES = ("direct", "linkage key", "sensitive", "quasi", "free text", "internal", "public")


def classified(part: str, seed: int = 2026) -> list[tuple[Labelled, str]]:
    """Every column of a part with the class that is suggested for it."""
    listed = columns(part)
    chance = random.Random(f"{part} {seed}")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "columns.csv")
        with file.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow([c.header for c in listed])
            for n in range(ROWS):
                writer.writerow(["" if chance.random() < c.empty else c.made(chance, n) for c in listed])
        found = profile(file)
    by_header = {c.header: suggest(c).classification for c in found.columns}
    return [(c, by_header[c.header]) for c in listed]


def scores(found: list[tuple[Labelled, str]]) -> list[tuple[str, int, float, float]]:
    """(Class, columns of it, precision, recall); lookalikes count against a class that they are taken for."""
    told = []
    for name in CLASSES:
        of = [(c, s) for c, s in found if c.label == name]
        said = [(c, s) for c, s in found if s == name]
        right = sum(s == name for _, s in of)
        kept = sum(is_right(c.label, s) for c, s in said)
        told.append((name, len(of), kept / len(said) if said else 1.0, right / len(of)))
    alike = [(c, s) for c, s in found if c.label in NOT_DIRECT]
    told.append(("lookalikes", len(alike), 1.0, sum(is_right(c.label, s) for c, s in alike) / len(alike)))
    return told


def main() -> None:
    """Both parts, as Markdown."""
    for part in ("tuned", "held out"):
        began = time.process_time()
        found = classified(part)
        print(f"\n{part}: {len(found)} columns of {ROWS} rows, {time.process_time() - began:.1f} s\n")
        print("| class | columns | precision | recall |\n| --- | ---: | ---: | ---: |")
        for name, n, precision, recall in scores(found):
            print(f"| {name} | {n} | {precision:.2f} | {recall:.2f} |")
        if "--misses" in sys.argv and part == "tuned":
            for c, s in found:
                if not is_right(c.label, s):
                    print(f"  {c.header!r}: {c.label}, said {s}")
        if "--misses" in sys.argv:
            wrong = Counter((c.label, s) for c, s in found if not is_right(c.label, s))
            print(" ", *(f"{a} as {b}: {n};" for (a, b), n in wrong.most_common()))


if __name__ == "__main__":
    main()

"""Problems: everything that a person who edits the city repo can put right.

A problem is a value, so that many can be told at once. ``Refused`` carries them up
when the walk cannot go on. No problem ever shows a value from a data row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_HIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, order=True)
class Problem:
    """One fault, told so that a steward can act on it.

    Args:
        file: The file it is in, as the reader would type it; empty when it is in none.
        line: The line in that file, from 1; 0 when no single line is at fault.
        code: A stable code; each has a paragraph in docs/reference/problems.md.
        what: What is wrong, in the reader's words. Never a value from a person's row.
        fix: What to type or whom to ask. Never empty.

    Example:
        >>> print(Problem("product.yaml", 2, "K101", "collect has no kind 'cvs'.", "Did you mean 'csv'?"))
        product.yaml:2
          K101: collect has no kind 'cvs'.
          Fix: Did you mean 'csv'?
    """

    file: str = field(compare=True)
    line: int
    code: str
    what: str
    fix: str

    def __post_init__(self) -> None:
        if not self.fix:
            raise ValueError("a problem without a fix helps nobody")
        for name in ("file", "what", "fix"):
            # What stands in somebody's file must not move the cursor of whoever reads of it.
            object.__setattr__(self, name, _HIDDEN.sub("\N{REPLACEMENT CHARACTER}", getattr(self, name)))

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return "\n".join([*([place] if place else []), f"  {self.code}: {self.what}", f"  Fix: {self.fix}"])


class Refused(Exception):  # noqa: N818  # a decision, not a crash
    """The walk stops here, before anything is half done; ``problems`` says why.

    Example:
        >>> Refused([Problem("city.yaml", 1, "Y101", "no name.", "Add name: Your City")]).problems[0].code
        'Y101'
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(p) for p in self.problems))


def cannot(error: OSError) -> Problem:
    """A file that could not be read or written, such as on a full disk, as a problem."""
    what = f"it could not be read or written ({error.strerror or type(error).__name__})."
    fix = "Check free space and rights of the folder; the last good versions stay."
    return Problem(str(error.filename or ""), 0, "L101", what, fix)

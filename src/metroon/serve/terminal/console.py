"""The terminal: how text, headings, tables and problems look there, in a pipe, and in a picture."""

from __future__ import annotations

import html
import io
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich.console import Console, Group
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from metroon.serve.terminal.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from rich.console import ConsoleOptions, RenderableType, RenderResult

    from metroon.base.errors import Problem
    from metroon.serve.terminal.words import Sign

# The sixteen colours of the reader's own theme, never fixed ones: they hold on light and dark grounds.
STRONG, QUIET = "bold", "dim"
DATA, GOOD, WATCH, BAD = "cyan", "green", "yellow", "red"
KEPT, BROKEN, LATE, SAME = "✓", "✗", "!", "="
WIDEST = 120
INVENTED = "INVENTED CITY: every person and number here is made up"
_BIDI = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ASCII = str.maketrans("✓✗·–─│┼●▲▼╌▁▂▃▄▅▆▇█×…", "+x;--|+o^v?_.,-=+*#x.")


def text(words: str, style: str = "") -> Text:
    r"""Words from anywhere, shown as they are: no markup, no control codes, no change of direction.

    Example:
        >>> text("a [red]name[/red]\x1b[31m").plain
        'a [red]name[/red]�[31m'
    """
    kept = (c if c == "\n" or (unicodedata.category(c) != "Cc" and c not in _BIDI) else "�" for c in words)
    return Text("".join(kept), style=style)


def line(*parts: str | tuple[str, str] | Text) -> Text:
    """One line of plain words and (words, style) pairs."""
    out = Text()
    for part in parts:
        one = part if isinstance(part, Text) else text(*part) if isinstance(part, tuple) else text(part)
        out.append_text(one)
    return out


def flow(parts: Iterable[str | Text], style: str = "") -> Fit:
    """Facts with a dot between them; a fact that does not fit goes whole to the next line.

    Args:
        parts: Facts; empty ones are left out.
        style: Of those that are plain words.
    """
    told = [p if isinstance(p, Text) else text(p, style) for p in parts if p]
    return Fit(lambda width, _: Group(*folded(told, width)))


def folded(facts: Sequence[Text], width: int) -> list[Text]:
    """Lines of facts with a dot between them, each as full as the width lets it be."""
    rows: list[Text] = []
    for fact in facts:
        if rows and rows[-1].cell_len + 3 + fact.cell_len <= width:
            rows[-1] = line(rows[-1], (" · ", QUIET), fact)
        else:
            rows.append(fact)
    return rows


def shortened(words: str, most: int) -> str:
    """The words, cut between two of them where they are too long.

    Example:
        >>> shortened("event_at is no timestamp in the declared format", 30)
        'event_at is no timestamp in …'
    """
    if len(words) <= most:
        return words
    kept = words[: most - 1].rsplit(" ", 1)[0]
    return f"{kept[: most - 2]} …"


def indented(part: RenderableType, left: int) -> Padding:
    """A part moved to the right; its continued lines too."""
    return Padding(part, (0, 0, 0, left), expand=False)


@dataclass(frozen=True)
class Fit:
    """A part that is built when its room is known.

    Args:
        build: Takes the width in characters and whether lines may be drawn (false in a pipe).
    """

    build: Callable[[int, bool], RenderableType]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.build(options.max_width, options.is_terminal and not options.ascii_only)


@dataclass(frozen=True)
class Page:
    """Parts below each other, with a margin, no trailing blanks, and only signs that the output can show."""

    parts: tuple[RenderableType, ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        narrow = options.update(width=min(options.max_width, WIDEST))
        margin = 2 if options.is_terminal else 0
        body = Padding(Group(*self.parts), (0, margin, 0, margin), expand=False)
        for segments in console.render_lines(body, narrow, pad=False):
            yield from _without_trailing_blanks(segments, options.encoding)
            yield Segment.line()


@dataclass(frozen=True)
class _Spread:
    """The same picture with blanks apart from words: not every SVG reader keeps blanks inside a text."""

    part: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segments in console.render_lines(self.part, options, pad=False):
            for segment in segments:
                runs = re.split(r"( {2,}|^ | $)", segment.text)
                yield from (Segment(run, segment.style) for run in runs if run)
            yield Segment.line()


def _without_trailing_blanks(segments: list[Segment], encoding: str) -> list[Segment]:
    shown = [Segment(legible(s.text, encoding), s.style, s.control) for s in segments]
    while shown and not shown[-1].text.strip():
        shown.pop()
    # A coloured ground keeps its blanks: they are seen.
    if shown and not (shown[-1].style and shown[-1].style.reverse):
        shown[-1] = Segment(shown[-1].text.rstrip(), shown[-1].style, shown[-1].control)
    return shown


def legible(words: str, encoding: str) -> str:
    """The same words with signs that the output's encoding has.

    Example:
        >>> legible("✓ 79.7 % (78.6–80.8)", "ascii")
        '+ 79.7 % (78.6-80.8)'
    """
    if encoding.lower().startswith("utf"):
        return words
    return words.translate(_ASCII).encode(encoding, "replace").decode(encoding)


def banner(is_invented: bool) -> list[RenderableType]:
    """What is said wherever an invented city shows; nothing for a real one."""

    def build(_: int, is_drawn: bool) -> RenderableType:
        return text(f" {INVENTED} " if is_drawn else INVENTED, f"{STRONG} {WATCH} reverse")

    return [Fit(build)] if is_invented else []


def heading(words: str, style: str = STRONG, *, aside: str = "", after: int = 1) -> Fit:
    """A section's name as it is given; in a terminal a hairline runs on to the edge.

    Args:
        words: The name.
        style: Of the name.
        aside: Quiet words behind it.
        after: Empty lines below.
    """

    def build(width: int, is_drawn: bool) -> RenderableType:
        title, beside = text(words, style), text(aside, QUIET)
        is_long = title.cell_len + 2 + beside.cell_len > width
        if aside and not is_long:
            title = line(title, "  ", beside)
        rule = "─" * (width - title.cell_len - 1) if is_drawn else ""
        below = [beside] if is_long else []
        return Group(Text(""), line(title, (f" {rule}", QUIET)), *below, *[Text("")] * after)

    return Fit(build)


def grid(
    rows: Sequence[Sequence[str | Text]],
    *,
    right: Iterable[int] = (),
    widths: Sequence[int] = (),
    head: Sequence[str] = (),
) -> Table:
    """Aligned columns without boxes.

    Args:
        rows: Cells, as many in each row.
        right: Columns whose numbers end at the same place.
        widths: Fixed width of each column, 0 for as needed; so that several grids line up.
        head: Column names; none when empty.

    Returns:
        A table two blanks apart; a cell too long for its column goes on in the next line.
    """
    table = Table(box=None, show_header=bool(head), padding=(0, 2, 0, 0), pad_edge=False, header_style=QUIET)
    ends = set(right)
    for i in range(len(head) or max((len(r) for r in rows), default=0)):
        justify: Literal["left", "right"] = "right" if i in ends else "left"
        width = widths[i] or None if i < len(widths) else None
        name = text(head[i]) if head else ""
        table.add_column(name, justify=justify, width=width, overflow="fold")
    for row in rows:
        table.add_row(*(c if isinstance(c, Text) else text(c) for c in row))
    return table


def labelled(rows: Iterable[tuple[str, RenderableType]], width: int = 10) -> Table:
    """Facts with a quiet word before each; what is too long goes on below itself.

    Args:
        rows: Word and fact.
        width: Characters of the widest word.
    """
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=width)
    table.add_column(overflow="fold")
    for label, fact in rows:
        table.add_row(text(label, QUIET), fact)
    return table


def signed(sign: Sign, *, before: str = "", after: str = "") -> Text:
    """A sign with its words; a colour is only added.

    Args:
        sign: Sign and words.
        before: Plain words before.
        after: Plain words behind.
    """
    style = {"good": GOOD, "bad": BAD}.get(sign.mood, "")
    return line(before, (str(sign), style), after)


def problem_lines(problem: Problem) -> RenderableType:
    """One problem in the words of ``str(problem)``."""
    place = f"{problem.file}:{problem.line}" if problem.line else problem.file
    parts: list[RenderableType] = [text(place, DATA)] if place else []
    parts.append(indented(line((f"{problem.code}: ", BAD), (problem.what, STRONG)), 2))
    parts.append(indented(line(("Fix: ", GOOD), problem.fix), 2))
    return Group(*parts)


def problems(found: Iterable[Problem]) -> RenderableType:
    """Every problem, sorted by file and line, and how many there are."""
    told = sorted(set(found))
    if not told:
        return Page((line((f"{KEPT} ", GOOD), "No problems found."),))
    files = len({p.file for p in told if p.file})
    where = f" in {counted(files, 'file')}" if files else ""
    parts: list[RenderableType] = []
    for problem in told:
        parts += [problem_lines(problem), Text("")]
    return Page((*parts, line((f"{BROKEN} {counted(len(told), 'problem')}{where}.", f"{STRONG} {BAD}"))))


_PORTAL_DARK = TerminalTheme(
    (15, 23, 27),
    (234, 240, 241),
    [
        (15, 23, 27),
        (255, 160, 140),
        (127, 209, 155),
        (243, 197, 107),
        (124, 196, 228),
        (200, 170, 220),
        (111, 199, 192),
        (234, 240, 241),
    ],
)
"""The portal's dark palette, in the order of the terminal's eight colours."""

# Rich's own frame fetches its font from a CDN; ours asks the reader's machine and nothing else.
_FRAME = """\
<svg class="metroon-picture" role="img" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<title>@TITLE@</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font: bold 16px system-ui, "DejaVu Sans", sans-serif; opacity: 0.7; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def picture(renderable: RenderableType, title: str, width: int = 112) -> str:
    """What the terminal would show, as an SVG that loads nothing from anywhere.

    Args:
        renderable: A scoreboard, a table, problems.
        title: Stands above it and is read aloud in its place.
        width: Characters in a line.

    Returns:
        One SVG document; the same input gives the same bytes.
    """
    console = Console(
        record=True,
        width=width,
        height=25,  # with a height given, Rich does not ask the terminal for either
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
        no_color=False,
        highlight=False,
    )
    console.print(_Spread(renderable))
    svg = console.export_svg(title=title, theme=_PORTAL_DARK, code_format=_FRAME, font_aspect_ratio=0.602)
    without_buttons = re.sub(r'<g transform="translate\(26,22\)">.*?</g>', "", svg, flags=re.DOTALL)
    return without_buttons.replace("@TITLE@", html.escape(text(title).plain), 1)

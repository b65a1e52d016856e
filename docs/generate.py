"""Write the generated parts of these pages from the code: the command, the kinds, the keys of the city's files.

A generated part stands between ``<!-- generated: NAME -->`` and ``<!-- end -->``; the words around it are written
by hand and stay. Run it after a change of the command, of a kind, or of a key:

    python docs/generate.py              write
    python docs/generate.py --check      only tell what is not up to date
    python docs/generate.py --picture    make docs/pictures/run.svg: a real run of the demo
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import inspect
import re
import sys
import tempfile
import textwrap
import types
from contextlib import chdir
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

DOCS = Path(__file__).parent
_PART = re.compile(r"<!-- generated: (?P<name>[\w ./]+) -->\n(?P<body>.*?)<!-- end -->", re.DOTALL)


def pages() -> dict[Path, str]:
    """Every page that has a generated part -> its text as it should be."""
    return {page: _filled(page) for page in sorted(DOCS.rglob("*.md")) if _PART.search(page.read_text("utf-8"))}


def _filled(page: Path) -> str:
    def part(found: re.Match[str]) -> str:
        what, _, which = found["name"].partition(" ")
        body = "\n".join(PARTS[what](which) if which else PARTS[what]())
        return f"<!-- generated: {found['name']} -->\n{body.strip()}\n<!-- end -->"

    return _PART.sub(part, page.read_text("utf-8"))


# The command


def command() -> Iterator[str]:
    """Every verb: how it is called, what it does, its options."""
    from metroon.cli import main

    for name, verb in _verbs(main):
        context = click.Context(verb, info_name=f"metroon {name}")
        yield from (f"## `metroon {name}`", "", "```text", verb.get_usage(context).removeprefix("Usage: "), "```", "")
        yield from (*_sentences(inspect.cleandoc(verb.help or "")), "")
        rows = [_option(p, context) for p in verb.params if isinstance(p, click.Option)]
        yield from (*_table(("option", "what it does"), rows), "")


def _verbs(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, verb in group.commands.items():
        if not verb.hidden:
            yield before + name, verb
        if isinstance(verb, click.Group):
            yield from _verbs(verb, f"{before}{name} ")


def _option(option: click.Option, context: click.Context) -> tuple[str, str]:
    signs = ", ".join(f"`{o}`" for o in option.opts)
    value = "" if option.is_flag else f" `{option.make_metavar(context)}`"
    default = f" Default: {option.default}." if isinstance(option.default, str) else ""
    return signs + value, f"{option.help or ''}{default}".strip()


# The kinds


def room_kinds(room: str) -> Iterator[str]:
    """Every kind of one room: its manual page, and the keys that are its own."""
    from metroon.base import kinds

    shared = _noun(room).model_fields
    for name in kinds.names(room):
        kind = kinds.find(room, name, kinds.Kind)
        yield from (f"### `kind: {name}`", "", *_sentences(_before_sections(kind)))
        yield from (*_keys(kind, without=shared), "")


def shared_keys(room: str) -> Iterator[str]:
    """The keys that every kind of one room has."""
    yield from _keys(_noun(room))


def _noun(room: str) -> type[BaseModel]:
    from metroon.base.engine import EngineKind
    from metroon.base.kinds import Kind
    from metroon.collect import Source
    from metroon.guard import Technique
    from metroon.measure import Indicator
    from metroon.review import Question

    nouns: dict[str, type[BaseModel]] = {
        "base": EngineKind,
        "collect": Source,
        "guard": Technique,
        "measure": Indicator,
        "review": Question,
    }
    return nouns.get(room, Kind)


# The keys of the city's files


def keys(which: str) -> Iterator[str]:
    """The keys of one part of a file of the city repo, or of a measure's file."""
    from metroon.city import city, glossary, holds, inventory, people, plan, protocols, stories
    from metroon.collect import increments
    from metroon.measure import declared

    modules = (city, plan, people, inventory, glossary, stories, protocols, holds, declared, increments)
    yield from _keys(next(getattr(m, which) for m in modules if hasattr(m, which)))


def promises() -> Iterator[str]:
    """What becomes of every word that the standard has for a promise."""
    from metroon.conform.unchecked import AGREED, OPTIONS, USES

    parts = {
        "a column": USES["column"], "a rule": USES["rule"], "`type` of a rule": USES["type"],
        "`metric` of a rule": USES["metric"], "a reference": USES["reference"], "an agreement": USES["agreed"],
        **{f"`logicalTypeOptions` of {name}": keys for name, keys in OPTIONS.items() if keys},
    }  # fmt: skip
    yield "| of | checked | words | refused | told, and no promise |"
    yield "| --- | --- | --- | --- | --- |"
    for name, keys in parts.items():
        found = (", ".join(f"`{k}`" for k, use in keys.items() if use == way) for way in
                 ("checked", "words", "refused", "told"))  # fmt: skip
        yield f"| {name} | {' | '.join(found)} |"
    yield f"| `property` of an agreement | {', '.join(f'`{name}`' for name in AGREED)} | all others | | |"


def rule_operators() -> Iterator[str]:
    """The operators of a quality rule."""
    from metroon.conform.threshold import OPERATORS

    yield from _table(("key", "the number must"), [(f"`{k}`", words) for k, (words, _) in OPERATORS.items()])


def release_columns() -> Iterator[str]:
    """The columns of a release."""
    from metroon.base.estimate import Cell, Estimate
    from metroon.serve import ESTIMATE_COLUMNS

    told = {**_arguments(Cell), **_arguments(Estimate)}
    yield from _table(("column", "what it holds"), [(f"`{c}`", told.get(c, _OWN.get(c, ""))) for c in ESTIMATE_COLUMNS])


_OWN = {
    "measure": "The measure's name.",
    "version": "Number of the release.",
    "unit": "What one unit of the value is.",
    "place_name": "What people call the place.",
    "vintage": "Which edition of the boundaries.",
    "official": "Whether an authority has adopted the boundaries.",
}


def states() -> Iterator[str]:
    """Why a value is there or not."""
    from metroon.serve.terminal.words import STATES

    yield from _table(("state", "what a reader sees"), [(f"`{state}`", words) for state, words in STATES.items()])


def signs(which: str) -> Iterator[str]:
    """What a page of numbers shows, as a sign with its words."""
    from metroon.serve.terminal import words

    told = {**getattr(words, which.upper())}
    yield from _table(("what it is", "what a reader sees"), [(f"`{name}`", f"{sign}") for name, sign in told.items()])


def changed() -> Iterator[str]:
    """What counts as a change, the most telling first."""
    from metroon.base.scorecard import RANKS

    yield from _table(("rank", "what changed"), [(f"{i}", f"`{kind}`") for i, kind in enumerate(RANKS, 1)])


def false_alarms() -> Iterator[str]:
    """How often each rule set flags a series in which nothing changed."""
    from metroon.measure.signals import RuleSet, false_alarms

    rules = get_args(RuleSet)
    head = ("periods", *(f"`{r}`: {what} flagged" for r in rules for what in ("the last period", "any period")))
    rows = []
    for points in (12, 24, 36, 60, 120):
        found = [false_alarms(points, rules=r) for r in rules]
        each = [(f"{100 * f.last_point:.1f} %", f"{100 * f.any_point:.0f} %") for f in found]
        rows.append((f"{points}", *(text for pair in each for text in pair)))
    yield from _table(head, rows)


# The portal


def page_paths() -> Iterator[str]:
    """Every page of the portal: its path, what it is, whether it has data."""
    from metroon.serve.app import PAGES
    from metroon.serve.page import Page

    rows = []
    for page in sorted(PAGES, key=lambda p: p.path):
        has_data = type(page).data is not Page.data and page.path != "/"
        about = _before_sections(type(page)).partition("\n")[0].replace("``", "`")
        rows.append((f"`{page.path}`", about, "yes" if has_data else "no"))
    yield from _table(("path", "what it is", "data"), rows)


def doors() -> Iterator[str]:
    """Every door: its standard, and where to begin."""
    from metroon.base import kinds
    from metroon.serve.door import Door

    found = [kinds.find("serve", name, Door) for name in kinds.names("serve")]
    rows = [(d.title, d.standard, f"`{d.start}`") for d in sorted(found, key=lambda d: d.title)]
    yield from _table(("door", "standard", "begin at"), rows)


def row_parameters() -> Iterator[str]:
    """What rows may be asked with."""
    from metroon.serve.row_parameters import ROW_PARAMETERS

    yield from _table(("parameter", "what it does"), [(f"`{p.name}`", p.description) for p in ROW_PARAMETERS])


def row_comparisons() -> Iterator[str]:
    """How a column may be compared."""
    from metroon.serve.query import OPS
    from metroon.serve.row_parameters import _WORDS

    yield from _table(("write", "rows in which the column is"), [(f"`COLUMN__{op}=`", _WORDS[op]) for op in OPS])


def answers() -> Iterator[str]:
    """What a door says when it cannot answer."""
    from metroon.serve.trouble import TROUBLES

    rows = [(f"`{slug}`", f"{status}", when) for slug, (status, _, when) in TROUBLES.items()]
    yield from _table(("type", "status", "when"), rows)


def server_limits() -> Iterator[str]:
    """What a server lets itself be asked."""
    from metroon.serve.limits import Limits

    told = _arguments(Limits)
    named = {f.name: f.default for f in dataclasses.fields(Limits) if f.name not in ("hosts", "per_second")}
    yield from _table(("limit", "is", "meaning"), [(f"`{n}`", f"{v:,.0f}", told[n]) for n, v in named.items()])


def answer_headers() -> Iterator[str]:
    """What every answer says to browsers."""
    from metroon.serve.headers import HEADERS

    yield from _table(("header", "value"), [(f"`{name}`", f"`{value}`") for name, value in HEADERS.items()])


def clients() -> Iterator[str]:
    """What other people's programs were seen doing at the doors, as the tests wrote it down."""
    lines = (DOCS / "reference" / "clients.tsv").read_text("utf-8").splitlines()[1:]
    rows = sorted(tuple(line.split("\t")) for line in lines)
    for door in dict.fromkeys(row[0] for row in rows):
        yield from (f"### {door}", "")
        yield from (*_table(("client", "what it did"), [(c, call) for d, c, call in rows if d == door]), "")


# How a key is told


def _keys(model: type[BaseModel], without: Container[str] = ()) -> Iterator[str]:
    told = {k: v for c in reversed(model.__mro__) if issubclass(c, BaseModel) for k, v in _told(c).items()}
    rows = [
        (f"`{field.alias or name}`", _words(field.annotation), _default(field), told.get(name, ""))
        for name, field in model.model_fields.items()
        if name not in without
    ]
    yield from _table(("key", "holds", "if left out", "meaning"), rows)


def _told(model: type[BaseModel]) -> dict[str, str]:
    return {**_arguments(model), **_beside_fields(model)} if model.__module__.startswith("metroon") else {}


def _beside_fields(model: type[BaseModel]) -> dict[str, str]:
    """The docstrings below the fields of a class."""
    parsed = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    body = parsed.body if isinstance(parsed, ast.ClassDef) else []
    found = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
            found[field.target.id] = " ".join(str(ast.literal_eval(text.value)).split())
    return found


def _arguments(thing: type) -> dict[str, str]:
    """The ``Args:`` section of a docstring."""
    _, _, rest = (inspect.getdoc(thing) or "").partition("Args:\n")
    section = re.split(r"\n\n?(?=\S)", rest, maxsplit=1)[0]
    found = re.findall(r"^    (\w+): (.*(?:\n     +.*)*)", section, re.MULTILINE)
    return {name: " ".join(text.split()).replace("``", "`") for name, text in found}


def _before_sections(thing: type) -> str:
    return re.split(r"\n\n(?=\w+:\n)", inspect.getdoc(thing) or "", maxsplit=1)[0]


def _words(annotation: Any) -> str:
    plain = {str: "text", int: "whole number", float: "number", bool: "true or false", date: "date"}
    if annotation in plain:
        return plain[annotation]
    kind, inner = get_origin(annotation), get_args(annotation)
    if kind is Annotated:
        return _words(inner[0])
    if kind is Literal:
        return "one of " + ", ".join(f"`{i}`" for i in inner)
    if kind in (Union, types.UnionType):
        return " or ".join(_words(i) for i in inner if i is not type(None))
    if kind in (list, tuple):
        return f"list of {_words(inner[0])}s" if inner[0] is str else f"list of {_words(inner[0])}"
    if kind is dict:
        return _named(*inner)
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", annotation.__name__.removesuffix("File")).lower()
    return f"keys, see [{name}](#{name.replace(' ', '-')})"


def _named(name: Any, held: Any) -> str:
    if held is Any:
        return "keys"
    return f"{_words(name) if get_origin(name) is Literal else 'name'}: {_words(held)}"


def _default(field: Any) -> str:
    if field.is_required():
        return "**must be there**"
    value = field.default
    if value is PydanticUndefined or isinstance(value, BaseModel):
        value = field.default_factory() if field.default_factory else None
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, dict):
        return f"`{{{', '.join(f'{k}: {v}' for k, v in value.items())}}}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _sentences(text: str) -> Iterator[str]:
    """A docstring with one sentence on a line."""
    for block in text.replace("``", "`").split("\n\n"):
        joined = " ".join(block.split())
        yield from (*re.split(r"(?<=[.?]) (?=[A-Z`])", joined), "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        return
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


PARTS: dict[str, Callable[..., Iterator[str]]] = {
    "command": command,
    "kinds": room_kinds,
    "shared": shared_keys,
    "keys": keys,
    "operators": rule_operators,
    "promises": promises,
    "columns": release_columns,
    "states": states,
    "signs": signs,
    "changes": changed,
    "alarms": false_alarms,
    "paths": page_paths,
    "doors": doors,
    "parameters": row_parameters,
    "comparisons": row_comparisons,
    "answers": answers,
    "limits": server_limits,
    "headers": answer_headers,
    "clients": clients,
}


# The picture


def picture() -> None:
    """What ``metroon demo`` prints, as the README shows it."""
    from metroon import flow, serve
    from metroon.city import load
    from metroon.demo import build
    from metroon.walk import Walk

    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        city = load(build(Path("arroyo_vista")))
        run = flow.run(Walk(city, city.file.as_of or date.today()))
        svg = serve.picture(serve.scoreboard(run), "metroon demo")
    (DOCS / "pictures").mkdir(exist_ok=True)
    (DOCS / "pictures" / "run.svg").write_text(svg, encoding="utf-8")


def main() -> int:
    """Write, check, or make the picture; 1 when ``--check`` finds a page that is not up to date."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; tell what is not up to date")
    parser.add_argument("--picture", action="store_true", help="make the picture of a run")
    asked = parser.parse_args()
    if asked.picture:
        picture()
        return 0
    old = {page: text for page, text in pages().items() if page.read_text("utf-8") != text}
    for page, text in old.items():
        print(f"{page.relative_to(DOCS)} {'is not up to date' if asked.check else 'written'}")
        if not asked.check:
            page.write_text(text, encoding="utf-8")
    if old and asked.check:
        print("Write it with: python docs/generate.py")
    return 1 if old and asked.check else 0


if __name__ == "__main__":
    sys.exit(main())

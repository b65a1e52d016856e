"""Kinds: ``kind: X`` in YAML is the file ``kinds/X.py``; listing the folder is the registry."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict

import metroon
from metroon.base.errors import Problem, Refused
from metroon.base.node import Node, did_you_mean, validate

if TYPE_CHECKING:
    from types import ModuleType

SRC = Path(metroon.__file__).parent


class Kind(BaseModel):
    """What every kind is: frozen options, which are its YAML keys; its docstring is its manual page."""

    model_config = ConfigDict(frozen=True, extra="forbid")


K = TypeVar("K", bound=Kind)


def rooms() -> list[str]:
    """The rooms that have kinds, in the order of the street."""
    return sorted(p.parent.name for p in SRC.glob("*/kinds") if p.is_dir())


def names(room: str, plugins: Path | None = None) -> dict[str, str]:
    """Kind -> where it comes from (a file, or an entry point), without importing any.

    Args:
        room: The room's name.
        plugins: The city repo's ``plugins`` folder, when there is one.

    Raises:
        Refused: Two kinds have one name. A protection cannot be shadowed.
    """
    found: dict[str, str] = {}
    places = [SRC / room / "kinds", *([plugins / room] if plugins else [])]
    sources = [(p.stem, str(p)) for folder in places if folder.is_dir() for p in sorted(folder.glob("*.py"))]
    sources += _installed(room)
    for name, source in sources:
        if name.startswith("_"):
            continue
        if name in found:
            fix = f"Rename one of them: {found[name]} or {source}."
            raise Refused([Problem(source, 0, "K102", f"{room} has two kinds named '{name}'.", fix)])
        found[name] = source
    return found


@cache
def _installed(room: str) -> tuple[tuple[str, str], ...]:
    return tuple((e.name, e.value) for e in entry_points(group=f"metroon.{room}"))


def find(room: str, name: str, noun: type[K], plugins: Path | None = None) -> type[K]:
    """The class of one kind.

    Raises:
        KeyError: The room has no such kind.
        Refused: Its file cannot be loaded, or holds no kind of this room.
    """
    source = names(room, plugins)[name]
    module = _module(room, name, source)
    own = [c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module.__name__]
    classes = [c for c in own if issubclass(c, noun) and not c.__name__.startswith("_")]
    if len(classes) != 1:
        what = f"{room} kind '{name}' must hold exactly one {noun.__name__}; it holds {len(classes)}."
        raise Refused([Problem(source, 0, "K103", what, f"Keep one class derived from {noun.__name__} in the file.")])
    if lacking := sorted(getattr(classes[0], "__abstractmethods__", ())):
        what = f"{room} kind '{name}' lacks {', '.join(lacking)}."
        raise Refused([Problem(source, 0, "K103", what, "Write it as the kinds of Metroon do.")])
    return classes[0]


def build(room: str, node: Node, noun: type[K], plugins: Path | None = None) -> K:
    """A kind made of its YAML.

    Raises:
        Refused: There is no such kind, or its options do not fit; all faults at once.
    """
    name = node.at("kind").value
    known = names(room, plugins)
    if not isinstance(name, str) or name not in known:
        what = f"{room} has no kind '{name}'." if name else f"{room} needs a 'kind:'."
        raise Refused([node.problem("K101", what, did_you_mean(str(name or ""), known), "kind")])
    options: Any = {k: v for k, v in dict(node.value).items() if k != "kind"}  # type: ignore[call-overload]  # is a mapping: it has a kind
    return validate(Node(options, node.file, node.lines, node.path), find(room, name, noun, plugins), "K104")


def first_line(room: str, name: str, plugins: Path | None = None) -> str:
    """The first line of a kind's manual page."""
    return (inspect.getdoc(find(room, name, Kind, plugins)) or "").partition("\n")[0]


@cache
def _module(room: str, name: str, source: str) -> ModuleType:
    if Path(source).parent == SRC / room / "kinds":
        return importlib.import_module(f"metroon.{room}.kinds.{name}")
    try:
        return _loaded(room, name, source)
    except (ImportError, SyntaxError, NameError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        line = (error.lineno if isinstance(error, SyntaxError) else _line_in(source, error)) or 0
        what = f"the {room} kind '{name}' cannot be loaded: {type(error).__name__}: {error}."
        raise Refused([Problem(source, line, "K103", what, "Correct the Python, or take the file out.")]) from error


def _loaded(room: str, name: str, source: str) -> ModuleType:
    if not source.endswith(".py"):
        return importlib.import_module(source.partition(":")[0])
    qualified = f"metroon_plugins.{room}.{name}"
    spec = importlib.util.spec_from_file_location(qualified, source)
    if spec is None or spec.loader is None:
        raise ImportError("it is no Python file")
    module = sys.modules[qualified] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[qualified]
        raise
    return module


def _line_in(source: str, error: BaseException) -> int | None:
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == source]
    return lines[-1] if lines else None

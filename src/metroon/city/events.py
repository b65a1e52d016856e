"""Composes YAML from libyaml's events: several times quicker than the pure reader, where both read alike.

What the two may read otherwise (YAML 1.1 and 1.2 differ in directives, tags, line breaks and escapes), all that is no
YAML, and anchors are left to the pure reader, which says what is wrong and where.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.resolver import implicit_resolvers
from yaml import YAMLError
from yaml.events import AliasEvent, MappingEndEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent, StreamEndEvent

try:
    from yaml.cyaml import CParser
except ImportError:  # built without libyaml
    CParser = None

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node as Part

_CORE = "tag:yaml.org,2002:"
_UNALIKE = re.compile(r"[!\t\x7f\x85\u2028\u2029\ufeff]|^%|^\.\.\.|[|>][-+0-9]*#|\\/|(?:^|[\s,\[{])\?", re.MULTILINE)
"""Texts with any of these are left to the pure reader."""


def _resolvers() -> dict[str, list[tuple[str, Any]]]:
    found: dict[str, list[tuple[str, Any]]] = {}
    for versions, tag, pattern, first in implicit_resolvers:
        if (1, 2) in versions:
            for sign in first:
                found.setdefault(sign, []).append((tag, pattern))
    return found


_RESOLVERS = _resolvers()


class Unalike(Exception):  # noqa: N818  # no error: another reader takes over
    """A text that is left to the pure reader."""


def compose(text: str) -> Part | None:
    """The one document of a text; None when it is empty.

    Args:
        text: YAML.

    Raises:
        Unalike: It may be read otherwise by the pure reader, is no YAML, or has an anchor.

    Example:
        >>> compose("a: 1").value[0][1].tag
        'tag:yaml.org,2002:int'
    """
    if CParser is None or _UNALIKE.search(text):
        raise Unalike
    try:
        return _Composing(text).document()
    except (YAMLError, RecursionError, UnicodeError):
        raise Unalike from None


class _Composing:
    def __init__(self, text: str) -> None:
        self._next: Any = CParser(text).get_event

    def document(self) -> Part | None:
        self._next()
        if isinstance(self._next(), StreamEndEvent):
            return None
        made = self._node(self._next())
        self._next()
        # A text alone, and a second document.
        if isinstance(made, ScalarNode) or not isinstance(self._next(), StreamEndEvent):
            raise Unalike
        return made

    def _node(self, event: Any) -> Part:
        if isinstance(event, AliasEvent) or event.anchor:
            raise Unalike
        if isinstance(event, ScalarEvent):
            return ScalarNode(_tag(event), event.value, event.start_mark, event.end_mark)
        if isinstance(event, SequenceStartEvent):
            items = SequenceNode(f"{_CORE}seq", [], event.start_mark, event.end_mark)
            while not isinstance(item := self._next(), SequenceEndEvent):
                items.value.append(self._node(item))
            return items
        made = MappingNode(f"{_CORE}map", [], event.start_mark, event.end_mark)
        while not isinstance(key := self._next(), MappingEndEvent):
            named = self._node(key)
            made.value.append((named, self._node(self._next())))
        return made


def _tag(event: Any) -> str:
    if event.implicit[0]:
        for tag, pattern in _RESOLVERS.get(event.value[:1], ()):
            if pattern.match(event.value):
                return tag
    return f"{_CORE}str"

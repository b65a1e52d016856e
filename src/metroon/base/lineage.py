"""Lineage: which columns of which tables each column of a query is made of, and which decide what rows there are.

DuckDB's own parser reads the query, so that what was looked at is what runs. Wherever it cannot be told for certain,
it is said that it cannot: who protects people then takes the strictest of everything. Too many origins are told
rather than too few.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from metroon.base.sql import GROUP_FUNCTIONS, NotAllowed, tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Origin = tuple[str, str]
"""Table and column, in small letters."""
Origins = frozenset[Origin]
_NONE: Origins = frozenset()


@dataclass(frozen=True)
class Lineage:
    """What each column of a query is made of.

    Args:
        columns: Output column, in small letters -> the columns that its values are computed from.
        decides: Columns that decide which rows there are, how many, and in which order: of joins, filters, groups,
            DISTINCT, ORDER BY.
        why_not: Why it cannot be told, in words; empty when it can.
    """

    columns: Mapping[str, Origins] = field(default_factory=dict)
    decides: Origins = _NONE
    why_not: str = ""

    def of(self, column: str) -> Origins | None:
        """All that a column can tell of: what it is computed from, and what decides the rows; None when not known."""
        found = None if self.why_not else self.columns.get(column.lower())
        return None if found is None else found | self.decides


def lineage(query: str, tables: Mapping[str, Sequence[str]]) -> Lineage:
    """What each column of one SELECT is made of.

    A count, a sum and whatever else looks at many rows is made of every column of all the tables that it looks at:
    how many there are tells of each of them.

    Args:
        query: One SELECT that was parsed and allowed before.
        tables: The tables that it may read, with all their columns in order.

    Example:
        >>> tables = {"stays": ["ward", "name", "age"]}
        >>> told = lineage("select ward, upper(name) as who from stays where age > 64", tables)
        >>> sorted(told.columns["who"]), sorted(told.decides)
        ([('stays', 'name')], [('stays', 'age')])
        >>> lineage("select * from stays positional join wards", {"stays": ["a"], "wards": ["b"]}).why_not
        'it joins by position'
    """
    known = {name.lower(): _base(name.lower(), columns) for name, columns in tables.items()}
    try:
        made = _query(tree(query), known, None)
        made.names()
    except (_Untold, NotAllowed) as untold:
        return Lineage(why_not=str(untold))
    return Lineage({name: origins for name, origins in made.columns if name}, made.decides)


class _Untold(Exception):  # noqa: N818  # a state, told as words
    """It cannot be told for certain; the message says why."""


@dataclass(frozen=True)
class _Table:
    """A table, or whatever stands for one: a subquery, a common table expression.

    Args:
        columns: (Name in small letters, or empty when it has none that can be said; what it is computed from).
        decides: What decides its rows.
        beneath: Every column of every table below it.
        is_whole: Whether these are all its columns, in order.
    """

    columns: tuple[tuple[str, Origins], ...]
    decides: Origins = _NONE
    beneath: Origins = _NONE
    is_whole: bool = True

    def names(self) -> list[str]:
        """The names of its columns.

        Raises:
            _Untold: Two have the same: the engine then renames one.
        """
        names = [name for name, _ in self.columns if name]
        if len(set(names)) < len(names):
            raise _Untold(f"two of its columns have the name '{min(n for n in names if names.count(n) > 1)}'")
        return names

    def renamed(self, names: Sequence[str]) -> _Table:
        """The table with other names for its first columns."""
        if not names:
            return self
        if len(names) > len(self.columns):
            raise _Untold("it names more columns than there are")
        fresh = [(n.lower(), o) for n, (_, o) in zip(names, self.columns, strict=False)]
        return _Table((*fresh, *self.columns[len(names) :]), self.decides, self.beneath, self.is_whole)

    def of(self, name: str) -> Origins | None:
        """What the columns of a name are made of; None when there is none."""
        found = [origins for n, origins in self.columns if n == name]
        return frozenset().union(*found) if found else None

    def all(self) -> Origins:
        """What all its columns are made of."""
        return frozenset().union(*(origins for _, origins in self.columns))


def _base(name: str, columns: Sequence[str]) -> _Table:
    own = tuple((c.lower(), frozenset({(name, c.lower())})) for c in columns)
    return _Table(own, beneath=frozenset((name, c) for c, _ in own))


@dataclass
class _Scope:
    """What a name can mean at one place of a query.

    Args:
        tables: (Name, table) of FROM.
        merged: Columns that USING or NATURAL made one of two.
        ctes: The common table expressions that can be seen, and the tables.
        outer: The query around.
        aliases: Names that the select list gave.
        own: Parameters of lambdas.
    """

    ctes: Mapping[str, _Table]
    outer: _Scope | None
    tables: list[tuple[str, _Table]] = field(default_factory=list)
    merged: set[str] = field(default_factory=set)
    decides: set[Origin] = field(default_factory=set)
    aliases: dict[str, Origins] = field(default_factory=dict)
    own: frozenset[str] = frozenset()

    def meant(self, names: Sequence[str]) -> Origins:
        """What a column that is named can mean; all of it, when it can be several."""
        found = self._meant(names[0].lower(), [n.lower() for n in names[1:]])
        if found is None:
            raise _Untold(f"no table is known to have the column '{'.'.join(names)}'")
        return found

    def _meant(self, first: str, rest: Sequence[str]) -> Origins | None:
        named = [t for name, t in self.tables if name == first]
        columns = [*(t.of(first) for _, t in self.tables), *(t.of(rest[0]) for t in named if rest)]
        sure = [c for c in columns if c is not None]
        perhaps = [_NONE] if first in self.own else []
        perhaps += [self.aliases[first]] if first in self.aliases else []
        perhaps += [] if rest else [t.all() for t in named]  # a table's name is its whole row
        if not sure and self.outer is not None:
            around = self.outer._meant(first, rest)
            perhaps += [around] if around is not None else []
        return frozenset().union(*sure, *perhaps) if sure or perhaps else None

    def beneath(self) -> Origins:
        """Every column of every table that rows are taken from here or around."""
        outer = self.outer.beneath() if self.outer else _NONE
        return outer.union(*(t.beneath for _, t in self.tables))


def _query(node: dict[str, Any], ctes: Mapping[str, _Table], outer: _Scope | None) -> _Table:
    seen = dict(ctes)
    for own in (node.get("cte_map") or {}).get("map") or []:
        made = _query(own["value"]["query_node"], seen, outer)
        seen[own["key"].lower()] = made.renamed(own["value"].get("aliases") or [])
    if node["type"] == "SELECT_NODE":
        return _select(node, seen, outer)
    if node["type"] == "SET_OPERATION_NODE":
        return _set_operation(node, seen, outer)
    raise _Untold(f"it uses {_words(node['type'])}")


def _select(node: dict[str, Any], ctes: Mapping[str, _Table], outer: _Scope | None) -> _Table:
    scope = _Scope(ctes, outer)
    _from(node["from_table"], scope)
    columns: list[tuple[str, Origins]] = []
    for item in node["select_list"]:
        if item["class"] == "STAR":
            columns += _star(item, scope)
            continue
        if any(str(p.get("function_name")).lower() == "unnest" for p in _inside(item)):
            raise _Untold("it unnests in its select list")
        origins, name = _of(item, scope), _name(item)
        columns.append((name, origins))
        if item.get("alias"):
            scope.aliases[name] = scope.aliases.get(name, _NONE) | origins
    made = _Table(tuple(columns))
    decides = set(scope.decides)
    for key in node.keys() - _NOT_DECIDING:
        decides |= _deciding(node[key], scope, made)
    if node.get("aggregate_handling") != "STANDARD_HANDLING":
        decides |= made.all()  # GROUP BY ALL
    return _Table(made.columns, frozenset(decides), frozenset().union(*(t.beneath for _, t in scope.tables)))


_NOT_DECIDING = {"type", "cte_map", "select_list", "from_table", "aggregate_handling"}


def _deciding(part: Any, scope: _Scope, made: _Table) -> Origins:
    """What the clauses after FROM look at; a number there may mean an output column, and a star all of them."""
    found: set[Origin] = set()
    for item in part if isinstance(part, list) else [part]:
        if not isinstance(item, dict):
            continue
        kind, role = item.get("type"), item.get("class")
        if kind in ("ORDER_MODIFIER", "DISTINCT_MODIFIER"):
            told = item.get("orders", []) + item.get("distinct_on_targets", [])
            expressions = [o.get("expression", o) for o in told]
            found |= _deciding(expressions, scope, made) if expressions else made.all()
        elif role == "STAR" and item.get("columns") and not item.get("expr"):
            found |= made.all()
        elif role == "CONSTANT":
            found |= _at(item, made)
        elif kind is not None:
            found |= _of(item, scope)
    return frozenset(found)


def _at(constant: dict[str, Any], made: _Table) -> Origins:
    position = (constant.get("literal") or {}).get("text", "")
    index = int(position) - 1 if str(position).isdigit() else -1
    return made.columns[index][1] if 0 <= index < len(made.columns) else made.all()


def _set_operation(node: dict[str, Any], ctes: Mapping[str, _Table], outer: _Scope | None) -> _Table:
    parts = [_query(child, ctes, outer) for child in node["children"]]
    decides = set(frozenset().union(*(p.decides for p in parts)))
    if node["setop_type"] == "UNION_BY_NAME":
        names = list(dict.fromkeys(n for p in parts for n in p.names()))
        if any("" in [n for n, _ in p.columns] for p in parts):
            raise _Untold("it unites columns by name that have none")
        columns = tuple((n, frozenset().union(*(p.of(n) or _NONE for p in parts))) for n in names)
    else:
        if len({len(p.columns) for p in parts}) != 1:
            raise _Untold("the parts that it unites have different numbers of columns")
        each = zip(*(p.columns for p in parts), strict=True)
        columns = tuple((column[0][0], frozenset().union(*(o for _, o in column))) for column in each)
    made = _Table(columns, beneath=frozenset().union(*(p.beneath for p in parts)))
    if not (node["setop_type"] in ("UNION", "UNION_BY_NAME") and node.get("setop_all")):
        decides |= made.all()
    scope = _Scope(ctes, outer, [("", made)])
    decides |= _deciding(node.get("modifiers") or [], scope, made)
    return _Table(made.columns, frozenset(decides), made.beneath)


def _from(part: dict[str, Any], scope: _Scope) -> None:
    """Add what FROM names to a scope."""
    kind = part["type"]
    if kind == "EMPTY":
        return
    if part.get("sample"):
        raise _Untold("it takes a sample")
    if kind == "JOIN":
        _join(part, scope)
        return
    table = _source(part, scope).renamed(part.get("column_name_alias") or [])
    name = part.get("alias") or part.get("table_name") or ""
    table.names()
    scope.tables.append((str(name).lower(), table))
    scope.decides |= table.decides


def _source(part: dict[str, Any], scope: _Scope) -> _Table:
    kind = part["type"]
    if kind == "BASE_TABLE":
        name = str(part["table_name"]).lower()
        if name not in scope.ctes:
            raise _Untold(f"the columns of '{name}' are not known")
        return scope.ctes[name]
    # What stands before it in FROM can be seen from within it.
    around = _Scope(scope.ctes, scope.outer, list(scope.tables))
    if kind == "SUBQUERY":
        return _query(part["subquery"]["node"], scope.ctes, around)
    if kind == "EXPRESSION_LIST":
        rows = part["values"]
        each = range(len(rows[0]))
        return _Table(tuple((f"col{i}", frozenset().union(*(_of(r[i], around) for r in rows))) for i in each))
    if kind == "TABLE_FUNCTION":
        origins = _of(part["function"], around, is_table=True)
        names = {str(part["function"]["function_name"]).lower(), str(part.get("alias") or "").lower()} - {""}
        listed = part.get("column_name_alias") or sorted(names)
        return _Table(tuple((n.lower(), origins) for n in listed), origins, is_whole=False)
    raise _Untold(f"it uses {_words(kind)}")


def _join(part: dict[str, Any], scope: _Scope) -> None:
    if part.get("ref_type") not in ("REGULAR", "NATURAL", "CROSS", "ASOF"):
        raise _Untold(f"it joins by {'position' if part.get('ref_type') == 'POSITIONAL' else 'something unknown'}")
    if part.get("join_type") not in ("INNER", "LEFT", "RIGHT", "OUTER", "SEMI", "ANTI"):
        raise _Untold(f"it uses a join of type {_words(str(part.get('join_type')))}")
    before = len(scope.tables)
    _from(part["left"], scope)
    between = len(scope.tables)
    _from(part["right"], scope)
    keys = {k.lower() for k in part.get("using_columns") or []}
    if part["ref_type"] == "NATURAL":
        left, right = (
            {n for _, t in scope.tables[a:b] for n, _ in t.columns} for a, b in ((before, between), (between, None))
        )
        keys |= (left & right) - {""}
    for key in keys:
        scope.decides |= scope.meant([key])
    if part.get("condition"):
        scope.decides |= _of(part["condition"], scope)
    if part["join_type"] in ("SEMI", "ANTI"):
        scope.decides |= {o for _, t in scope.tables[between:] for o in t.decides}
        del scope.tables[between:]
    else:
        scope.merged |= keys


def _star(item: dict[str, Any], scope: _Scope) -> Iterator[tuple[str, Origins]]:
    """The columns that a star stands for."""
    if item.get("columns") or item.get("expr") or item.get("qualified_exclude_list") or item.get("unpacked"):
        raise _Untold("it chooses columns by a pattern")
    of = str(item.get("relation_name") or "").lower()
    tables = [t for n, t in scope.tables if not of or n == of]
    if not tables or not all(t.is_whole for t in tables):
        raise _Untold("it is not known what a star stands for")
    left_out = {_last(e) for e in item.get("exclude_list") or []}
    replaced = {str(r["key"]).lower(): r["value"] for r in item.get("replace_list") or []}
    renamed = {_last(r["key"]): str(r["value"]).lower() for r in item.get("rename_list") or []}
    merged = set() if of else scope.merged
    told: set[str] = set()
    for table in tables:
        for name, origins in table.columns:
            if name in left_out or (name in merged and name in told):
                continue
            told.add(name)
            known = scope.meant([name]) if name in merged else origins
            yield renamed.get(name, name), known | _of(replaced[name], scope) if name in replaced else known


def _last(key: Any) -> str:
    return str(key.get("column") if isinstance(key, dict) else key).lower()


def _of(part: Any, scope: _Scope, *, is_table: bool = False) -> Origins:
    """Everything that an expression looks at."""
    if isinstance(part, list):
        return frozenset().union(*(_of(p, scope) for p in part))
    if not isinstance(part, dict):
        return _NONE
    role = part.get("class")
    if role == "COLUMN_REF":
        return scope.meant(part["column_names"])
    if role in ("STAR", "POSITIONAL_REFERENCE"):
        raise _Untold("it names columns by their position or a pattern")
    if role == "SUBQUERY":
        inner = _query(part["subquery"]["node"], scope.ctes, scope)
        return inner.all() | inner.decides | _of(part.get("child"), scope)
    if role == "LAMBDA":
        own = frozenset(str(n).lower() for p in _inside(part["lhs"]) for n in p.get("column_names") or [])
        tables, merged, aliases = scope.tables, scope.merged, scope.aliases
        within = _Scope(scope.ctes, scope.outer, tables, merged, set(), aliases, scope.own | own)
        return _of(part["expr"], within)
    found = frozenset().union(*(_of(value, scope) for key, value in part.items() if key != "class"))
    name = str(part.get("function_name") or "").lower()
    if role == "WINDOW" or (role == "FUNCTION" and name in GROUP_FUNCTIONS and not is_table):
        return found | scope.beneath()
    return found


def _inside(part: Any) -> Iterator[dict[str, Any]]:
    """A part and all parts of it, but not those of queries within."""
    waiting: list[Any] = [part]
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += part
        elif isinstance(part, dict):
            yield part
            waiting += [v for k, v in part.items() if k != "subquery"]


def _name(item: dict[str, Any]) -> str:
    if item.get("alias"):
        return str(item["alias"]).lower()
    return str(item["column_names"][-1]).lower() if item["class"] == "COLUMN_REF" else ""


def _words(kind: str) -> str:
    return kind.removesuffix("_NODE").removesuffix("_REF").replace("_", " ").lower()

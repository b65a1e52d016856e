"""The city's own SQL, parsed before it is run: one SELECT over named tables, or one expression over columns.

DuckDB's own parser reads it, so that what was looked at is what runs. Only the functions that are listed here may
be called: each gives the same result for the same rows, today and in ten years, and none reaches out of the rows
that it is given. What the list does not know is refused.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROW_FUNCTIONS = frozenset(
    """
    abs acos age array_contains array_length ascii asin atan atan2 bit_count cbrt ceil ceiling century char_length
    character_length chr concat concat_ws contains cos cot damerau_levenshtein date_add date_diff date_part date_sub
    date_trunc datediff datepart datesub datetrunc day dayname dayofmonth dayofweek dayofyear days_in_month decade
    degrees ends_with epoch epoch_ms era even exp floor fmod format gcd greatest hash hex hour if ilike_escape instr
    isfinite isinf isnan isodow isoyear jaccard jaro_similarity jaro_winkler_similarity json_array_length
    json_extract json_extract_string json_valid julian last_day lcase lcm least left len length levenshtein
    like_escape list_aggregate list_apply list_avg list_concat list_contains list_distinct list_extract list_filter
    list_has_all list_has_any list_max list_min list_position list_reverse list_slice list_sort list_sum
    list_transform list_unique list_value list_zip ln log log10 log2 lower lpad ltrim make_date make_time
    make_timestamp map md5 minute mod month monthname nfc_normalize not_ilike_escape not_like_escape nullif
    octet_length ord overlay pi position pow power prefix printf quarter radians regexp_escape regexp_extract
    regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array repeat replace reverse
    right round round_even rpad rtrim second sha256 sign sin split split_part sqrt starts_with str_split
    str_split_regex strftime string_split string_split_regex string_to_array strip_accents strlen strpos strptime
    struct_extract struct_pack substr substring suffix tan time_bucket timezone to_days to_hours to_json to_minutes
    to_months to_quarters to_seconds to_timestamp to_weeks to_years translate trim trunc try_strptime typeof ucase
    unicode upper url_decode url_encode week weekday weekofyear xor year yearweek
    """.split()  # noqa: SIM905  # a hundred and fifty quotes help nobody
)
"""Functions over the values of one row."""
GROUP_FUNCTIONS = frozenset(
    """
    any_value approx_count_distinct approx_quantile arbitrary arg_max arg_min argmax argmin array_agg avg bit_and
    bit_or bit_xor bool_and bool_or corr count count_if count_star countif covar_pop covar_samp cume_dist dense_rank
    entropy favg first first_value fsum geomean group_concat histogram kurtosis lag last last_value lead list
    listagg mad max max_by mean median min min_by mode nth_value ntile percent_rank product quantile quantile_cont
    quantile_disc rank row_number skewness stddev stddev_pop stddev_samp string_agg sum sumkahan unnest var_pop
    var_samp variance
    """.split()  # noqa: SIM905  # as above
)
"""Functions over many rows, or that make many rows of one."""
TABLE_FUNCTIONS = frozenset({"generate_series", "range", "unnest"})
"""Functions that are tables, made of their arguments alone."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
# Without brackets these are the clock, unless a table has a column of that name; no city has.
_CLOCK = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}
_ROW_PARTS = {
    "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION",
    "OPERATOR", "TYPE",
}  # fmt: skip
_SELECT_PARTS = _ROW_PARTS | {"LAMBDA", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "WINDOW"}
# Parts of a query that are no expression: tables, and what stands after them.
_TABLE_PARTS = {
    "ASCENDING", "BASE_TABLE", "DESCENDING", "DISTINCT_MODIFIER", "EMPTY", "EXPRESSION_LIST", "JOIN", "LIMIT_MODIFIER",
    "LIMIT_PERCENT_MODIFIER", "ORDER_DEFAULT", "ORDER_MODIFIER", "PIVOT", "RECURSIVE_CTE_NODE", "SELECT_NODE",
    "SET_OPERATION_NODE", "SUBQUERY", "TABLE_FUNCTION",
}  # fmt: skip
_COUNTS = {"count", "count_star", "count_if", "countif"}
_NO_CLOCK = "it may not read the clock: the same rows must give the same result"
_ONE_SELECT = "it must be one SELECT and nothing else"
_ONE_EXPRESSION = "it must be one expression over the columns of a row"


class NotAllowed(ValueError):  # noqa: N818  # a decision, told as a problem
    """The SQL does not parse, or asks for more than it may; the message says what, without a value."""


@dataclass(frozen=True)
class Select:
    """A query that may be run.

    Args:
        text: The query as it was written, without the semicolon at its end.
        tables: The tables it reads that are not its own common table expressions, in small letters.
        is_count: Whether what it gives is one count, and so no value of any row.
    """

    text: str
    tables: frozenset[str]
    is_count: bool = False


def select(text: str) -> Select:
    """Parse one SELECT.

    Raises:
        NotAllowed: It is no single SELECT, or it reads files, settings, the clock or system tables.

    Example:
        >>> sorted(select("with a as (select * from crashes) select * from a join lights using (id)").tables)
        ['crashes', 'lights']
    """
    bare = text.strip().rstrip("; \t\r\n")
    # In brackets, as the engine will run it: a second statement cannot hide.
    tree = _tree("from (\n", bare, "\n)", _ONE_SELECT)
    if tree["from_table"]["type"] != "SUBQUERY":
        raise NotAllowed(_ONE_SELECT)
    tables: set[str] = set()
    for part, known in _parts(tree):
        _look(part, _SELECT_PARTS, ROW_FUNCTIONS | GROUP_FUNCTIONS | TABLE_FUNCTIONS)
        if part.get("type") == "BASE_TABLE" and _table(part) not in known:
            tables.add(_table(part))
    if unknown := [t for t in tables if not _NAME.fullmatch(t)]:
        raise NotAllowed(f"it may read products by their names only, and '{min(unknown)}' is no name of one")
    return Select(bare, frozenset(tables), _is_count(tree["from_table"]["subquery"]["node"]))


def tree(text: str) -> dict[str, Any]:
    """The parts of one SELECT, as DuckDB's parser tells them.

    Raises:
        NotAllowed: It is no single SELECT.
    """
    made = _tree("from (\n", text.strip().rstrip("; \t\r\n"), "\n)", _ONE_SELECT)
    if made["from_table"]["type"] != "SUBQUERY":
        raise NotAllowed(_ONE_SELECT)
    node: dict[str, Any] = made["from_table"]["subquery"]["node"]
    return node


def expression(text: str) -> frozenset[str]:
    """Parse one expression over columns and return the columns it reads.

    Raises:
        NotAllowed: It is no expression, holds a query of its own, or reaches out of its row.

    Example:
        >>> sorted(expression("date_diff('minute', called_at, arrived_at) <= 8"))
        ['arrived_at', 'called_at']
    """
    # No line break at the end: who puts it into brackets need not think of a comment that would hide them.
    tree = _tree("select (", text, ")", _ONE_EXPRESSION)
    if tree["from_table"]["type"] != "EMPTY" or len(tree["select_list"]) != 1:
        raise NotAllowed(_ONE_EXPRESSION)
    columns = set()
    for part, _ in _parts(tree["select_list"][0]):
        _look(part, _ROW_PARTS, ROW_FUNCTIONS)
        if part.get("class") == "COLUMN_REF":
            columns.add(_column(part))
    return frozenset(columns)


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"})


def _tree(before: str, text: str, after: str, wanted: str) -> dict[str, Any]:
    answer = _parser().execute("select json_serialize_sql(?)", [before + text + after]).fetchone()
    read: Any = json.loads(answer[0]) if answer else {"error": True}
    if read["error"] and read.get("error_type") == "parser" and text.strip():
        position = int(read.get("position", 0)) - len(before)
        near = "it ends too early" if position >= len(text) else read["error_message"]
        line = text[: max(position, 0)].count("\n") + 1
        raise NotAllowed(f"it does not parse (line {line}): {near}")
    if read["error"] or len(read["statements"]) != 1:
        raise NotAllowed(wanted)
    tree: dict[str, Any] = read["statements"][0]["node"]
    # What stands beside the one thing in brackets came after them, as in: a) union (select b
    beside = (tree.get(k) for k in ("where_clause", "group_expressions", "having", "qualify", "modifiers"))
    if tree["type"] != "SELECT_NODE" or any(beside):
        raise NotAllowed(wanted)
    return tree


def _parts(tree: Any) -> Iterator[tuple[dict[str, Any], frozenset[str]]]:
    """Every part of a tree, with the names of the common table expressions that it can see."""
    waiting: list[tuple[Any, frozenset[str]]] = [(tree, frozenset())]
    while waiting:
        part, known = waiting.pop()
        if isinstance(part, list):
            waiting += [(item, known) for item in part]
        if not isinstance(part, dict):
            continue
        for own in (part.get("cte_map") or {}).get("map", []):
            query, after = own["value"]["query_node"], known | {own["key"].lower()}
            waiting.append((query, after if query["type"] == "RECURSIVE_CTE_NODE" else known))
            known = after
        yield part, known
        waiting += [(value, known) for key, value in part.items() if key != "cte_map"]


def _look(part: dict[str, Any], roles: set[str], functions: frozenset[str]) -> None:
    kind, role = part.get("type"), part.get("class")
    if role is None and isinstance(kind, str) and kind not in _TABLE_PARTS:
        raise NotAllowed(f"it may not use {kind.removesuffix('_REF').replace('_', ' ').lower()}")
    if role is not None and role not in roles:
        raise NotAllowed(_ONE_EXPRESSION if role in _SELECT_PARTS else f"it may not use {role.lower()}")
    if kind == "GROUPING_FUNCTION" and "WINDOW" not in roles:
        raise NotAllowed(f"{_ONE_EXPRESSION}, and 'grouping' looks at many")
    if part.get("sample"):
        raise NotAllowed("it may not leave it to chance which rows it takes")
    if role in ("FUNCTION", "WINDOW"):
        _look_at_function(part, functions)
    if role == "TYPE" and str(part["type_name"]).lower() == "geometry":
        raise NotAllowed("it may not make geometries: boundaries stay WKB")
    if role == "COLUMN_REF" and part["column_names"][-1].lower() in _CLOCK:
        raise NotAllowed(_NO_CLOCK)
    if kind == "TABLE_FUNCTION" and (name := str(part["function"]["function_name"]).lower()) not in TABLE_FUNCTIONS:
        raise NotAllowed(f"it may read products by their names only, and '{name}' is a function")


def _look_at_function(part: dict[str, Any], functions: frozenset[str]) -> None:
    name = str(part["function_name"]).lower()
    is_operator = not re.search(r"\w", name)
    if name == "age" and len(part["arguments"]) < 2:
        raise NotAllowed(f"{_NO_CLOCK}; give age the later time too")
    if is_operator or (name in functions and not part.get("schema") and not part.get("catalog")):
        return
    if name in GROUP_FUNCTIONS:
        raise NotAllowed(f"{_ONE_EXPRESSION}, and '{name}' looks at many")
    if name == "row":  # what a list in brackets is, and nothing in brackets
        raise NotAllowed(_ONE_EXPRESSION)
    raise NotAllowed(f"it may not call '{name}'")


def _is_count(query: dict[str, Any]) -> bool:
    given = query.get("select_list") or []
    names = [str(g.get("function_name")).lower() for g in given if g["class"] == "FUNCTION"]
    return len(given) == len(names) == 1 and names[0] in _COUNTS


def _table(part: dict[str, Any]) -> str:
    if part["schema_name"] or part["catalog_name"]:
        raise NotAllowed("it may read products by their names only, without a schema")
    return str(part["table_name"]).lower()


def _column(part: dict[str, Any]) -> str:
    if len(part["column_names"]) > 1:
        raise NotAllowed("it names columns alone, without a table")
    return str(part["column_names"][0])


def is_row_by_row(text: str, tables: Iterable[str]) -> bool:
    """Whether each row that a query gives holds values of one row of some tables at the most.

    Not where it is not certain: where one of them is named more than once, where rows are grouped, or where anything
    looks at many rows.

    Args:
        text: One SELECT that was parsed and allowed before.
        tables: The tables.

    Example:
        >>> is_row_by_row("select who, ward from stays join wards using (ward)", ["stays"])
        True
        >>> is_row_by_row("select a.who, b.who from stays a join stays b using (ward)", ["stays"])
        False
        >>> is_row_by_row("select ward, count(*) from stays group by ward", ["stays"])
        False
    """
    asked, named = {t.lower() for t in tables}, 0
    for part, _ in _parts(tree(text)):
        kind, role = part.get("type"), part.get("class")
        name = str(part.get("function_name") or "").lower()
        if (part.get("cte_map") or {}).get("map") or part.get("group_expressions"):
            return False
        if role in ("WINDOW", "SUBQUERY") or kind in ("SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "PIVOT"):
            return False
        if role == "FUNCTION" and name in GROUP_FUNCTIONS:
            return False
        named += kind == "BASE_TABLE" and str(part["table_name"]).lower() in asked
    return named == 1

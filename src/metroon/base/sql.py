"""The city's own SQL, parsed before it is run: one SELECT over named tables, or one expression over columns.

What runs is written anew from the parsed tree, so that nothing runs which was not looked at. Only the functions
listed here may be called: each gives the same result for the same row, today and in ten years, and none reaches
out of the tables that it is given.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

ROW_FUNCTIONS = frozenset(
    """
    abs acos age ascii asin atan atan2 bar bit_count cast cbrt ceil ceiling century char_length chr coalesce concat
    concat_ws contains cos cot damerau_levenshtein date date_add date_diff date_part date_sub date_trunc datediff
    datepart datetrunc day dayname dayofmonth dayofweek dayofyear decade degrees ends_with epoch epoch_ms even exp
    extract floor fmod format gcd greatest hash hex hour if ifnull ilike_escape in initcap instr isfinite isinf isnan
    isodow isoyear jaccard jaro_similarity jaro_winkler_similarity json_extract json_extract_string json_valid
    json_array_length julian last_day lcase lcm least left len length levenshtein like_escape list_any_value
    list_aggregate list_concat list_contains list_distinct list_extract list_filter list_has_all list_has_any
    list_position list_reverse list_slice list_sort list_sum list_transform list_unique list_value list_zip ln log
    log10 log2 lower lpad ltrim make_date make_time make_timestamp map md5 minute mod month monthname nfc_normalize
    not nullif nvl ord parse_filename pi position pow power prefix printf quarter radians range regexp_escape
    regexp_extract regexp_extract_all regexp_full_match regexp_matches regexp_replace regexp_split_to_array repeat
    replace reverse right round row rpad rtrim second sha256 sign sin split split_part sqrt starts_with str_split
    str_split_regex strftime string_split string_to_array strip_accents strlen strpos strptime struct_extract
    struct_pack substr substring suffix tan time_bucket timezone to_days to_hours to_json to_minutes to_months
    to_seconds to_timestamp to_weeks to_years translate trim trunc try try_cast try_strptime typeof ucase unicode
    upper url_decode url_encode week weekday weekofyear xor year yearweek st_asgeojson st_astext st_geomfromwkb
    array_agg_placeholder
    """.split()
)
"""Functions over the values of one row."""
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
"""Functions that make rows out of their arguments alone."""
GROUP_FUNCTIONS = frozenset(
    """
    any_value approx_count_distinct approx_quantile arg_max arg_min array_agg avg bit_and bit_or bool_and bool_or
    corr count count_if count_star countif covar_pop covar_samp cume_dist dense_rank entropy exists first first_value
    fsum geomean group_concat grouping grouping_id histogram kurtosis lag last last_value lead list listagg mad max
    max_by mean median min min_by mode nth_value ntile percent_rank product quantile quantile_cont quantile_disc rank
    regr_intercept regr_r2 regr_slope row_number skewness stddev stddev_pop stddev_samp string_agg sum var_pop
    var_samp variance within_group
    """.split()
)
"""Functions over many rows."""

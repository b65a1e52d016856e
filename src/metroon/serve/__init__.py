"""The faces of a run: what people see in the terminal and what machines read.

In: a ``Run`` or parts of it, already guarded. Out: Rich renderables, an SVG picture, JSON and CSV text.
"""

from metroon.serve.rows import ESTIMATE_COLUMNS, estimate_rows, rows_csv, rows_json
from metroon.serve.scoreboard import full_scoreboard, scoreboard
from metroon.serve.show import account_table, measure_table
from metroon.serve.sparkline import sparkline
from metroon.serve.terminal import INVENTED, picture, problems

__all__ = [
    "ESTIMATE_COLUMNS",
    "INVENTED",
    "account_table",
    "estimate_rows",
    "full_scoreboard",
    "measure_table",
    "picture",
    "problems",
    "rows_csv",
    "rows_json",
    "scoreboard",
    "sparkline",
]

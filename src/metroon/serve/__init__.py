"""The faces of a run: what people see in the terminal and what machines read.

In: a ``Run``, scores or parts of them, already guarded. Out: Rich renderables, an SVG picture, JSON, CSV and Markdown.
"""

from metroon.serve.board import measure_board
from metroon.serve.changes import changes_page
from metroon.serve.digest import digest_page
from metroon.serve.markdown import digest_markdown
from metroon.serve.page import score_page
from metroon.serve.plain import score_dict
from metroon.serve.rows import ESTIMATE_COLUMNS, estimate_rows, rows_csv, rows_json
from metroon.serve.scoreboard import full_scoreboard, scoreboard
from metroon.serve.show import account_table, measure_table
from metroon.serve.sparkline import sparkline
from metroon.serve.terminal import INVENTED, picture, problems

__all__ = [
    "ESTIMATE_COLUMNS",
    "INVENTED",
    "account_table",
    "changes_page",
    "digest_markdown",
    "digest_page",
    "estimate_rows",
    "full_scoreboard",
    "measure_board",
    "measure_table",
    "picture",
    "problems",
    "rows_csv",
    "rows_json",
    "score_dict",
    "score_page",
    "scoreboard",
    "sparkline",
]

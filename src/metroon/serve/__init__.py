"""The faces of a run: what people see in the terminal and what machines read.

In: a ``Run``, scores or parts of them, already guarded. Out: Rich renderables, an SVG picture, JSON, CSV and Markdown.
"""

from metroon.serve.terminal.audit import audit_dict, audit_page
from metroon.serve.terminal.board import measure_board
from metroon.serve.terminal.certificates import certificates_dict, certificates_page
from metroon.serve.terminal.changes import changes_page
from metroon.serve.terminal.classes import classes_table
from metroon.serve.terminal.console import INVENTED, picture, problems
from metroon.serve.terminal.digest import digest_page
from metroon.serve.terminal.erasure import erasure_page
from metroon.serve.terminal.guard import (
    leaving_dict,
    leaving_page,
    register_markdown,
    register_page,
    register_rows,
    scores_dict,
    scores_page,
)
from metroon.serve.terminal.lineage import lineage_page
from metroon.serve.terminal.markdown import digest_markdown
from metroon.serve.terminal.page import score_page
from metroon.serve.terminal.plain import score_dict
from metroon.serve.terminal.plan import plan_dict, plan_page
from metroon.serve.terminal.protocols import protocols_dicts, protocols_page
from metroon.serve.terminal.retention import retention_dict, retention_page
from metroon.serve.terminal.rows import ESTIMATE_COLUMNS, estimate_rows, rows_csv, rows_json
from metroon.serve.terminal.scoreboard import full_scoreboard, scoreboard
from metroon.serve.terminal.show import account_table, measure_table
from metroon.serve.terminal.sparkline import sparkline
from metroon.serve.terminal.totals import totals_dict, totals_page

__all__ = [
    "ESTIMATE_COLUMNS",
    "INVENTED",
    "account_table",
    "audit_dict",
    "audit_page",
    "certificates_dict",
    "certificates_page",
    "changes_page",
    "classes_table",
    "digest_markdown",
    "digest_page",
    "erasure_page",
    "estimate_rows",
    "full_scoreboard",
    "leaving_dict",
    "leaving_page",
    "lineage_page",
    "measure_board",
    "measure_table",
    "picture",
    "plan_dict",
    "plan_page",
    "problems",
    "protocols_dicts",
    "protocols_page",
    "register_markdown",
    "register_page",
    "register_rows",
    "retention_dict",
    "retention_page",
    "rows_csv",
    "rows_json",
    "score_dict",
    "score_page",
    "scoreboard",
    "scores_dict",
    "scores_page",
    "sparkline",
    "totals_dict",
    "totals_page",
]

"""Whether what was promised is done: a plan's questions, asked of what the city has on one day.

In: the plan as declared, the facts of one day, and when actions were done before. Out: a ``PlanStatus``, in which no
state was typed by anybody, or the faults of the plan; and stories with the answers to their questions.
"""

from metroon.review.answers import answered, story_faults
from metroon.review.facts import Facts, facts
from metroon.review.lint import Known, plan_faults
from metroon.review.question import Aging, Answer, Question
from metroon.review.status import status

__all__ = [
    "Aging",
    "Answer",
    "Facts",
    "Known",
    "Question",
    "answered",
    "facts",
    "plan_faults",
    "status",
    "story_faults",
]

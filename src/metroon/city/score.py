"""The publication score as a city sets it: its limit, its points, and what its columns tell."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Judged = Literal[
    "events", "age", "race", "sex", "immigration", "time", "place", "home", "address", "other", "beside", "alone",
]  # fmt: skip
"""What a score judges: the smallest cell, what tells people apart, the time, the places, and what they are beside."""
Told = Literal["age", "race", "sex", "immigration", "other", "nothing"]
"""What a column tells of a person."""
WORDS: dict[str, tuple[str, ...]] = {
    "race": ("large groups", "small groups", "detailed", "yes or no"),
    "sex": ("sex", "orientation", "gender identity", "gender identity in detail"),
    "immigration": ("any",),
    "address": ("any",),
}
"""What is judged by words, and the words; all else is judged by a number."""


def _keys(given: Any) -> Any:
    return {str(k): v for k, v in given.items()} if isinstance(given, dict) else given


Scale = Annotated[dict[str, int], BeforeValidator(_keys)]


class ScoreFile(BaseModel):
    """The city's own publication score; what is left out is that of the guideline.

    Args:
        limit: The most points with which a table may leave without more masking.
        points: What is judged -> from which number on, or for which word -> points; replaces the guideline's for it.
        columns: Column -> what it tells of a person, where its name does not say so.
        homes: Products whose places are those in which people live, not those where they were served.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int = 12
    points: dict[Judged, Scale] = Field(default_factory=dict)
    columns: dict[str, Told] = Field(default_factory=dict)
    homes: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _are_whole(self) -> ScoreFile:
        for judged, scale in self.points.items():
            words = WORDS.get(judged)
            if words is not None and set(scale) != set(words):
                raise ValueError(f"{judged} needs points for each of its words. Fix: Write {', '.join(words)}.")
            if words is None and not (all(k.isdigit() for k in scale) and _begins(judged) in scale):
                raise ValueError(
                    f"{judged} needs points from {_begins(judged)} on, so that no number is without. "
                    f"Fix: Write {judged}: {{{_begins(judged)}: 7, 11: 5}}, each number with its points."
                )
        return self


def _begins(judged: str) -> str:
    return "1" if judged == "beside" else "0"

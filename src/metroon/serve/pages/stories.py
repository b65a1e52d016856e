"""``/stories``: texts of the city whose numbers are asked again whenever they are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metroon.base.catalog import Column
from metroon.serve.page import Page, Sheet
from metroon.serve.words import LANGUAGES

if TYPE_CHECKING:
    from metroon.base.catalog import Story
    from metroon.serve.page import Asked

STORY_COLUMNS = (
    Column("story", "Story", "The permanent id of the story.", "string"),
    Column("title", "Title", "Its title.", "string"),
    Column("summary", "Summary", "What it says, in one sentence.", "string"),
    Column("on", "Written on", "The day it was written.", "date"),
    Column("author", "Author", "The role or person who wrote it.", "string"),
    Column("language", "Language", "The language it is written in.", "string"),
)


@dataclass(frozen=True)
class Teaser:
    """One story in the list.

    Args:
        story: The story.
        day: When it was written, in words.
        lang: Its language where that is not the page's; else empty.
        language: The name of that language; empty where it is the page's.
    """

    story: Story
    day: str
    lang: str
    language: str


@dataclass(frozen=True)
class StoriesView:
    """What the list of stories shows.

    Args:
        title: The page's title.
        stories: Newest first.
    """

    title: str
    stories: tuple[Teaser, ...]


class Stories(Page):
    """All stories, newest first."""

    path = "/stories"
    template = "stories.html"

    def view(self, asked: Asked) -> StoriesView:
        """Every story with its summary."""
        return StoriesView(asked.words.gettext("Stories"), tuple(teaser(s, asked) for s in asked.catalog.stories))

    def data(self, asked: Asked) -> Sheet:
        """The list of stories."""
        rows = [
            {"story": s.id, "title": s.title, "summary": s.summary, "on": s.on, "author": s.author}
            | {"language": s.language}
            for s in asked.catalog.stories
        ]
        return Sheet("stories", "Stories", STORY_COLUMNS, rows, f"{asked.catalog.city}, {asked.catalog.as_of}")


def teaser(story: Story, asked: Asked) -> Teaser:
    """A story as it stands in a list, its language marked where it is not the reader's.

    Args:
        story: The story.
        asked: Who asks, in which language.
    """
    is_foreign = story.language != asked.words.language
    return Teaser(
        story,
        asked.words.day(story.on),
        story.language if is_foreign else "",
        LANGUAGES.get(story.language, story.language) if is_foreign else "",
    )

"""A city's Markdown as safe HTML. Named numbers are put in while it is read, so that none is taken for Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markdown_it.renderer import RendererHTML
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

Teller = Callable[[str], Markup]
"""Gives what stands in the place of ``{{ name }}``."""

TAGS = frozenset(
    {"a", "abbr", "b", "blockquote", "br", "code", "del", "em", "h2", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol"}
    | {"p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"}
)  # fmt: skip
"""All that a text of the city may be made of. Pictures are not: nobody could say what is in them."""
_ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "ol": {"start"},
    "span": {"lang"},
    "td": {"style"},
    "th": {"style"},
}
_CLASSES = {"span": {"class": {"n-told", "n-missing"}}}
_PLACE = re.compile(r"\{\{[ \t]*([^{}\n]{1,120}?)[ \t]*\}\}")


def html(
    text: str,
    *,
    tell: Teller,
    link: Callable[[str], str] = str,
    table: Callable[[int], str] = "Table {}".format,
) -> Markup:
    r"""A text as HTML that can do no harm: only the tags in ``TAGS``, and links that promise nothing.

    Args:
        text: CommonMark with tables. Its highest headings become the level below the title of the page.
        tell: What stands in the place of ``{{ name }}``. In code the place stays as it is written.
        link: Makes the address of a page out of its path, such as by putting the language before it.
        table: What a table is called for those who hear it, by its number.

    Example:
        >>> print(html("# Now\n\n**{{ n }}** [a](/b) <script>x</script>", tell=lambda n: Markup("4 &amp; 2")))
        <h2>Now</h2>
        <p><strong>4 &amp; 2</strong> <a href="/b" rel="nofollow noopener">a</a> </p>
        <BLANKLINE>
    """
    reader = MarkdownIt("commonmark").enable("table")
    reader.inline.ruler.push("told", _place)
    reader.add_render_rule("told", _told)
    environment = {"tell": tell}
    tokens = reader.parse(text, environment)
    highest = min((int(t.tag[1:]) for t in tokens if t.type == "heading_open"), default=2)
    for token in tokens:
        _fit(token, link, lower_by=2 - highest)
    made = reader.renderer.render(tokens, reader.options, environment)
    cleaned = nh3.clean(
        made, tags=set(TAGS), attributes=_ATTRIBUTES, tag_attribute_values=_CLASSES, link_rel="nofollow noopener",
        url_schemes={"http", "https", "mailto"}, filter_style_properties={"text-align"},
    )  # fmt: skip
    numbers = count(1)

    def framed(_: re.Match[str]) -> str:
        frame = Markup('<div class="tbl" tabindex="0" role="region" aria-label="{}"><table>')
        return str(frame.format(table(next(numbers))))

    # After cleaning, so that no text can make such a frame itself; a table has no attributes left.
    return Markup(re.sub("<table>", framed, cleaned).replace("</table>", "</table></div>"))  # noqa: S704  # it is clean


def _place(state: StateInline, silent: bool) -> bool:
    found = _PLACE.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        token = state.push("told", "", 0)
        token.content = found[1]
    state.pos = found.end()
    return True


def _told(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Mapping[str, Any], environment: Any
) -> str:
    return str(environment["tell"](tokens[index].content))


def _fit(token: Token, link: Callable[[str], str], *, lower_by: int) -> None:
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(int(token.tag[1:]) + lower_by, 6)}"
    for child in token.children or ():
        href = child.attrGet("href") if child.type == "link_open" else None
        if isinstance(href, str) and href.startswith("/") and not href.startswith("//"):
            child.attrSet("href", link(href))

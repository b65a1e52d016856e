"""The words of one language: sentences of the portal, the city's own names, numbers, dates and plurals."""

from __future__ import annotations

from functools import cache
from gettext import c2py
from pathlib import Path
from typing import TYPE_CHECKING

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from markupsafe import Markup, escape

from metroon.base.period import first_day, grain_of
from metroon.serve.phrases import told

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from babel.messages.catalog import Catalog as Messages

TRANSLATIONS = Path(__file__).parent / "translations"
LANGUAGES = {"en": "English", "es": "Español", "vi": "Tiếng Việt", "zh-Hans": "简体中文"}
"""Languages that the portal itself speaks, each by its own name."""
ALSO = {"zh": "zh-Hans", "zh-CN": "zh-Hans", "zh-cn": "zh-Hans"}
"""Other codes that cities write for them."""
UNCONFIRMED = "Machine translation, not yet confirmed by a person."
"""A line in the head of a file of translations: whoever confirms them takes it out. A comment, since tools that write
such files drop headers that they do not know."""
_form_of = cache(c2py)


class Words:
    """What a page says, in one language.

    Args:
        language: ``en``, ``es``, ``vi`` or ``zh-Hans``.
        own: Folder of the city's own translations (``es.po`` and so on), which come before Metroon's.
        names: English words of the city -> words in this language, from synonyms in contracts.
    """

    def __init__(self, language: str, own: Path | None = None, names: Mapping[str, str] | None = None) -> None:
        self.language = language
        self.locale = Locale.parse(language, sep="-")
        self.own_name = LANGUAGES.get(language, language)
        self._names = dict(names or {})
        self._messages = [
            m for f in (own, TRANSLATIONS) if f and (m := _read(f / f"{language}.po", self.locale)) is not None
        ]
        self.is_confirmed = not any(UNCONFIRMED in m.header_comment for m in self._messages)

    def gettext(self, message: str, **values: object) -> str:
        """A sentence of the portal in this language, with its values; English where it is not translated."""
        return (self._found(message) or message) % values if values else self._found(message) or message

    def ngettext(self, one: str, many: str, n: int, **values: object) -> str:
        """A sentence with a number, in the plural form that this language has for it; ``%(n)s`` is the number."""
        given = {"n": self.number(n), **values}
        for messages in self._messages:
            found = messages.get(one)
            forms = found.string if found is not None else ""
            if isinstance(forms, list | tuple) and all(forms):
                chosen = forms[min(_form_of(messages.plural_expr)(n), len(forms) - 1)]
                return str(chosen) % given
        return (one if n == 1 else many) % given

    def of(self, text: str) -> Markup:
        """The city's own words in this language; English ones are marked as English."""
        found = self.plain(text)
        if found == text and self.language != "en" and not self.knows(text):
            return Markup('<span lang="en">{}</span>').format(text)
        return escape(found)

    def plain(self, text: str) -> str:
        """The city's own words in this language, English where nobody translated them, without any mark.

        A sentence that another room made is known by its form, and its values are written as here they are.
        """
        if not text:
            return ""
        return self._found(text) or self._names.get(text) or told(text, self) or text

    def knows(self, text: str) -> bool:
        """Whether the city's own words are translated into this language."""
        return self.language == "en" or not text or self.finds(text) or told(text, self) is not None

    def finds(self, text: str) -> bool:
        """Whether a text stands in the translations just as it is."""
        return bool(self._found(text)) or text in self._names

    def has(self, message: str) -> bool:
        """Whether a sentence of the portal is translated, in all its forms."""
        found = next((m for messages in self._messages if (m := messages.get(message)) is not None), None)
        if found is None or found.fuzzy or not found.string:
            return False
        return True if isinstance(found.string, str) else all(found.string)

    def number(self, x: float, digits: int | None = None) -> str:
        """A number as this language writes it, with at most so many digits after the point.

        Example:
            >>> Words("en").number(1234.5), Words("vi").number(1234.5)
            ('1,234.5', '1.234,5')
        """
        most = 2 if digits is None else digits
        rounded = round(x, most) + 0.0  # -0.0 is 0 to a reader
        return format_decimal(rounded, f"#,##0.{'#' * most}" if most else "#,##0", locale=self.locale)

    def percent(self, share: float, digits: int = 0) -> str:
        """A share (0-1) as percent."""
        return format_percent(share, f"#,##0.{'0' * digits}%" if digits else "#,##0%", locale=self.locale)

    def day(self, on: date) -> str:
        """A day."""
        return format_date(on, "medium", locale=self.locale)

    def month(self, on: date) -> str:
        """A month with its year."""
        return format_skeleton("yMMM", on, locale=self.locale)

    def period(self, period: str) -> str:
        """A period in words, such as 2025 or Jul 2025."""
        grain = grain_of(period)
        return self.month(first_day(period)) if grain == "month" else period

    def _found(self, message: str) -> str:
        for messages in self._messages:
            found = messages.get(message)
            if found is not None and isinstance(found.string, str) and found.string and not found.fuzzy:
                return found.string
        return ""


def _read(file: Path, locale: Locale) -> Messages | None:
    if not file.is_file():
        return None
    with file.open("rb") as opened:
        return read_po(opened, locale=str(locale))

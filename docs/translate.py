"""Gather the sentences of the portal into the files that translators work on.

Every sentence stands in English in a template or in the code, and is its own key in
``src/metroon/serve/translations/LANGUAGE.po``. Run it after a change of a sentence:

    python docs/translate.py            add new sentences, drop those that are gone
    python docs/translate.py --check    only tell what is missing, one line for each sentence and language

Who confirms a machine translation takes the line that says so out of the head of the file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from metroon.serve.words import UNCONFIRMED

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
SERVE = ROOT / "src" / "metroon" / "serve"
TRANSLATIONS = SERVE / "translations"
LANGUAGES = ("es", "vi", "zh-Hans")
_METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
_OPTIONS = {"templates/**.html": {"trimmed": "true", "extensions": "jinja2.ext.i18n"}}


def sentences() -> Catalog:
    """Every sentence of the portal, in the order of the files."""
    made = Catalog(charset="utf-8")
    for file, _, message, _, context in extract_from_dir(str(SERVE), _METHODS, _OPTIONS):
        if not file.startswith("terminal"):
            made.add(message, locations=[(f"serve/{file}", 0)], context=context)
    return made


def translated(language: str) -> Catalog:
    """The translations of a language as they stand."""
    file = TRANSLATIONS / f"{language}.po"
    locale = Locale.parse(language, sep="-")
    if not file.is_file():
        return Catalog(locale=locale)
    with file.open("rb") as opened:
        return read_po(opened, locale=str(locale))


def missing(language: str) -> Iterator[str]:
    """Sentences that a language lacks."""
    known = translated(language)
    for message in sentences():
        if not message.id:
            continue
        found = known.get(message.id if isinstance(message.id, str) else message.id[0])
        forms = [] if found is None else [found.string] if isinstance(found.string, str) else [*found.string]
        if not forms or not all(forms) or (found is not None and found.fuzzy):
            yield message.id if isinstance(message.id, str) else message.id[0]


def update(language: str) -> None:
    """Write the file of a language with all sentences, and what is translated of them."""
    known = translated(language)
    known.update(sentences(), no_fuzzy_matching=True)
    known.obsolete.clear()
    known.project, known.version, known.copyright_holder = "Metroon", "0.1", "The Metroon contributors"
    header = [f"The portal's sentences in {known.locale.english_name}."]  # type: ignore[union-attr]
    if UNCONFIRMED in known.header_comment or not (TRANSLATIONS / f"{language}.po").is_file():
        header.append(UNCONFIRMED)
    known.header_comment = "\n".join(f"# {line}" for line in header)
    with (TRANSLATIONS / f"{language}.po").open("wb") as out:
        write_po(out, known, width=0, omit_header=False, sort_output=True, include_lineno=False)


def main() -> int:
    """Do what the command line asks."""
    parser = argparse.ArgumentParser(description="Gather the sentences of the portal for translators.")
    parser.add_argument("--check", action="store_true", help="only tell what is missing")
    if parser.parse_args().check:
        lacking = [(n, s) for n in LANGUAGES for s in missing(n)]
        for language, sentence in lacking:
            print(f"{language}: {sentence}")
        return 1 if lacking else 0
    for language in LANGUAGES:
        update(language)
    return 0


if __name__ == "__main__":
    sys.exit(main())

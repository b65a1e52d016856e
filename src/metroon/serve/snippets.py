"""How to use a dataset in other programs, built in one place: pages show these texts and tests run them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from metroon.base.catalog import Column, Dataset
    from metroon.serve.words import Words


@dataclass(frozen=True)
class Snippet:
    """One way to use a dataset.

    Args:
        id: Its permanent name, such as ``python``.
        title: What people call the program.
        language: What the code is written in, for those who color it; empty for plain words.
        code: What to type or to paste.
        note: What to know before, in a sentence; may be empty.
    """

    id: str
    title: str
    language: str
    code: str
    note: str = ""

    @property
    def colored(self) -> Markup:
        """The code with its words, texts and comments marked."""
        return colored(self.code, self.language)


def snippets(dataset: Dataset, *, address: str, words: Words, version: int | None = None) -> tuple[Snippet, ...]:
    """Every way to use a dataset whose rows are published; none for others.

    Args:
        dataset: Which.
        address: The portal's own address, without a slash at its end.
        words: The language of the notes.
        version: One version of it; None for the newest of the moment.
    """
    if not dataset.has_rows:
        return ()
    name, pin = dataset.name, f"?version={version}" if version else ""
    # For programs: the other CSV marks cells that a spreadsheet would run.
    raw = f"{pin}&raw=1" if pin else "?raw=1"
    file = f"{address}{dataset.path}"
    group = _group(dataset)
    return (
        Snippet(
            "spreadsheet",
            words.gettext("Spreadsheet"),
            "",
            f"{file}.xlsx{pin}",
            words.gettext(
                "Open this address in Excel, LibreOffice or Numbers. The file has a sheet that says what each column "
                "means. In Google Sheets, type =IMPORTDATA with the address of the CSV file."
            ),
        ),
        Snippet(
            "python", "Python", "python", _python(name, f"{file}.parquet{pin}", group), _needs("pandas, pyarrow", words)
        ),
        Snippet("r", "R", "r", _r(name, f"{file}.csv{raw}", group), words.gettext("It needs no package.")),
        Snippet(
            "sql",
            "SQL",
            "sql",
            _sql(name, f"{file}.parquet{pin}", group),
            words.gettext("For DuckDB. Save the file first; then the query reads it where it lies."),
        ),
        Snippet("curl", "curl", "shell", _curl(name, f"{file}.csv{pin}", f"{address}/api/v1/datasets/{name}/rows"), ""),
        Snippet(
            "assistant",
            words.gettext("AI assistant"),
            "",
            _assistant(dataset, f"{file}.csv{raw}", words),
            words.gettext("Paste this into an assistant. Check what it answers against the numbers on this site."),
        ),
    )


def _needs(packages: str, words: Words) -> str:
    return words.gettext("It needs the packages %(names)s.", names=packages)


def _group(dataset: Dataset) -> Column | None:
    """A column whose values make sense to be counted: one with a closed list."""
    held = [c for c in dataset.columns if c.is_open and c.type == "string"]
    return next((c for c in held if len(c.allowed) > 1), None)


def _python(name: str, address: str, group: Column | None) -> str:
    said = [f"import pandas as pd\n\n{_variable(name)} = pd.read_parquet({_quoted(address)})"]
    said.append(
        f"print({_variable(name)}[{_quoted(group.name)}].value_counts())"
        if group
        else f"print({_variable(name)}.head())"
    )
    return "\n".join(said)


def _r(name: str, address: str, group: Column | None) -> str:
    read = f"{_variable(name)} <- read.csv({_quoted(address)})"
    return f"{read}\n{f'table({_variable(name)}[[{_quoted(group.name)}]])' if group else f'head({_variable(name)})'}"


def _sql(name: str, address: str, group: Column | None) -> str:
    asked = f"select {_column(group.name)}, count(*) as n" if group else "select *"
    end = "group by all\norder by n desc;" if group else "limit 10;"
    return f"-- {address}\n-- saved as {name}.parquet\n{asked}\nfrom '{name}.parquet'\n{end}"


def _curl(name: str, file: str, rows: str) -> str:
    return f'curl --fail --location --output {name}.csv "{file}"\n\n# A few rows as JSON\ncurl --fail "{rows}?limit=5"'


def _assistant(dataset: Dataset, address: str, words: Words) -> str:
    """What an assistant must know so that it does not guess: columns, what is missing, what must not be done."""
    lines = [
        words.gettext('I use the open dataset "%(title)s".', title=words.plain(dataset.title)),
        words.plain(dataset.description),
        words.plain(dataset.grain),
        words.gettext("Its rows are at %(address)s (CSV, UTF-8).", address=address),
        "",
        words.gettext("Columns:"),
        *(_told(c, words) for c in dataset.columns if c.is_open),
        "",
        words.gettext("Known gap: %(gap)s", gap=words.plain(dataset.gap)) if dataset.gap else "",
        words.gettext("It must not be used for: %(limits)s", limits=words.plain(dataset.limitations))
        if dataset.limitations
        else "",
        words.gettext(
            "Write code that reads the file and answers my question. Say what the data cannot answer. Do not guess "
            "values, and do not try to find out who a person is."
        ),
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


def _told(column: Column, words: Words) -> str:
    title, told = words.plain(column.title), " ".join(words.plain(column.description).split())
    if told:
        return f"- {column.name} ({column.type}): {title}. {told}"
    return f"- {column.name} ({column.type}): {title}"


def _variable(name: str) -> str:
    """A name that Python and R take for a variable."""
    told = re.sub(r"\W", "_", name, flags=re.ASCII)
    return told if told[:1].isalpha() else f"data_{told}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _column(name: str) -> str:
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'


_PARTS = {
    "python": re.compile(r"(?P<c>#.*)|(?P<s>\"(?:\\.|[^\"\\])*\")|(?P<k>\b(?:import|as|print)\b)"),
    "r": re.compile(r"(?P<c>#.*)|(?P<s>\"(?:\\.|[^\"\\])*\")|(?P<k><-|\b(?:read\.csv|table|head)\b)"),
    "sql": re.compile(
        r"(?P<c>--.*)|(?P<s>'[^']*')|(?P<k>\b(?:select|from|group by|order by|as|desc|limit|all|count)\b)"
    ),
    "shell": re.compile(r"(?P<c>#.*)|(?P<s>\"[^\"]*\")|(?P<k>\bcurl\b)"),
}


def colored(code: str, language: str) -> Markup:
    """Code as HTML: words of the language, texts and comments are marked, all else is escaped.

    Example:
        >>> print(colored('x <- "<b>"', "r"))
        x <span class="k">&lt;-</span> <span class="s">&#34;&lt;b&gt;&#34;</span>
    """
    parts = _PARTS.get(language)
    if parts is None:
        return escape(code)
    made, at = Markup(""), 0
    for found in parts.finditer(code):
        made += escape(code[at : found.start()])
        made += Markup('<span class="{}">{}</span>').format(found.lastgroup or "", found.group())
        at = found.end()
    return made + escape(code[at:])

import importlib.util
import re
from datetime import date
from pathlib import Path

import pytest
from click import Group
from snippets import blocks

from metroon.base import kinds
from metroon.base.node import validate
from metroon.base.scorecard import RANKS
from metroon.city.city import CityFile
from metroon.city.contract import CLASSES
from metroon.city.properties import CUSTOM
from metroon.city.yaml import read
from metroon.cli import main
from metroon.guard.cells import USUAL_MINIMUM
from metroon.measure import Indicator, faults
from metroon.measure.faults import Known
from metroon.measure.interval import EXACT_BELOW
from metroon.measure.shrinkage import FEWEST_AREAS
from metroon.measure.signals import LIMITS_FROM, STRONG_AUTOCORRELATION, VERDICT_FROM, false_alarms

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
CODE = re.compile(r'"([A-Z]\d{3})"')
named = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def _anchors(page):
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def _codes_in_source():
    files = [f for f in (ROOT / "src" / "metroon").rglob("*.py") if "demo" not in f.parts]
    return {code for f in files for code in CODE.findall(f.read_text(encoding="utf-8"))}


def _command_words(page):
    """What stands after ``metroon`` in the commands of a page."""
    text = page.read_text(encoding="utf-8")
    shown = re.findall(r"^(?:\$ |    )?(?:\.venv/bin/)?metroon (.+)$", text, re.MULTILINE)
    return [words.split("#")[0].split() for words in (*shown, *re.findall(r"`(?:\.venv/bin/)?metroon ([^`]+)`", text))]


@named
def test_links_lead_somewhere(page):
    for label, target in re.findall(r"\[([^\]]*)\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        aim = (page.parent / file).resolve() if file else page
        assert aim.exists(), f"[{label}]({target})"
        assert not anchor or anchor in _anchors(aim), f"[{label}]({target})"


@named
def test_commands_exist(page):
    for words in _command_words(page):
        verb = main.commands.get(words[0])
        if words[0].startswith("-") or words[0].isupper():
            continue
        if isinstance(verb, Group) and len(words) > 1:  # a first word that is no verb is the name of something
            verb = verb.commands.get(words[1], verb.commands["name"])
        assert verb is not None, f"metroon {' '.join(words)}"
        known = {o for p in verb.params for o in p.opts} | {"-h", "--help"}
        assert {w for w in words[1:] if re.match(r"--?[a-zA-Z]", w)} <= known, f"metroon {' '.join(words)}"


@named
def test_make_targets_exist(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    asked = {*re.findall(r"^\s*make ([a-z-]+)", text, re.MULTILINE), *re.findall(r"`make ([a-z-]+)`", text)}

    assert asked <= targets


@named
def test_one_sentence_stands_on_a_line(page):
    prose = re.sub(
        r"```.*?```|`[^`]*`|^\|.*$|^ *(?:-|\d+\.) .*$",
        "",
        page.read_text(encoding="utf-8"),
        flags=re.DOTALL | re.MULTILINE,
    )
    two = re.findall(r"^.*[a-z)]\. [A-Z].*$", prose, re.MULTILINE)

    assert [] == two


def test_every_page_is_named_in_the_index():
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    linked = {(DOCS / t).resolve() for t in re.findall(r"\]\(([^)#\s]+)", index)}

    assert {p for p in DOCS.rglob("*.md") if p.name != "README.md"} <= linked


def test_every_problem_has_a_paragraph_and_no_paragraph_is_left_over():
    page = (REFERENCE / "problems.md").read_text(encoding="utf-8")

    assert _codes_in_source() == set(re.findall(r"^### ([A-Z]\d{3})", page, re.MULTILINE))


def test_every_problem_says_what_to_do():
    page = (REFERENCE / "problems.md").read_text(encoding="utf-8")
    for part in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        lines = [line for line in part.splitlines()[1:] if line and not line.startswith("#")]
        assert len(lines) >= 2, part
        assert any(line.startswith("**What to do.**") for line in lines), part


def test_every_verb_has_its_section():
    assert {f"`metroon {v}`" for v in main.commands} == set(
        re.findall(r"^## (`metroon \w+`)$", (REFERENCE / "cli.md").read_text(encoding="utf-8"), re.MULTILINE)
    )


@pytest.mark.parametrize("room", kinds.rooms())
def test_every_kind_has_its_section(room):
    page = (REFERENCE / f"{room}.md").read_text(encoding="utf-8")

    assert set(kinds.names(room)) == set(re.findall(r"^### `kind: (\w+)`$", page, re.MULTILINE))


def test_every_property_of_a_contract_is_told():
    page = (REFERENCE / "contract.md").read_text(encoding="utf-8")

    assert [] == [name for names in CUSTOM.values() for name in names if f"`{name}`" not in page]


def test_every_class_of_columns_is_told():
    page = (REFERENCE / "guard.md").read_text(encoding="utf-8")

    assert [] == [name for name in CLASSES if f"`{name}`" not in page]


def test_generated_parts_are_up_to_date():
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    written = {page: page.read_text(encoding="utf-8") for page in generate.pages()}

    assert written == generate.pages()
    assert written


def test_the_limits_that_pages_name_are_those_of_the_code():
    told = {page.stem: page.read_text(encoding="utf-8") for page in PAGES}
    hidden_share = CityFile(name="").thresholds.hidden_share

    assert f"The minimum cell is {USUAL_MINIMUM} unless" in told["guard"]
    assert f"fewer than {USUAL_MINIMUM}, is the cell rule" in told["numbers"]
    assert f"More than {hidden_share:.0%}".replace("%", " %").lower() in told["guard"].lower()
    assert f"exact below {EXACT_BELOW}, else Byar" in told["numbers"]


def test_the_limits_of_signals_and_places_that_the_page_names_are_those_of_the_code():
    told = (REFERENCE / "measure.md").read_text(encoding="utf-8")
    number = {5: "five"}[FEWEST_AREAS]

    assert f"Below {LIMITS_FROM} periods there are no limits; below {VERDICT_FROM} they are on trial" in told
    assert f"an autocorrelation above {STRONG_AUTOCORRELATION}" in told
    assert f"Fewer than {number} places lend nothing." in told
    assert f"| 24 | {false_alarms(24, rules='nhs7').last_point:.1%}".replace("%", " %") in told


def test_every_client_that_was_seen_came_to_a_door_that_there_is():
    rows = [line.split("\t") for line in (REFERENCE / "clients.tsv").read_text(encoding="utf-8").splitlines()]

    assert ["door", "client", "call"] == rows[0]
    assert rows[1:]
    assert sorted(rows[1:]) == rows[1:]
    assert {door for door, _, _ in rows[1:]} <= {*kinds.names("serve"), "file"}


def test_every_kind_of_change_is_told():
    told = (REFERENCE / "measure.md").read_text(encoding="utf-8")

    assert [] == [kind for kind in RANKS if f"`{kind}`" not in told]


def test_the_measure_that_the_page_shows_whole_is_lawful(tmp_path):
    file = tmp_path / "calls.yaml"
    file.write_text(_yaml(REFERENCE / "measure.md"), encoding="utf-8")
    node = read(file)
    made = kinds.build("measure", node, Indicator)
    known = Known({}, goals=("response",), measures=("arrivals_recorded",), as_of=date(2026, 7, 15))

    assert ["M101"] == [p.code for p in faults(made, node, known)]  # no city is there, and so no product
    assert {"baseline", "breaks", "goal", "groups", "narrative", "signals", "target"} <= set(node.value)


def test_the_city_that_the_page_shows_is_lawful(tmp_path):
    file = tmp_path / "city.yaml"
    file.write_text(_yaml(REFERENCE / "city.md"), encoding="utf-8")

    assert "Brookfield" == validate(read(file), CityFile, "Y103").name


def _yaml(page):
    return next(block.text for block in blocks(page) if block.kind == "yaml")

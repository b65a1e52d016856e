"""Another program, datacontract-cli, says the same of the same contracts and rows; where it does not, why is listed.

It runs in an environment of its own: ``make oracle`` makes it. Without that these tests are skipped.
"""

import csv
import json
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from test_contract_changes import CHANGES
from test_mutations import KEY, PROMISES, rows

from tiny import checked, promise, text

ROOT = Path(__file__).parent.parent.parent
PYTHON = ROOT / ".venv" / "oracle" / "bin" / "python"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="datacontract-cli is not here: make oracle"),
]

NOT_THEIRS = "it runs no such check"
_UNREAD = "it tells a type by the reader's error; rows that fit leave no verdict"
_FORMAT = "it holds no text and no number to a format"
DIFFERENCES = {
    **dict.fromkeys((f"logicalType {t}" for t in ("integer", "number", "boolean", "date", "timestamp")), _UNREAD),
    "logicalType object": _UNREAD,
    "integer format i64": _UNREAD,
    **dict.fromkeys(
        (f"string format{f}" for f in ("", " uuid", " uri", " hostname", " ipv4", " ipv6", " byte")), _FORMAT
    ),
    **dict.fromkeys((f"integer format{f}" for f in ("", " u16", " i32")), _FORMAT),
    "number format": f"{_FORMAT}; it reads numbers as decimals, into which 3.4e38 does not fit",
    "date format": "it reads dates as the database does, whatever their format",
    "timestamp format": "as above",
    "timestamp timezone": "its reader of CSV takes no times with an offset",
    "timestamp timezone false": "it looks at no offset",
    "integer multipleOf": "it runs no such check; large whole numbers do not fit its 32 bits",
    "number multipleOf": "it runs no such check",
    "metric duplicateValues in percent": "it takes percent for nullValues, missingValues and invalidValues only",
    "type sql in percent": "it compares the count itself with the percentage (datacontract/datacontract-cli #1485)",
    "type sql in percent of a total": "as above; the property is our own",
}
"""Case -> why the other program says something else, or nothing."""
CHANGED_OTHERWISE: dict[str, str] = {
    "the classification of v is direct, no longer public": "it passes classes by; here they decide what may leave",
    "v is required": "it asks what readers may receive; here rows that they received until now are set aside",
    "1 code of v no longer allowed: b": "as above: rows with the code are set aside from now on",
    "1 code of v new: b": "here a list that grows is told, and is no reason to wait for readers",
    "v is no longer held to a list of values": "here looser rules are told: they are the steward's to set",
    "minimum of v is not said, no longer 0": "as above",
    "rule r is another": "as above",
    "the header in the file of v is another": "physicalName is the source's header; readers of the lake see the name",
    "1 missing code of v count as values now": "the property is our own",
}
"""Change -> why it is breaking there and not here, or here and not there; there, for those who read the data."""
# Checks of its own that are no promise of the contract.
BESIDE = {"field_is_present", "field_type", "schema", "Lint"}
ARROW = {"string": pa.string(), "integer": pa.int64(), "number": pa.float64()}


def asked(folders) -> list[list[list[str]]]:
    script = Path(__file__).with_name("oracle.py")
    given = json.dumps([str(f) for f in folders])
    done = subprocess.run([PYTHON, script], input=given, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def written(folder: Path, declared: dict, values, kind: str) -> Path:
    """A contract and its data as the other program reads them: it takes some rules below the table only."""
    folder.mkdir(parents=True)
    listed = rows(values).rows
    if kind == "csv":
        with (folder / "toys.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["k", "v"], *listed])
    else:
        type_ = ARROW[declared["logicalType"]]
        made = {"k": pa.array([k for k, _ in listed]), "v": pa.array([v or None for _, v in listed]).cast(type_)}
        pq.write_table(pa.table(made), folder / "toys.parquet")
    given = declared.get("quality", [])
    rules = [r for r in given if r.get("metric") == "rowCount" or "properties" in r.get("arguments", {})]
    table = {"name": "toys"} | ({"quality": rules} if rules else {})
    kept = {k: v for k, v in declared.items() if k != "quality" or not rules}
    server = {"server": "here", "type": "local", "path": str(folder / f"toys.{kind}"), "format": kind}
    contract = {
        "apiVersion": "v3.2.0", "kind": "DataContract", "id": "toys", "name": "toys", "version": "1.0.0",
        "status": "active", "servers": [server], "schema": [{**table, "properties": [KEY, kept]}],
    }  # fmt: skip
    # JSON is YAML too.
    (folder / "contract.yaml").write_text(json.dumps(contract))
    return folder


def theirs(name: str, found: list[list[str]]) -> str:
    kept = [c for c in found if c[0] not in BESIDE or (PROMISES[name][3] == "v.type" and c[0] == "field_type")]
    if not kept or all(result in ("none", "warning", "info", "skipped") for _, result, _ in kept):
        return "not run"
    if any("Error evaluating" in why for _, _, why in kept) or any(result == "error" for _, result, _ in kept):
        return "error"
    return "broken" if any(result == "failed" for _, result, _ in kept) else "kept"


def may_be_parquet(name: str) -> bool:
    declared, _, _, rule = PROMISES[name]
    return declared["logicalType"] in ARROW and rule != "v.type"


CASES = [
    (name, word, kind)
    for name, (_, good, bad, _) in PROMISES.items()
    for word, values in (("good", good), ("bad", bad))
    for kind in ("csv", "parquet")
    if values is not None and (kind == "csv" or may_be_parquet(name))
]


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> dict[tuple[str, str, str], list[list[str]]]:
    """What the other program says of every case, asked all at once: it starts slowly."""
    home = tmp_path_factory.mktemp("oracle")
    folders = []
    for i, (name, word, kind) in enumerate(CASES):
        declared, good, bad, _ = PROMISES[name]
        folders.append(written(home / str(i), declared, good if word == "good" else bad, kind))
    return dict(zip(CASES, asked(folders), strict=True))


@pytest.mark.parametrize("name", PROMISES)
def test_both_programs_say_the_same_of_a_promise_or_why_not_is_listed(name, said, engine):
    declared, good, bad, rule = PROMISES[name]
    found = set()
    for _, word, kind in (c for c in CASES if c[0] == name):
        made = checked(engine, promise(KEY, declared), rows(good if word == "good" else bad))
        ours = "broken" if next(v for v in made.verdicts if v.rule == rule).is_broken else "kept"
        other = theirs(name, said[name, word, kind])
        if other != ours:
            found.add(f"{kind}, {word} rows: {other}, not {ours}")

    assert (name in DIFFERENCES) is bool(found), sorted(found)


def test_both_programs_say_the_same_of_changes_or_why_not_is_listed(tmp_path):
    folders = []
    for i, (before, after, _, _) in enumerate(CHANGES):
        folders.append(tmp_path / str(i))
        folders[-1].mkdir()
        for file, columns in (("before.yaml", before), ("after.yaml", after)):
            listed = columns if isinstance(columns, tuple) else (columns,)
            contract = {
                "apiVersion": "v3.2.0", "kind": "DataContract", "id": "toys", "name": "toys", "version": "1.0.0",
                "status": "active", "schema": [{"name": "toys", "properties": [text("k"), *listed]}],
            }  # fmt: skip
            (folders[-1] / file).write_text(json.dumps(contract))
    other = [dict(found)["consumer"] for found in asked(folders)]
    differing = {
        what for (_, _, what, is_breaking), theirs in zip(CHANGES, other, strict=True) if theirs is not is_breaking
    }

    assert set(CHANGED_OTHERWISE) == differing


def test_our_own_contracts_pass_its_lint(tmp_path):
    ours = sorted([*ROOT.glob("examples/*/products/*/contract.yaml"),
                   *ROOT.glob("src/metroon/demo/city/products/*/contract.yaml")])  # fmt: skip
    folders = []
    for i, file in enumerate(ours):
        folders.append(tmp_path / str(i))
        folders[-1].mkdir()
        (folders[-1] / "lint.yaml").write_bytes(file.read_bytes())
    wrong = {str(f): [c for c in found if c[1] != "passed"] for f, found in zip(ours, asked(folders), strict=True)}

    assert ours
    assert {} == {f: checks for f, checks in wrong.items() if checks}

from pathlib import Path

import pytest

from metroon import flow
from metroon.base import kinds
from metroon.base.errors import Refused
from metroon.base.node import Node
from metroon.city import load
from metroon.collect import Source
from metroon.walk import Walk
from tiny import AS_OF, ROWS, tiny_city

PLUGIN = '''\
"""``kind: shout``: the city's own."""

from metroon.collect.kinds.csv import Csv


class Shout(Csv):
    """CSV files whose names are shouted.

    Args:
        loud: How loud.
    """

    loud: bool = True

    def deliveries(self, data):
        """Files whose names are in capitals."""
        return [p for p in super().deliveries(data) if p.stem.isupper()]
'''


def plugin(folder: Path, text: str, name: str = "shout") -> Path:
    """Write a kind of the city's own; returns the folder of plugins."""
    file = folder / "plugins" / "collect" / f"{name}.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return folder / "plugins"


def built(plugins: Path, **options: object) -> Source:
    return kinds.build("collect", Node(options, "product.yaml", {("kind",): 7}), Source, plugins)


def told(step) -> list[tuple[str, int]]:
    with pytest.raises(Refused) as refused:
        step()
    assert all(p.fix for p in refused.value.problems)
    return [(p.code, p.line) for p in refused.value.problems]


def test_a_kind_of_the_city_walks_rows_like_any_other(tmp_path):
    plugin(tmp_path, PLUGIN)
    city = tiny_city(tmp_path, product="collect: {kind: shout, path: '*.csv'}\n")
    (city / "inbox" / "CRASHES.csv").write_text(ROWS, encoding="utf-8")
    account = flow.run(Walk(load(city), AS_OF), ["crashes"]).accounts[0]

    assert ("kept", 3) == (account.outcome, account.kept)


def test_a_kind_of_the_city_stands_in_the_list_with_its_first_line(tmp_path):
    plugins = plugin(tmp_path, PLUGIN)

    assert "shout" in kinds.names("collect", plugins)
    assert "CSV files whose names are shouted." == kinds.first_line("collect", "shout", plugins)


def test_a_protection_cannot_be_shadowed(tmp_path):
    plugins = plugin(tmp_path, PLUGIN, name="csv")

    assert [("K102", 0)] == told(lambda: kinds.names("collect", plugins))


def test_an_unknown_kind_is_told_with_the_likely_one(tmp_path):
    with pytest.raises(Refused) as refused:
        built(tmp_path, kind="cvs", path="x.csv")

    assert [("K101", 7)] == [(p.code, p.line) for p in refused.value.problems]
    assert "Did you mean 'csv'?" in refused.value.problems[0].fix


@pytest.mark.parametrize("kind", [None, "", 0, ["csv"], {"csv": 1}])
def test_a_kind_is_one_word(kind, tmp_path):
    assert [("K101", 7)] == told(lambda: built(tmp_path, kind=kind))


@pytest.mark.parametrize("value", [None, "csv", ["csv"], 3])
def test_what_is_no_mapping_has_no_kind(value, tmp_path):
    assert [("K101", 1)] == told(lambda: kinds.build("collect", Node(value, "product.yaml"), Source, tmp_path))


def test_every_wrong_option_is_told_at_once(tmp_path):
    assert ["K104", "K104", "K104"] == [
        code for code, _ in told(lambda: built(tmp_path, kind="csv", pth="a.csv", delimiter=";;"))
    ]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("def broken(:\n", "K103", 1),
        ("\nimport no_such_module\n", "K103", 2),
        ("\n\n1 / 'a'\n", "K103", 3),
        ("", "K103", 0),
        (
            "from metroon.collect.kinds.csv import Csv\n\n\nclass A(Csv):\n    pass\n\n\nclass B(Csv):\n    pass\n",
            "K103",
            0,
        ),
        ("from metroon.collect import Source\nclass Half(Source): pass\n", "K103", 0),
    ],
)
def test_a_broken_plugin_is_a_problem_and_no_crash(text, code, line, tmp_path):
    plugins = plugin(tmp_path, text)

    assert [(code, line)] == told(lambda: built(plugins, kind="shout", path="x.csv"))


def test_a_plugin_below_the_package_itself_is_still_a_plugin(tmp_path):
    plugins = plugin(tmp_path / str(kinds.SRC).lstrip("/") / "demo", PLUGIN)

    assert "Shout" == kinds.find("collect", "shout", Source, plugins).__name__


@pytest.mark.parametrize("room", kinds.rooms())
def test_every_kind_has_a_page_and_frozen_options(room):
    for name in kinds.names(room):
        if room == "lake":
            continue
        kind = kinds.find(room, name, kinds.Kind)
        assert kinds.first_line(room, name)
        assert kind.model_config["frozen"]
        assert "forbid" == kind.model_config["extra"]

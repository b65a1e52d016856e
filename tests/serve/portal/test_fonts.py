"""The typefaces are cut to what is needed, once; without them the portal still has a style sheet."""

from __future__ import annotations

import importlib.resources
import io
import re
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from metroon.serve import fonts
from metroon.serve.fonts import FACES, SCRIPTS, Face, FontFiles, Fonts, cut, letters
from metroon.serve.words import LANGUAGES

ALPHABETS = {
    "en": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789–—‘’“”·…%&",
    "es": "áéíóúüñÁÉÍÓÚÜÑ¿¡ºª",
    "vi": "ăâđêôơưĂÂĐÊÔƠƯàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵỲỶỸÝỴ₫",
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fonts")


@pytest.fixture(scope="module")
def made(cache: Path) -> Fonts:
    return cut(cache)


def family(made: Fonts, slug: str) -> dict[str, TTFont]:
    found = {}
    for script in SCRIPTS:
        (name,) = [n for n in made.files or {} if re.fullmatch(rf"{slug}-{script}-[0-9a-f]+\.woff2", n)]
        found[script] = TTFont(io.BytesIO((made.files or {})[name]))
    return found


@pytest.mark.slow
def test_a_reader_of_english_fetches_less_than_60_kilobytes_of_each_typeface(made: Fonts) -> None:
    sizes = {n: len(c) for n, c in (made.files or {}).items() if n.endswith(".woff2")}

    assert 6 == len(sizes)
    assert max(sizes.values()) < 60_000
    assert sum(size for n, size in sizes.items() if "-latin-" in n and "-ext-" not in n) < 60_000


@pytest.mark.slow
@pytest.mark.parametrize("slug", [f.slug for f in FACES])
def test_every_letter_of_every_language_is_there(made: Fonts, slug: str) -> None:
    known = {c for font in family(made, slug).values() for c in font.getBestCmap()}

    assert {"zh-Hans"} == set(LANGUAGES) - set(ALPHABETS)  # Chinese is left to the system's fonts
    assert [] == [c for text in ALPHABETS.values() for c in text if ord(c) not in known]


@pytest.mark.slow
def test_browsers_find_each_letter_in_the_file_whose_range_holds_it(made: Fonts) -> None:
    for slug in (f.slug for f in FACES):
        for script, font in family(made, slug).items():
            assert set(font.getBestCmap()) <= letters(SCRIPTS[script])


@pytest.mark.slow
def test_only_the_axes_that_the_style_sheet_uses_are_left(made: Fonts) -> None:
    axes = {s: [(a.axisTag, a.minValue, a.maxValue) for a in family(made, s)["latin"]["fvar"].axes] for s in
            ("public-sans", "source-serif-4")}  # fmt: skip

    assert {"public-sans": [("wght", 400, 650)], "source-serif-4": [("wght", 400, 600)]} == axes


@pytest.mark.slow
def test_figures_of_one_width_are_kept(made: Fonts) -> None:
    features = {r.FeatureTag for r in family(made, "public-sans")["latin"]["GSUB"].table.FeatureList.FeatureRecord}

    assert "tnum" in features


@pytest.mark.slow
def test_the_licence_goes_with_each_typeface(made: Fonts) -> None:
    licences = {n: c.decode() for n, c in (made.files or {}).items() if n.endswith("-OFL.txt")}

    assert {"public-sans-OFL.txt", "source-serif-4-OFL.txt"} == set(licences)
    assert all("SIL OPEN FONT LICENSE" in text.upper() for text in licences.values())


@pytest.mark.parametrize("face", FACES, ids=[f.slug for f in FACES])
def test_the_fonts_that_stand_in_are_as_high_as_those_that_come(face: Face) -> None:
    source = TTFont(importlib.resources.files(face.package) / "files" / face.file)

    assert (face.ascent, -face.descent) == pytest.approx(
        (source["hhea"].ascent / source["head"].unitsPerEm, source["hhea"].descent / source["head"].unitsPerEm)
    )


def test_the_style_sheet_names_both_typefaces_and_those_that_stand_in() -> None:
    css = (Path(fonts.__file__).parent / "static" / "portal.css").read_text(encoding="utf-8")

    assert all(f'"{f.family}", "{f.family} Stand-in"' in css for f in FACES)
    weights = {int(w) for w in re.findall(r"\bfont(?:-weight)?:\s*(\d{3})\b", css)}
    assert all(400 <= w <= 650 for w in weights), weights


@pytest.mark.slow
def test_two_workers_that_start_together_name_a_font_alike(made: Fonts, tmp_path: Path) -> None:
    assert made == cut(tmp_path)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fonts that cost nothing to cut."""
    monkeypatch.setattr(fonts, "_cut_face", lambda face, _: {s: f"{face.slug} {s}".encode() for s in SCRIPTS})


@pytest.mark.usefixtures("quick")
def test_fonts_are_cut_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = cut(tmp_path)
    monkeypatch.setattr(fonts, "_cut_face", None)

    assert first == cut(tmp_path)


@pytest.mark.usefixtures("quick")
def test_a_cache_that_was_left_half_way_is_made_again(tmp_path: Path) -> None:
    first = cut(tmp_path / "first")
    (folder,) = (tmp_path / "first").iterdir()
    half = tmp_path / "second" / folder.name
    half.mkdir(parents=True)
    (half / "public-sans-latin-0000000000.woff2").write_bytes(b"half")

    assert first == cut(tmp_path / "second")


@pytest.mark.usefixtures("quick")
def test_a_cache_whose_list_is_broken_leaves_the_system_fonts(tmp_path: Path) -> None:
    cut(tmp_path)
    (folder,) = tmp_path.iterdir()
    (folder / "fonts.json").write_text("{")

    assert Fonts() == cut(tmp_path)


def test_without_the_packages_of_the_typefaces_the_system_fonts_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib.resources, "files", missing)

    assert Fonts() == cut(tmp_path)


@pytest.mark.usefixtures("quick")
def test_a_folder_that_cannot_be_written_leaves_the_system_fonts(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert Fonts() == cut(tmp_path / "file" / "below")


@pytest.mark.usefixtures("quick")
def test_the_style_sheet_and_the_fonts_are_served_and_kept(tmp_path: Path) -> None:
    files = FontFiles(tmp_path)
    files.ready(30)
    client = TestClient(Starlette(routes=[Route("/static/fonts/{name}", files.answer)]))
    css = client.get("/static/fonts/fonts.css")
    urls = re.findall(r"url\(([^)]+)\)", css.text)

    assert "text/css; charset=utf-8" == css.headers["content-type"]
    assert 6 == len(urls)
    for url in urls:
        font = client.get(f"/static/fonts/{url}")
        assert (200, "font/woff2") == (font.status_code, font.headers["content-type"])
        assert "immutable" in font.headers["cache-control"]
    assert 404 == client.get("/static/fonts/other.woff2").status_code


def test_nobody_waits_while_fonts_are_cut_and_nobody_keeps_the_empty_sheet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = FontFiles(tmp_path)
    monkeypatch.setattr(files, "_prepare", lambda: None)
    answer = TestClient(Starlette(routes=[Route("/static/fonts/{name}", files.answer)])).get("/static/fonts/fonts.css")

    assert (200, "", "no-store") == (answer.status_code, answer.text, answer.headers["cache-control"])

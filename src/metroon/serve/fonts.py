"""The two typefaces of the portal, cut down to the letters that its languages need."""

from __future__ import annotations

import hashlib
import importlib.resources
import io
import json
import logging
import os
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from starlette.requests import Request

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Face:
    """One typeface: where it comes from, and what of it is used.

    Args:
        family: Its name in the style sheet.
        slug: Its name in files.
        package: The package that carries it.
        file: The variable font in that package.
        axes: Axis -> one value to pin it to, or the lowest and highest value used.
        like: Fonts of the reader's system that stand in until it has come.
        like_percent: How much larger they are set, so that lines break where they will break later. Worked out from
            the widths of the portal's own sentences in both, as are the next two.
        ascent: Its height above the line, in ems.
        descent: Its depth below the line, in ems.
    """

    family: str
    slug: str
    package: str
    file: str
    axes: Mapping[str, float | tuple[float, float]]
    like: tuple[str, ...]
    like_percent: float
    ascent: float
    descent: float

    @property
    def stand_in(self) -> str:
        """The rule for the fonts that stand in: nothing moves on the page when the typeface comes."""
        fonts = ",".join(f'local("{name}")' for name in self.like)
        up, down = (100 * 100 * x / self.like_percent for x in (self.ascent, self.descent))
        return (
            f'@font-face{{font-family:"{self.family} Stand-in";src:{fonts};size-adjust:{self.like_percent:g}%;'
            f"ascent-override:{up:.1f}%;descent-override:{down:.1f}%;line-gap-override:0%}}"
        )


FACES = (
    Face(
        "Public Sans", "public-sans", "fontpkg_public_sans", "PublicSans[wght].ttf", {"wght": (400, 650)},
        ("Arial", "Helvetica", "Liberation Sans", "Roboto"), 103.9, 0.95, 0.225,
    ),
    # Cut for reading at 20 to 56 px: the optical size in between, for one file instead of an axis.
    Face(
        "Source Serif 4", "source-serif-4", "fontpkg_source_serif_4", "SourceSerif4[opsz,wght].ttf",
        {"opsz": 24, "wght": (400, 600)}, ("Times New Roman", "Times", "Liberation Serif"), 110.5, 1.036, 0.335,
    ),
)  # fmt: skip
VIETNAMESE = (
    "U+0102-0103,U+0110-0111,U+0128-0129,U+0168-0169,U+01A0-01A1,U+01AF-01B0,U+0300-0301,U+0303-0304,U+0308-0309,"
    "U+0323,U+0329,U+1EA0-1EF9,U+20AB"
)
SCRIPTS = {
    "latin": "U+0000-00FF,U+0131,U+0152-0153,U+02BB-02BC,U+02C6,U+02DA,U+02DC,U+2000-206F,U+20AC,U+2122,U+2190-2193,"
    "U+2212-2213,U+221A,U+2248,U+2260,U+2264-2265",
    "latin-ext": "U+0100-0101,U+0104-010F,U+0112-0127,U+012A-0130,U+0132-0151,U+0154-0167,U+016A-019F,U+01A2-01AE,"
    "U+01B1-02BA,U+1E00-1E9F,U+2C60-2C7F",
    "vietnamese": VIETNAMESE,
}
"""Script -> its letters. Browsers fetch a file only when a page has one of its letters."""
FEATURES = ["kern", "liga", "calt", "ccmp", "locl", "mark", "mkmk", "tnum", "lnum"]
BRIEFLY_S = 0.2
"""How long a reader waits for fonts: enough to read cut ones, not to cut them."""
CUT = 1
"""Counts up when fonts are cut in another way, so that old ones are not taken for new ones."""


@dataclass(frozen=True)
class Fonts:
    """Fonts ready to be served.

    Args:
        css: What tells browsers of them; empty when there are none, and then the system's fonts are used.
        files: Name -> content: fonts as woff2, and the licence of each typeface.
    """

    css: str = ""
    files: Mapping[str, bytes] | None = None

    def file(self, name: str) -> bytes | None:
        """The content of a file; None when there is no such file."""
        return (self.files or {}).get(name)


def cut(cache: Path) -> Fonts:
    """The fonts, cut to the letters that are needed, from the cache when they were cut before.

    Args:
        cache: Where cut fonts are kept, in a folder named by the content that they were cut from.

    Returns:
        The fonts; none when the packages that carry them are not installed or cannot be read.
    """
    try:
        sources = {f.slug: (_in(f) / f.file).read_bytes() for f in FACES}
        folder = cache / _hash(sources)
        if not (folder / "fonts.json").is_file():
            _keep(folder, {f.slug: _cut_face(f, sources[f.slug]) for f in FACES})
        return _read(folder)
    except (ImportError, OSError, ValueError, KeyError) as trouble:
        # A portal in the system's fonts is better than none.
        LOG.warning("The fonts could not be made ready (%s): the system's fonts are used.", trouble)
        return Fonts()


def default_cache() -> Path:
    """Where fonts are kept unless told otherwise: with what programs keep for the person who runs them."""
    own = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(own) if own else Path.home() / ".cache") / "metroon" / "fonts"
    except RuntimeError:  # somebody without a home
        return Path(tempfile.gettempdir()) / f"metroon-fonts-{os.getuid()}"


class FontFiles:
    """Serves the fonts at ``/static/fonts/{name}``; they are made ready beside, so that no reader waits for them.

    Args:
        cache: Where cut fonts are kept.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._fonts: Fonts | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self) -> threading.Thread:
        """Begin to make the fonts ready, once."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._prepare, name="fonts", daemon=True)
                self._thread.start()
            return self._thread

    def ready(self, timeout_s: float | None = None) -> Fonts | None:
        """The fonts, waited for; None when they are not ready in time."""
        self.start().join(timeout_s)
        return self._fonts

    def answer(self, request: Request) -> Response:
        """One file. While fonts are being cut the style sheet is empty, and nobody keeps it."""
        self.start().join(BRIEFLY_S)
        name = str(request.path_params["name"])
        fonts = self._fonts
        if name == "fonts.css":
            kept = "public, max-age=3600" if fonts is not None else "no-store"
            css = fonts.css if fonts is not None else ""
            return Response(css, media_type="text/css", headers={"Cache-Control": kept})
        content = fonts.file(name) if fonts is not None else None
        if content is None:
            raise HTTPException(404)
        kind = "font/woff2" if name.endswith(".woff2") else "text/plain"
        # The name holds the hash of the content: it never changes.
        forever = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(content, media_type=kind, headers=forever)

    def _prepare(self) -> None:
        self._fonts = cut(self._cache)


def letters(ranges: str) -> set[int]:
    """The characters of a ``unicode-range``.

    Example:
        >>> sorted(letters("U+0041-0043,U+0110"))
        [65, 66, 67, 272]
    """
    found: set[int] = set()
    for part in ranges.split(","):
        first, _, last = part.strip()[2:].partition("-")
        found |= set(range(int(first, 16), int(last or first, 16) + 1))
    return found


def _cut_face(face: Face, source: bytes) -> dict[str, bytes]:
    # Imported here: only a portal that starts for the first time cuts fonts.
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    def subset(font: TTFont, characters: set[int]) -> None:
        options = Options(layout_features=FEATURES, hinting=False, notdef_outline=True, name_IDs=[1, 2, 13, 14])
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=characters)
        subsetter.subset(font)

    # Without the time of day in them, or two workers that start together would name one font differently.
    whole = TTFont(io.BytesIO(source), recalcTimestamp=False)
    subset(whole, set().union(*map(letters, SCRIPTS.values())))
    small = io.BytesIO()
    instantiateVariableFont(whole, dict(face.axes), inplace=True).save(small)
    files = {}
    for script, ranges in SCRIPTS.items():
        font = TTFont(io.BytesIO(small.getvalue()), recalcTimestamp=False)
        subset(font, letters(ranges))
        font.flavor = "woff2"
        packed = io.BytesIO()
        font.save(packed)
        files[script] = packed.getvalue()
    return files


def _keep(folder: Path, cut_faces: Mapping[str, Mapping[str, bytes]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rules, names = [], []
    for face in FACES:
        files = cut_faces[face.slug]
        low, high = _ends(face)
        for script, content in files.items():
            name = f"{face.slug}-{script}-{hashlib.sha256(content).hexdigest()[:10]}.woff2"
            _write(folder / name, content)
            names.append(name)
            rules.append(
                f'@font-face{{font-family:"{face.family}";src:url({name}) format("woff2");'
                f"font-weight:{low:g} {high:g};font-display:swap;unicode-range:{SCRIPTS[script]}}}"
            )
        rules.append(face.stand_in)
        licence = f"{face.slug}-OFL.txt"
        _write(folder / licence, (_in(face, parent=True) / "LICENSE").read_bytes())
        names.append(licence)
    # Written last: while it is missing, the others are not looked at.
    _write(folder / "fonts.json", json.dumps({"css": "\n".join(rules), "files": names}).encode())


def _read(folder: Path) -> Fonts:
    told = json.loads((folder / "fonts.json").read_bytes())
    return Fonts(str(told["css"]), {str(n): (folder / str(n)).read_bytes() for n in told["files"]})


def _ends(face: Face) -> tuple[float, float]:
    weight = face.axes["wght"]
    return weight if isinstance(weight, tuple) else (weight, weight)


def _in(face: Face, *, parent: bool = False) -> Traversable:
    package = importlib.resources.files(face.package)
    return package if parent else package / "files"


def _hash(sources: Mapping[str, bytes]) -> str:
    how = json.dumps(
        [CUT, SCRIPTS, FEATURES, [[f.slug, f.family, dict(f.axes), f.stand_in] for f in FACES]], sort_keys=True
    )
    found = hashlib.sha256(how.encode())
    for slug in sorted(sources):
        found.update(sources[slug])
    return found.hexdigest()[:16]


def _write(file: Path, content: bytes) -> None:
    # Two servers may start at the same time: whole files only.
    beside = file.with_name(f".{file.name}.{os.getpid()}.{threading.get_ident()}")
    beside.write_bytes(content)
    beside.replace(file)

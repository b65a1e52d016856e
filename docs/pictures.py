"""Take the pictures of the portal that the pages show.

    python docs/pictures.py                  builds and runs Arroyo Vista, and takes every picture
    python docs/pictures.py --city FOLDER    takes them of a city that has been run

It needs Chromium and `pip install --group clients`.
"""

from __future__ import annotations

import argparse
import base64
import struct
import sys
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from served import browsing, fullest, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FOLDER = Path(__file__).parent / "pictures" / "portal"
TALLEST_PX = 1800
WIDTHS = {"desktop": 1280, "phone": 390}
SHOWN = {
    "home": "/", "neighborhood": "/neighborhoods/{place}", "dataset": "/datasets/street_lights",
    "goal": "/goals/{goal}", "measure": "/measures/people_injured", "plan": "/plan", "search": "/search?q=crashes",
}  # fmt: skip
"""Name of a picture -> the kind of page, of which the one with most on it is taken, or its path."""
DARK = ("neighborhood", "dataset")
# The 256 commonest colours at 5 bits a channel, and for every pixel the nearest of them.
_FEWER_COLORS = """async (address) => {
  const picture = await createImageBitmap(await (await fetch(address)).blob());
  const drawn = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
  drawn.drawImage(picture, 0, 0);
  const {data} = drawn.getImageData(0, 0, picture.width, picture.height);
  const bin = (i) => (data[i] >> 3) << 10 | (data[i + 1] >> 3) << 5 | data[i + 2] >> 3;
  const sums = new Map();
  for (let i = 0; i < data.length; i += 4) {
    const sum = sums.get(bin(i)) || [0, 0, 0, 0];
    [1, data[i], data[i + 1], data[i + 2]].forEach((x, k) => sum[k] += x);
    sums.set(bin(i), sum);
  }
  const mean = ([n, ...rgb]) => rgb.map((x) => Math.round(x / n));
  const palette = [...sums.values()].sort((a, b) => b[0] - a[0]).slice(0, 256).map(mean);
  const apart = (a, b) => a.reduce((sum, x, k) => sum + (x - b[k]) ** 2, 0);
  const nearest = new Map([...sums].map(([key, sum]) => {
    const far = palette.map((p) => apart(p, mean(sum)));
    return [key, far.indexOf(Math.min(...far))];
  }));
  const told = new Uint8Array(data.length / 4).map((_, i) => nearest.get(bin(4 * i)));
  let text = '';
  for (let i = 0; i < told.length; i += 8192) text += String.fromCharCode(...told.subarray(i, i + 8192));
  return {width: picture.width, height: picture.height, palette: palette.flat(), pixels: btoa(text)};
}"""


def take(browser: Browser, address: str, *, width: int, theme: str) -> bytes:
    """The upper part of a page as a PNG of at most 256 colours."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
    )  # fmt: skip
    page = context.new_page()
    page.goto(address)
    page.evaluate("() => document.fonts.ready.then(() => true)")
    height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST_PX)
    taken = page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
    page.goto("about:blank")
    found = page.evaluate(_FEWER_COLORS, "data:image/png;base64," + base64.b64encode(taken).decode())
    context.close()
    return _png(found["width"], found["height"], bytes(found["palette"]), base64.b64decode(found["pixels"]))


def _png(width: int, height: int, palette: bytes, pixels: bytes) -> bytes:
    """PNG, third edition, with a palette and no filter, which suits flat colours."""
    rows = b"".join(b"\0" + pixels[i : i + width] for i in range(0, width * height, width))
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def main() -> int:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--city", type=Path, help="a city that has been run")
    given = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with served(given.city) as (address, portal), browsing.browsing() as browser:
        known = fullest(address, portal)
        for name, kind in SHOWN.items():
            for size, width in WIDTHS.items():
                for theme in ("light", "dark") if name in DARK else ("light",):
                    file = FOLDER / f"{name}-{size}{'-dark' if theme == 'dark' else ''}.png"
                    file.write_bytes(take(browser, address + known.get(kind, kind), width=width, theme=theme))
                    print(f"{file.name} {file.stat().st_size // 1000} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())

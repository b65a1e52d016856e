"""Makes the lakes that later versions must be able to open: ``python tests/upgrade/make.py`` with the code of today.

An invented town is run three times, with a delivery more each time, a delivery that is refused, and rows set aside. The
folder is packed as it stands, into a file named after the format of its lake. Such a file is kept for ever: a change of
the format makes a new one beside it.
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from metroon.lake import format as formats  # noqa: E402  # after the path of the tests
from town import WARDS, small_town, stays  # noqa: E402

LEFT_OUT = {"cache", "scratch", "run.lock", "ledger.lock"}


def make(to: Path) -> Path:
    """Run the town and pack it; returns the file."""
    with tempfile.TemporaryDirectory() as folder:
        town = small_town(Path(folder) / "town", places=["ward"])
        town.city(as_of="2026-03-15", invented=True)
        town.run()
        for n in (1, 2):
            rows = stays(dict.fromkeys(WARDS, 20))
            rows = [{**r, "id": f"d{n}-{r['id']}", "person": f"d{n}-{r['person']}"} for r in rows]
            town.csv(f"stays_{n}.csv", [*rows, {**rows[0], "day": "yesterday"}])
            town.run()
        town.write("inbox/stays_3.csv", "not,the,promised,columns\n1,2,3,4\n")
        town.run()
        file = to / f"format_{formats.NOW}.tar.gz"
        with tarfile.open(file, "w:gz") as out:
            out.add(town.folder, "town", filter=_plain)
    return file


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if LEFT_OUT & set(Path(info.name).parts):
        return None
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


if __name__ == "__main__":
    print(make(HERE))

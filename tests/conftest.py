"""What tests of several rooms share."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

from metroon.base.engine import Engine

ROOT = Path(__file__).parent.parent

# How fast a machine is proves nothing: no example fails for being slow. Where a change is judged its examples are the
# same in every run, so that it lands or not for what it changes; everywhere else they are drawn anew.
settings.register_profile("metroon", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("metroon")

# A walk makes and drops many small objects, beside all that is imported: they need not be looked through so often.
gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real city files, outside the repo; tests that need it are skipped where it is not."""
    folder = Path(os.environ.get("METROON_DATA") or ROOT.parent / "shared" / "data").resolve()
    if not folder.is_dir():
        pytest.skip(f"the real city files are not here: set METROON_DATA to their folder ({folder} is none)")
    return folder


@pytest.fixture(scope="session")
def engine() -> Engine:
    """One engine for all tests: what a test puts into it bothers no other."""
    return Engine()

"""Real data as event lines, made by the programs under examples/."""

import os
import runpy
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from unittest import mock

import pytest

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("RADVIGIL_DATA", ROOT.parent / "shared" / "data"))


def event_lines(program: str, *arguments: str) -> list[bytes]:
    """What `python examples/<program> <arguments>` writes; skips where the data are absent."""
    if not DATA.is_dir():
        if os.environ.get("CI"):
            raise FileNotFoundError(f"{DATA}: CI has the real data")
        pytest.skip(f"no real data at {DATA}; name their folder in RADVIGIL_DATA")
    written = StringIO()
    command = [program, *arguments]
    with redirect_stdout(written), mock.patch.object(sys, "argv", command):
        runpy.run_path(str(ROOT / "examples" / program), run_name="__main__")
    return written.getvalue().encode().splitlines()


def nih(*arguments: str) -> list[bytes]:
    """NIH ChestX-ray14, stream D01: one image of each patient from 3001 to 12000."""
    return event_lines("nih_cxr14.py", str(DATA / "nih_cxr14_dev.parquet"), *arguments)

"""Programs from the npm registry that tests judge our output with, each fetched once."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CACHE = Path(__file__).parents[2] / ".cache"


class Unavailable(Exception):
    """The program cannot be had here; the message says what is missing."""


def tool(name: str, package: str) -> Path:
    """The folder with a package in its `node_modules`; no script of a package is run.

    Without Node or the registry the test is skipped, but not in CI.
    """
    try:
        return _fetched(CACHE / name, package)
    except Unavailable as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no {package}: {reason}")


def _fetched(folder: Path, package: str) -> Path:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Unavailable("Node and npm are missing")
    done = folder / "fetched"
    if done.exists() and done.read_text() == package:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    quick = ["--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--no-save"]
    command = [npm, "install", "--prefix", str(folder), *quick, package]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if ran.returncode != 0:
        raise Unavailable("npm could not fetch it: " + ran.stderr[-500:])
    done.write_text(package)
    return folder

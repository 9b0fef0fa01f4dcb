"""What is shipped: the wheel has every file of the packages, the image what it copies."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "detectors", "streams")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    if find_spec("hatchling") is None and not os.environ.get("CI"):
        pytest.skip("hatchling is missing, which builds the wheel")
    folder = tmp_path_factory.mktemp("wheel")
    build = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run(
        [sys.executable, "-m", *build, "--wheel-dir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
        timeout=120,
    )
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def files_of_the_packages() -> set[str]:
    """As git has them, or where there is no git: all but what Python leaves behind."""
    if shutil.which("git"):
        ls = ["git", "ls-files", *PACKAGES]
        listed = subprocess.run(ls, cwd=ROOT, capture_output=True, text=True, check=False)
        if listed.returncode == 0:
            return {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    found = (file for package in PACKAGES for file in (ROOT / package).rglob("*"))
    return {
        str(file.relative_to(ROOT))
        for file in found
        if file.is_file() and file.parent.name != "__pycache__"
    }


def test_it_has_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    files = files_of_the_packages()

    assert {Path(name).suffix for name in files} >= {".html", ".css", ".js", ".toml", ".py"}
    assert files - set(wheel.namelist()) == set()


def test_it_has_nothing_but_them_and_what_a_wheel_is_made_of(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}

    (about,) = tops - set(PACKAGES)
    assert re.fullmatch(r"radvigil-[\d.]+\.dist-info", about)
    assert f"{about}/licenses/LICENSE" in wheel.namelist()
    entries = wheel.read(f"{about}/entry_points.txt").decode()
    assert "radvigil = streams.cli:main" in entries


def test_everything_that_the_image_copies_is_here_and_not_ignored() -> None:
    docker = (ROOT / "Dockerfile").read_text()
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", docker, re.MULTILINE)
        for name in line.split()
    ]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert len(copied) >= 6
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert [name for name in copied if f"!{name}" not in ignored] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {project["readme"], "LICENSE", "pyproject.toml"} <= set(copied)

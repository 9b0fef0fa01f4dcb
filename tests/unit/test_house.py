"""The house rules that no other tool knows."""

import re
import subprocess
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest

from bench.__main__ import ASKED_FOR, BENCHES
from streams.cli import COMMANDS

ROOT = Path(__file__).parents[2]
OURS = ("schemas", "detectors", "streams")
LONGEST = 400  # lines; the aim is 250
TEXT = {".py", ".md", ".toml", ".yml", ".yaml", ".json", ".jsonl", ".mjs", ""}
DOCUMENTS = ("README.md", "CONTRIBUTING.md", *(f"docs/{name}.md" for name in ("OPERATIONS",)))


def shipped() -> list[Path]:
    """What git knows, or will know: every file that is not ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: what is shipped cannot be told from what lies around")
    paths = [ROOT / name for name in listed.stdout.splitlines()]
    return [path for path in paths if path.is_file()]


def sources() -> list[Path]:
    return [path for package in OURS for path in sorted((ROOT / package).rglob("*.py"))]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", sources(), ids=relative)
def test_a_file_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()

    assert text.count("\n") <= LONGEST
    assert text.startswith('"""') or not text.strip()


@pytest.mark.parametrize("path", sources(), ids=relative)
def test_names_say_something(path: Path) -> None:
    empty = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc", "base"}

    assert not empty & set(path.stem.split("_"))


def test_no_path_of_somebodys_machine() -> None:
    homes = re.compile(r"(?<![\w.~-])/(?:work|root|home|Users)/\w")
    found = [
        f"{relative(path)}: {match[0]}"
        for path in shipped()
        if path.suffix in TEXT
        for match in homes.finditer(path.read_text(errors="replace"))
    ]

    assert found == []


def test_no_test_of_the_core_sleeps() -> None:
    sleeps = re.compile(r"\b(?:time|asyncio)\.sleep\(")
    found = [
        relative(path)
        for kind in ("unit", "property", "simulation")
        for path in (ROOT / "tests" / kind).rglob("*.py")
        if path != Path(__file__) and sleeps.search(path.read_text())
    ]

    assert found == []


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", [*DOCUMENTS, ".ci/run"])
def test_every_make_command_in_a_document_exists(name: str) -> None:
    text = (ROOT / name).read_text()
    at_start = "^" if name == ".ci/run" else "(?:^ {4}|`)"
    named = re.findall(rf"{at_start}make ([a-z-]+)", text, re.MULTILINE)

    assert set(named) <= targets()


def test_the_two_commands_are_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()

    assert "make demo" in text
    assert "make test" in text


@pytest.mark.parametrize("command", [name.replace("_", "-") for name in COMMANDS])
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"radvigil {command}" in (ROOT / "README.md").read_text()


def test_every_bench_can_be_named() -> None:
    programs = {
        path.parent.name if path.stem == "__main__" else path.stem
        for path in (ROOT / "bench").rglob("*.py")
        if 'if __name__ == "__main__"' in path.read_text() and "peers" not in path.parts
    }

    assert programs - {"bench"} == set(BENCHES)
    assert set(ASKED_FOR) <= set(BENCHES)


def test_links_in_documents_lead_somewhere() -> None:
    broken = [
        f"{relative(path)}: {target}"
        for path in shipped()
        if path.suffix == ".md"
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())
        if not (path.parent / target).exists()
    ]

    assert broken == []


def test_our_package_names_are_nobody_elses_here() -> None:
    """`pip install` of another distribution with such a name overwrites ours without a word."""
    owners = packages_distributions()

    assert {name: set(owners.get(name, ())) - {"radvigil"} for name in OURS} == {
        name: set() for name in OURS
    }


def test_no_dependency_brings_our_package_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = [re.split(r"[^\w.-]", requirement)[0] for requirement in needed]

    for name in names:
        tops = {file.parts[0] for file in distribution(name).files or () if len(file.parts) > 1}
        assert not tops & set(OURS), name


def dropped_for() -> set[str]:
    """What the core counts as dropped: `radvigil_dropped_total`, and the end of a replay."""
    edges = {"cli", "delivery", "ingest", "notifiers", "web"}
    texts = [
        path.read_text()
        for path in (ROOT / "streams").rglob("*.py")
        if not edges & set(path.relative_to(ROOT / "streams").parts)
    ]
    named = {
        reason
        for text in texts
        for reason in re.findall(r'(?:dropped|self\.counts|rejected)\["(\w+)"\] \+=', text)
    }
    waiting = {who for text in texts for who in re.findall(r'WaitingRoom\(\s*"(\w+)"', text)}
    return named | {f"{who}_{end}" for who in waiting for end in ("overflow", "in_vain")}


def test_the_document_says_what_to_do_about_everything_that_is_dropped() -> None:
    """A replay that has dropped something sends its reader there."""
    text = (ROOT / "docs/OPERATIONS.md").read_text()
    bounds = text.split("### Bounds")[1].split("\n## ")[0]

    assert {"series_overflow", "unpaired_in_vain"} <= dropped_for()
    assert {reason for reason in dropped_for() if f"`{reason}`" not in bounds} == set()

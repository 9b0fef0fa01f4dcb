"""Our AsyncAPI document, read by AsyncAPI's own parser; without Node skipped, but not in CI."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from schemas import asyncapi
from schemas.config import Config
from schemas.topics import topics_of

PARSER = "@asyncapi/parser@3.6.3"
HERE = Path(__file__).parent
FOLDER = HERE.parents[1] / ".cache" / "asyncapi"
ERROR = 0  # severity


class Unavailable(Exception):
    """The parser cannot be had here; the message says what is missing."""


def parser() -> Path:
    """The folder with the parser, fetched once by npm; no script of a package is run."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise Unavailable("Node and npm are missing: they run AsyncAPI's parser")
    if (FOLDER / "node_modules/@asyncapi/parser").exists():
        return FOLDER
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(FOLDER), "--ignore-scripts", "--no-audit", PARSER]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if ran.returncode != 0:
        raise Unavailable("npm could not fetch AsyncAPI's parser: " + ran.stderr[-500:])
    return FOLDER


@pytest.fixture(scope="module")
def parse(tmp_path_factory: pytest.TempPathFactory) -> Any:
    try:
        folder = parser()
    except Unavailable as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"no AsyncAPI parser: {reason}")

    def run(document: dict[str, Any]) -> dict[str, Any]:
        path = tmp_path_factory.mktemp("asyncapi") / "asyncapi.json"
        path.write_text(json.dumps(document))
        command = ["node", str(HERE / "asyncapi_parse.mjs"), str(folder), str(path)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        answer: dict[str, Any] = json.loads(ran.stdout)
        return answer

    return run


def complaints(answer: dict[str, Any]) -> list[str]:
    """What the parser says, but for the advice to use a newer AsyncAPI than 3.0."""
    told = answer["diagnostics"]
    return [one["message"] for one in told if one["code"] != "asyncapi-latest-version"]


def test_the_parser_reads_our_document_without_a_complaint(parse: Any) -> None:
    answer = parse(asyncapi.document())

    assert complaints(answer) == []
    assert {spec.name("radvigil") for spec in topics_of(Config())} <= set(answer["addresses"])


def test_the_parser_would_complain(parse: Any) -> None:
    document = asyncapi.document()
    document["operations"]["send_incidents"]["action"] = "emit"

    assert [one for one in parse(document)["diagnostics"] if one["severity"] == ERROR]

"""Our AsyncAPI document, read by AsyncAPI's own parser; without Node skipped, but not in CI."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from schemas import asyncapi
from schemas.config import Config
from schemas.topics import topics_of
from tests.integration.npm_tools import tool

PARSER = "@asyncapi/parser@3.6.3"
HERE = Path(__file__).parent
ERROR = 0  # severity


@pytest.fixture(scope="module")
def parse(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tool("asyncapi", PARSER)

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

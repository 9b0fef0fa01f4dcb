"""`radvigil trace` on a real Kafka."""

from pathlib import Path

import orjson
import pytest

from streams.cli import main
from tests.integration.scene import Scene

pytestmark = pytest.mark.kafka


def test_a_study_is_followed_through_the_topics(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.start("a")
    found = scene.verdict(replay=False)
    outcome = orjson.loads(found.outcomes[0].value or b"")
    capsys.readouterr()
    where = ["--site", outcome["site"], "--config", str(tmp_path / "radvigil.toml")]

    assert main(["trace", outcome["study"], *where, "--json"]) == 0
    told = [orjson.loads(line)["message"] for line in capsys.readouterr().out.splitlines()]
    assert main(["trace", "nobody-knows", *where]) == 1

    assert {message.get("study", outcome["study"]) for message in told} == {outcome["study"]}
    assert {"radvigil.study.v1", "radvigil.outcome.v1"} <= {message["type"] for message in told}
    assert "nothing is known" in capsys.readouterr().err

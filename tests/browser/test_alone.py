"""`radvigil web` beside a worker: it reads what was there before it, and follows; no browser."""

import re
import urllib.request
from pathlib import Path
from typing import Any

from tests.integration.console import Console
from tests.integration.patience import wait_until


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


def test_a_page_of_its_own_shows_what_was_and_what_comes(hospital: Any, tmp_path: Path) -> None:
    assert wait_until(lambda: "gives no results since" in read(hospital.url), 60)
    config = tmp_path / "radvigil.toml"
    config.write_text(f'prefix = "radvigil"\nbroker = "{hospital.broker}"\n')
    alone = Console("web", "--config", str(config), "--http", "127.0.0.1:0")
    try:
        line = alone.until(lambda said: "the token to act on it" in said)
        found = re.search(r"http://\S+/", line)
        assert found is not None

        assert wait_until(lambda: "gives no results since" in read(found[0]), 60), read(found[0])
        assert 'data-tone="live"' in read(found[0])
        assert re.search(r'"row-title".*>ptx at north gives no result', read(found[0]))
        assert alone.end() == 0
    finally:
        alone.close()


def test_an_embedded_broker_of_nobody_is_told(tmp_path: Path) -> None:
    config = tmp_path / "radvigil.toml"
    config.write_text('broker = "embedded"\n')
    alone = Console("web", "--config", str(config), "--http", "127.0.0.1:0")
    try:
        assert alone.wait(30) == 1
    finally:
        alone.close()
    assert "`radvigil run --http` serves the page" in alone.text

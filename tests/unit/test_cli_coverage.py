"""What `radvigil coverage` says of what was read."""

import json

from schemas.config import Config, Model
from streams import state
from streams.cli.coverage import FeedLine, as_json, feeds_of, lines
from streams.clock import to_us
from streams.silence.feed import FeedId, new_feed
from streams.web.coverage import SeenPair, SeenSeries, coverage
from tests.unit.notices import NOW_US, OPENED

CONFIG = Config(models=[Model(name="ptx"), Model(name="ich")])
PAIRS = [SeenPair("north", "ptx", 40, True)]
SERIES = [
    SeenSeries("north", "ptx", "score.ptx", "watching", 2000, 40.0, NOW_US),
    SeenSeries("north", "", "acquisition.kvp", "learning", 120, 40.0, NOW_US),
]


def feeds() -> list[FeedLine]:
    watched, new = (
        new_feed(FeedId("north", kind), to_us(OPENED)) for kind in ("studies", "predictions")
    )
    watched.days = 100.0
    records = [state.write("feed/1", feed.id, feed) for feed in (watched, new)]
    records.append(state.write("now/1", ["x"], state.Now(1)))
    return sorted(feeds_of({key: value for key, value in records if value is not None}))


def test_gaps_come_first_and_what_is_not_ready_is_named() -> None:
    told = list(lines(coverage(CONFIG, PAIRS, SERIES, NOW_US), feeds()))

    assert told[0].endswith("gap") or told[0].endswith("gaps")
    assert any(line.startswith("  ich: configured, but") for line in told[1:])
    assert "feeds   1 of 2 are watched for silence" in told
    assert "  predictions at north: too few hours yet" in told
    assert "  acquisition.kvp of the studies at north: 120 of 2000" in told


def test_the_same_as_json() -> None:
    told = json.loads(as_json(coverage(CONFIG, PAIRS, SERIES, NOW_US), feeds()))

    assert [one["model"] for one in told["models"]] == ["ptx", "ich"]
    assert [(one["type"], one["watched"]) for one in told["feeds"]] == [
        ("predictions", False),
        ("studies", True),
    ]
    assert told["feeds"][0]["last"] == "2026-01-05T08:13:27Z"
    assert (told["series_watched"], told["series_all"]) == (1, 2)
    assert told["unready"][0]["subject"] == "acquisition.kvp"

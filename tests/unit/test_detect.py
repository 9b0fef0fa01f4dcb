"""Observations in, findings out: kinds, severities, words, decisions of people and versions."""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.config import Bounds, Config, Model, Reference
from schemas.incident import Incident
from schemas.series import SeriesPoint
from schemas.site import SiteSettings
from streams.budget import Budget
from streams.clock import to_us
from streams.detect import Detect, Said
from streams.fields import Value
from streams.finding import Finding
from streams.observations.observe import Complete, Observations
from streams.series.drift_finding import drift_kind, is_tellable
from streams.site_time import SiteTime, SiteTimes
from tests.unit.builders import START, at, command, us

CONFIG = Config(
    models=[Model(name="ptx", owner="imaging", runbook="https://wiki/ptx")],
    reference=Reference(observations=200),
)


class Fed:
    """A shard's series, fed with an event a minute."""

    def __init__(self, config: Config = CONFIG) -> None:
        self.detect = Detect(config, Budget(config))
        self.random = Random(3)
        self.n = 0
        self.said: list[Said] = []

    def event(self, *values: tuple[str, Value], site: str = "north", model: str = "") -> None:
        """One event, not yet flushed."""
        seen = Observations(site, model, f"s{self.n}", us(self.n * 60.0), values)
        self.said += self.detect.observe(seen)
        self.n += 1

    def flush(self) -> list[Finding]:
        """All findings of the flush and what was said before it."""
        self.said += self.detect.flush()
        return self.findings()

    def findings(self) -> list[Finding]:
        return [what for what in self.said if isinstance(what, Finding)]

    def around(self, subject: str, level: float, n: int, model: str = "") -> list[Finding]:
        for _ in range(n):
            self.event((subject, self.random.gauss(level, 1)), model=model)
        return self.flush()

    def words(self, subject: str, words: Iterable[str]) -> list[Finding]:
        for word in words:
            self.event((subject, word))
        return self.flush()

    def phases(self) -> dict[tuple[str, str, str], str]:
        return {key: series.phase for key, series in self.detect.series()}


@pytest.mark.parametrize(
    ("model", "subject", "kind"),
    [
        ("", "acquisition.kvp", "input_drift"),
        ("", "pneumothorax.present", "input_drift"),
        ("", "attributes.for", "input_drift"),
        ("", "missing.acquisition.kvp", "data_quality"),
        ("", "attributes.missing.kvp", "input_drift"),
        ("ptx", "pneumothorax.score", "output_drift"),
        ("ptx", "turnaround_s", "output_drift"),
        ("ptx", "features.for", "output_drift"),
        ("ptx", "pneumothorax.ppv", "performance_drift"),
        ("ptx", "pneumothorax.for", "performance_drift"),
        ("ptx", "pneumothorax.sensitivity", "performance_drift"),
        ("ptx", "pneumothorax.call_rate", "performance_drift"),
        ("ptx", "pneumothorax.disagree", "performance_drift"),
        ("ptx", "pneumothorax.calibration", "calibration_drift"),
    ],
)
def test_the_kind_of_a_drift_follows_from_what_the_series_says(
    model: str, subject: str, kind: str
) -> None:
    assert drift_kind(("north", model, subject)) == kind


class TestNumbers:
    def test_a_drift_is_a_warning_with_its_owner(self) -> None:
        fed = Fed()
        fed.around("p.score", 0, 250, model="ptx")

        alarm, confirmed = fed.around("p.score", 3, 150, model="ptx")

        assert (alarm.kind, alarm.severity, alarm.owner) == ("output_drift", "warning", "imaging")
        assert (alarm.signal, confirmed.signal) == ("holds", "holds")
        assert confirmed.title.startswith("p.score of ptx at north moved from ")

    def test_yes_and_no_are_told_in_percent(self) -> None:
        fed = Fed()
        for _ in range(200):
            fed.event(("p.positive", fed.random.random() < 0.1), model="ptx")
        for _ in range(100):
            fed.event(("p.positive", True), model="ptx")

        alarm, *_ = fed.flush()

        assert alarm.title.startswith("p.positive of ptx at north moved from ")
        assert alarm.title.endswith(" %")

    def test_a_series_that_follows_itself_is_watched_and_promises_nothing(self) -> None:
        fed, level = Fed(), 0.0
        for number in range(200):
            level = 0.999 * level + fed.random.gauss(0, 1)
            fed.event(("attributes.x", level if number else 0.0))
        fed.flush()
        for _ in range(1_000):
            fed.event(("attributes.x", 1e3))

        alarm, *_ = fed.flush()
        points = [what for what in fed.said if isinstance(what, SeriesPoint)]

        assert alarm.severity == "info"
        assert any("not_promised" in (point.notes or []) for point in points)
        assert [*fed.detect._budget.changes()] == []

    def test_a_reference_that_was_moving_is_marked(self) -> None:
        fed = Fed()
        fed.around("attributes.x", 0, 100)
        fed.around("attributes.x", 2, 200)

        points = [what for what in fed.said if isinstance(what, SeriesPoint)]
        assert "unstable_reference" in (points[-1].notes or [])

    def test_whole_numbers_and_answers_are_numbers_where_the_series_is_one(self) -> None:
        fed = Fed()
        for value in (1.5, 2, True):
            fed.event(("attributes.x", value))
        fed.flush()

        assert [series.learning.sample.n for _, series in fed.detect.series()] == [3]
        assert fed.detect.dropped == {}


class TestWords:
    def test_a_value_never_seen_is_news_at_once_and_no_alarm(self) -> None:
        fed = Fed()
        fed.words("scanner.software", ["VE10A"] * 200)

        (news,) = fed.words("scanner.software", ["VE11"])

        assert (news.kind, news.signal, news.severity) == ("new_value", "holds", "info")
        assert news.title == "scanner.software at north has a value never seen before: VE11"
        assert (news.evidence.affected_count, news.evidence.reference_n) == (1, 200)
        assert news.at_us == us(200 * 60)

    def test_it_is_over_when_the_value_is_no_longer_new(self) -> None:
        """It may be there still, and learnt: nobody is told that it has gone."""
        fed = Fed()
        fed.words("scanner.software", ["VE10A"] * 200)
        fed.words("scanner.software", ["VE11"])

        *_, over = fed.words("scanner.software", ["VE10A"] * 200)

        assert (over.kind, over.signal) == ("new_value", "eased")
        assert over.title == "scanner.software at north has no new values any more"

    @pytest.mark.parametrize(
        ("subject", "word", "told"),
        [
            ("scanner.software", "VE11-B 2.0_x+", True),
            ("scanner.model", "Ysio Max", True),
            ("acquisition.kernel", "B30", True),
            ("view", "LATERAL", True),
            ("scanner.model", "Mustermannheim", False),  # 13 letters in a row and more
            ("scanner.model", "x" * 25, False),
            ("scanner.model", "M\u00fcller", False),
            ("scanner.station", "CT2", False),
            ("procedure", "CT", False),
            ("attributes.view", "PA", False),
        ],
    )
    def test_a_title_has_a_value_only_of_machines(
        self, subject: str, word: str, told: bool
    ) -> None:
        assert is_tellable(("north", "", subject), word) is told
        fed = Fed()
        fed.words(subject, ["a"] * 200)

        (news,) = fed.words(subject, [word])

        assert (word in news.title) is told

    def test_another_mixture_names_no_value_that_may_be_a_persons(self) -> None:
        fed = Fed()
        fed.words("procedure", ["chest", "abdomen"] * 100)

        alarm, *_ = fed.words("procedure", ["abdomen"] * 200)

        assert alarm.kind == "input_drift"
        assert "one value from 50 to " in alarm.title

    def test_names_are_no_categories_and_are_counted(self) -> None:
        fed = Fed(Config(reference=Reference(observations=1_000)))

        fed.words("procedure", [f"name {number}" for number in range(2_000)])

        assert fed.detect.dropped == {"words_are_names": 1}
        assert fed.detect.sizes() == {}

    def test_a_value_of_another_kind_is_refused_and_counted(self) -> None:
        fed = Fed()
        for value in ("a", 1.0, True):
            fed.event(("attributes.x", value))
        for value in (1.0, "a"):
            fed.event(("attributes.y", value))
        fed.flush()

        assert fed.detect.dropped == {"other_kind_of_value": 3}


class TestDecisions:
    def away(self) -> Fed:
        fed = Fed()
        for model in ("ptx", ""):
            fed.around("p.score", 0, 250, model=model)
            fed.around("p.score", 3, 150, model=model)
        fed.said.clear()
        return fed

    def test_a_new_version_of_a_model_learns_all_its_series_anew(self) -> None:
        fed = self.away()

        fed.detect.accept_model("north", "ptx")
        fed.detect.accept_model("south", "ptx")

        assert [(one.signal, one.model) for one in fed.flush()] == [("eased", "ptx")]
        assert fed.phases() == {
            ("north", "ptx", "p.score"): "learning",
            ("north", "", "p.score"): "watching",
        }

    def test_a_reference_may_be_declared_complete(self) -> None:
        fed = Fed()
        fed.around("p.score", 0, 60, model="ptx")
        fed.event(("p.score", 0.0), model="ptx")

        fed.said += fed.detect.complete(Complete("north", "ptx", "p.score"))
        fed.said += fed.detect.complete(Complete("north", "ptx", "who knows"))
        fed.said += fed.detect.complete(Complete("south", "ptx", "p.score"))

        assert [*fed.phases().values()] == ["watching"]
        assert sum(what.n for what in fed.said if isinstance(what, SeriesPoint)) == 61

    def test_a_rebaseline_may_name_a_kind_alone(self) -> None:
        fed = self.away()

        fed.detect.accept(command("rebaseline", matchers={"kind": "output_drift"}), [])

        away = {key: series.is_away for key, series in fed.detect.series()}
        assert away == {("north", "ptx", "p.score"): False, ("north", "", "p.score"): True}

    def test_what_was_new_is_over_when_its_notice_is_accepted(self) -> None:
        fed = Fed()
        fed.words("view", ["PA"] * 200)
        (news,) = fed.words("view", ["LL"])
        accepted = _incident(news)

        fed.detect.accept(command("resolve", incident="i"), [accepted])

        assert [one.signal for one in fed.flush()] == ["holds", "eased"]


def _incident(finding: Finding) -> Incident:
    return Incident(
        incident="i",
        seq=2,
        fingerprint="f",
        kind=finding.kind,
        state="resolved",
        reason="accepted",
        severity=finding.severity,
        site=finding.site,
        title=finding.title,
        opened_at=START,
        last_seen=START,
        at=START,
        evidence=finding.evidence,
        subject=finding.subject,
    )


def test_no_more_series_than_allowed_are_watched_and_the_others_counted() -> None:
    fed = Fed(Config(bounds=Bounds(series_per_site=2)))

    fed.event(("a", 1.0), ("b", 1.0), ("c", 1.0))
    fed.event(("c", 1.0), site="south")

    assert len(fed.phases()) == 3
    assert fed.detect.dropped == {"series_overflow": 1}


@given(st.lists(st.integers(1, 200), max_size=12))
@settings(max_examples=15, deadline=None)
def test_whenever_it_is_flushed_the_same_is_said(lengths: list[int]) -> None:
    def said(flushes: set[int]) -> tuple[list[str], list[object]]:
        fed = Fed()
        for number in range(900):
            level, word = (0, "a") if number < 450 else (2, "ab"[number % 2])
            noise = fed.random.gauss(level, 1)
            fed.event(("x", noise), ("y", noise > 0), ("z", word))
            if number in flushes:
                fed.flush()
        fed.flush()
        return sorted(map(repr, fed.said)), [record for _, record, _ in fed.detect.changes()]

    places = {sum(lengths[: place + 1]) for place in range(len(lengths))}
    cut, whole = said(places), said(set())
    assert cut[0] == whole[0]
    assert cut[1] == whole[1]


class TestSiteTime:
    def test_a_site_has_its_own_zone_or_that_of_the_deployment(self) -> None:
        times = SiteTimes(
            Config(
                timezone="Europe/Berlin", sites=[SiteSettings(name="east", timezone="Asia/Tokyo")]
            )
        )
        monday_us = to_us(at(0))  # 2026-01-05, a Monday, 00:00 UTC

        hours = [times.of(site).weekhour(monday_us) for site in ("north", "east")]

        assert hours == [1, 9]

    def test_summer_time_moves_the_hours_with_the_people(self) -> None:
        berlin = SiteTime("Europe/Berlin")
        july_us, january_us = to_us(at(182 * 86_400)), to_us(at(0))

        assert (berlin.weekhour(july_us), berlin.weekhour(january_us)) == (2, 1)

"""Slices: their names and bounds, their series, and the one incident that they make."""

import re
from collections import Counter

import pytest

from detectors.attribution import Attribution, Found
from detectors.baseline import ALL
from schemas.config import Bounds, Config, Reference, Watch
from schemas.prediction import Output
from schemas.study import Scanner
from streams.fields import Value
from streams.finding import Finding
from streams.observations.observe import Complete
from streams.observations.slicing import Labels, Slicing, is_sliced, whole_and_slice
from streams.slices.words import tellable
from tests.unit.builders import Shard, command, prediction, report, study
from tests.unit.sliced_feed import CONFIG, INPUTS, Sliced, events

PATHS = ("scanner.station", "patient.age_years", "attributes.contrast", "attributes.phases")


class TestNames:
    @pytest.mark.parametrize(
        ("age", "band"),
        [(0.0, "0-17"), (17.9, "0-17"), (18.0, "18-39"), (64.9, "40-64"), (89.9, "65-89")],
    )
    def test_ages_come_in_bands(self, age: float, band: str) -> None:
        assert Slicing(PATHS).of({"patient.age_years": age}) == (f"patient.age_years={band}",)

    def test_ninety_means_ninety_or_more(self) -> None:
        assert Slicing(PATHS).of({"patient.age_years": 90.0}) == ("patient.age_years=90+",)

    def test_equal_values_of_other_kinds_are_other_words(self) -> None:
        slicing = Slicing(PATHS)
        told: dict[Value, str] = {}
        for value in (True, 1.0):
            (told[repr(value)],) = slicing.of({"attributes.phases": value})

        assert [*told.values()] == ["attributes.phases=true", "attributes.phases=1"]

    def test_what_is_not_known_is_no_slice(self) -> None:
        assert Slicing(PATHS).of({}) == ()

    @pytest.mark.parametrize(
        ("model", "subject", "answer"),
        [
            ("ptx", "p.score", True),
            ("ptx", "p.positive", True),
            ("ptx", "turnaround_s", True),
            ("ptx", "p.ppv", True),
            ("ptx", "features.p.score", False),
            ("ptx", "inference_s", False),
            ("", "attributes.score", False),
        ],
    )
    def test_what_models_say_is_sliced(self, model: str, subject: str, answer: bool) -> None:
        assert is_sliced(model, subject) is answer

    def test_a_name_tells_whole_and_slice(self) -> None:
        assert whole_and_slice("ptx", "p.score @ a=b @ c") == ("p.score", "a=b @ c")
        assert whole_and_slice("ptx", "x @ y.score") == ("x @ y.score", "")

    def test_a_title_names_machines_and_no_words(self) -> None:
        assert tellable("scanner.station=CT2") == "scanner.station=CT2"
        assert tellable("attributes.who=Mustermannheim") == "one attributes.who"


class TestLabels:
    def test_a_field_of_one_value_is_the_whole(self) -> None:
        labels, dropped = Labels(("a", "b"), 3), Counter[str]()

        assert labels.of(("a=1", "b=x"), dropped) == (b"\x01\x01", (), 0)
        assert labels.of(("a=2", "b=x"), dropped) == (b"\x02\x01", ("a=2",), 0)
        assert labels.of(("a=1", "b=x"), dropped) == (b"\x01\x01", ("a=1",), 0)

    def test_values_beyond_the_bound_are_counted_each_time(self) -> None:
        labels, dropped = Labels(("a",), 2), Counter[str]()
        for value in ("a=1", "a=2", "a=3", "a=3"):
            last = labels.of((value,), dropped)

        assert last == (b"\x00", (), 1)
        assert dropped == {"slice_values_overflow": 2}


class TestOneIncident:
    def test_the_scanner_is_named_with_its_numbers(self) -> None:
        fed = Sliced()
        fed.feed(events(760, moved=(700, 760)))

        first = fed.findings("p.score")[0]

        assert (first.signal, first.kind, first.owner) == ("holds", "output_drift", "imaging")
        assert first.title.startswith("p.score of ptx at north moved in scanner.station=CT2 from ")
        assert [one.slice for one in first.evidence.slices or []] == ["scanner.station=CT2"]
        assert first.at_us >= 700 * 7 * 60_000_000
        assert first.evidence.after == pytest.approx(3, abs=0.8)

    def test_calls_are_told_in_percent_for_a_slice_as_for_the_whole(self) -> None:
        fed = Sliced()
        fed.feed(events(1_200, moved=(700, 1_200)))

        shown, *_ = (one.title for one in fed.findings("p.positive"))

        assert re.search(
            r" moved in scanner.station=CT2 from [23]\d(\.\d)? to \d+(\.\d)? %$", shown
        )

    def test_all_findings_have_the_subject_of_the_whole(self) -> None:
        fed = Sliced()
        fed.feed(events(1_000, moved=(700, 1_000)))

        assert {one.subject for one in fed.findings()} == {"p.score", "p.positive"}
        assert [one.signal for one in fed.findings("p.positive")].count("changed") == 0

    @pytest.mark.parametrize("seed", range(4))
    def test_a_scanner_and_its_own_model_are_one(self, seed: int) -> None:
        fed = Sliced(INPUTS)
        for one in events(1_000, seed, moved=(700, 1_000)):
            scanner, sex = one.slices
            model = scanner.replace("scanner.station=CT", "scanner.model=M")
            fed.feed([one._replace(slices=(scanner, model, sex))])

        found = [one for one in fed.findings() if one.evidence.slices]
        assert found
        assert not [
            one.title for one in found if " more " in one.title or "scanner.model" in one.title
        ]

    def test_whom_the_rows_name_is_told_beside_whose_own_series_left(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        by_sex = Attribution((Found((1, 1), 0.5, 0.5),), ())
        monkeypatch.setattr("streams.slices.explained.attribute", lambda *_: by_sex)
        fed = Sliced()
        fed.feed(events(1_200, moved=(700, 1_200)))

        first = fed.findings("p.positive")[0]

        assert " moved in scanner.station=CT2 from " in first.title
        assert re.search(r" %, mostly in patient.sex=[FM]$", first.title)

    def test_what_moves_everywhere_blames_no_slice(self) -> None:
        fed = Sliced()
        fed.feed(events(1_000, moved=(700, 1_000), scanner="all"))

        first = fed.findings("p.score")[0]

        assert first.title.startswith("p.score of ptx at north moved from ")
        assert first.evidence.slices is None

    def test_who_alone_has_left_is_named_even_where_rows_say_everything(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        everything = Attribution((Found(ALL, 1.0, 0.5),), ())
        monkeypatch.setattr("streams.slices.explained.attribute", lambda *_: everything)
        fed = Sliced()
        fed.feed(events(1_000, moved=(700, 1_000)))

        first, *_, last = fed.findings("p.score")

        assert [one.slice for one in first.evidence.slices or []] == ["scanner.station=CT2"]
        assert last.evidence.slices is None  # the whole has left as well

    def test_it_is_back_when_all_are_back(self) -> None:
        fed = Sliced()
        fed.feed(events(1_400, moved=(700, 1_000)))

        signals = [one.signal for one in fed.findings("p.positive")]

        assert signals[-1] == "returned"
        assert signals.count("returned") == 1

    def test_who_restores_the_whole_restores_its_slices_and_ends_its_incident(self) -> None:
        """It moved, that was accepted, and it is back where it was: so the first reference is."""
        fed, feed = Sliced(), list(events(1_200, moved=(400, 900), scanner="all"))
        named = {"subject": "p.score"}
        fed.feed(feed[:800])
        fed.detect.accept(command("rebaseline", matchers=named), [])
        away = fed.feed(feed[800:1_000])[-1]

        n = fed.detect.refer(command("rebaseline", matchers=named, reference_number=0), 0)
        *_, ended = [one for one in fed.feed(()) if one.subject == "p.score"]
        after_n = len(fed.findings())
        fed.feed(feed[1_000:])

        assert n == 6  # three scanners, two sexes, all of them
        assert (away.signal, ended.signal) == ("holds", "eased")
        assert [one.signal for one in fed.findings()[after_n:] if one.subject == "p.score"] == []

    def test_what_a_person_accepts_is_accepted_of_all(self) -> None:
        fed = Sliced()
        fed.feed(events(800, moved=(700, 800)))
        before = {key for key, series in fed.detect.series() if series.is_away}
        assert len(before) > 1

        told = command("rebaseline", matchers={"subject": "p.score"})
        fed.detect.accept(told, [])
        after: list[Finding] = fed.feed([])

        assert [one.signal for one in after if one.subject == "p.score"][-1] == "eased"
        assert not any(s.is_away for key, s in fed.detect.series() if "score" in key[2])

    def test_a_new_epoch_ends_it(self) -> None:
        fed = Sliced()
        fed.feed(events(800, moved=(700, 800)))

        fed.detect.accept_model("north", "ptx")

        assert {one.signal for one in fed.feed([])[-2:]} == {"eased"}
        assert {series.phase for _, series in fed.detect.series()} == {"learning"}

    def test_slices_with_too_few_learn_on_when_the_whole_is_complete(self) -> None:
        fed = Sliced()
        fed.feed(events(120))

        fed.said += fed.detect.complete(Complete("north", "ptx", "p.score"))

        phases = {key[2]: series.phase for key, series in fed.detect.series()}
        assert phases["p.score"] == "watching"
        assert phases["p.score @ patient.sex=F"] == "watching"
        assert phases["p.score @ scanner.station=CT1"] == "learning"


class TestBounds:
    def test_without_fields_there_are_no_slices(self) -> None:
        fed = Sliced(Config(watch=Watch(slices=())))
        fed.feed(events(50))

        assert {key[2] for key, _ in fed.detect.series()} == {"p.score", "p.positive"}

    def test_slices_count_as_series(self) -> None:
        fed = Sliced(Config(bounds=Bounds(series_per_site=3), reference=Reference(observations=60)))
        fed.feed(events(100))

        assert len([*fed.detect.series()]) == 3
        assert fed.detect.dropped["series_overflow"] > 0

    def test_other_fields_after_a_restart_begin_anew(self) -> None:
        fed = Sliced()
        fed.feed(events(760, moved=(700, 760)))
        fed.config = Config(
            budget=CONFIG.budget, reference=CONFIG.reference, watch=Watch(slices=("patient.sex",))
        )

        other = fed.restarted()
        other.feed([*events(900)][760:])

        assert {one.subject for one in other.findings()} <= {"p.score", "p.positive"}


def test_the_pipeline_knows_the_slices_of_a_study_that_has_come() -> None:
    shard = Shard(CONFIG)
    for number, station in enumerate(("CT1", "CT2")):
        key, at_s = f"s{number}", 100.0 * number
        shard.send(study(key, at_s, state="complete", scanner=Scanner(station=station)))
        shard.send(prediction(key, at_s + 10))
    shard.send(prediction("stranger", 300))

    subjects = {key[2] for key, _ in shard.pipeline.series() if key[1]}

    assert "pneumothorax.score @ scanner.station=CT2" in subjects
    n = {key[2]: series.learning.sample.n for key, series in shard.pipeline.series()}
    assert (n["pneumothorax.score"], n["pneumothorax.score @ scanner.station=CT2"]) == (3, 1)


def test_what_is_read_of_a_study_at_its_maturity_has_its_slices() -> None:
    shard = Shard(CONFIG)
    called = [Output(finding="pneumothorax", positive=True)]
    for number, station in enumerate(("CT1", "CT2")):
        key, at_s = f"s{number}", 100.0 * number
        shard.send(study(key, at_s, state="complete", scanner=Scanner(station=station)))
        shard.send(prediction(key, at_s + 10, outputs=called), report(key, at_s + 20))
    shard.restart()

    shard.proved(4 * 86_400)

    subjects = {key[2] for key, _ in shard.pipeline.series()}
    assert "pneumothorax.ppv @ scanner.station=CT2" in subjects
    assert shard.pipeline.sizes()["subgroups"] == 4  # by PPV and by sensitivity

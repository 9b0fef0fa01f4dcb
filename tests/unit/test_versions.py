"""A version that was never seen is told once; who serves alone for long is the version in use."""

import pytest
from msgspec.structs import replace

from schemas.config import Model
from schemas.oversight import VersionChange
from streams.stage import NewEpoch
from streams.versions import Versions
from tests.unit.builders import report
from tests.unit.happenings import Watched, findings, happened, incident_of, signals

SETTINGS = VersionChange(settled_after=5, epoch_after=2)
EPOCH = NewEpoch("north", "ptx")


def watched(settings: VersionChange = SETTINGS) -> Watched:
    return Watched(Versions([Model(name="ptx", owner="kim", runbook="https://r")], settings))


def told(versions: str, settings: VersionChange = SETTINGS) -> list[str]:
    """What is said of versions of one letter, answer by answer: its signals, and epochs."""
    north = watched(settings)
    words = []
    for version in versions:
        said = north.answer(model_version=version)
        words.append("".join("E" if one == EPOCH else one.signal[0] for one in said) or "-")
    return words


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ("aaaaaaaa", "- - - - - - - -"),
        ("ab", "- h"),
        ("abbbbbb", "- h E - - e -"),
        ("aaaaaaabaaaaaa", "- - - - - - - h - - - - r -"),
        ("abcccccc", "- h c E - - e -"),
        ("abbbbbaaaaaa", "- h E - - e h - - - Ee -"),
        ("abababababa", "- h - - - - - - - - h"),
    ],
    ids=["one", "new", "taken over", "a straggler", "two new", "rolled back", "mixed"],
)
def test_what_is_said_of_a_row_of_answers(versions: str, said: str) -> None:
    assert " ".join(told(versions)) == said


def test_the_notice_names_both_versions_and_who_answers_for_the_model() -> None:
    north = watched()
    north.answer(model_version="1.0")

    [notice] = findings(north.answer(model_version="1.1"))

    assert notice.title == "ptx at north answers with version 1.1, before it was 1.0"
    assert (notice.kind, notice.severity, notice.subject) == ("version_change", "info", "version")
    assert (notice.model, notice.model_version) == ("ptx", "1.1")
    assert (notice.owner, notice.runbook) == ("kim", "https://r")


def test_a_version_that_was_in_use_before_is_told_as_such() -> None:
    north = watched()
    for version in "abbbbb":
        north.answer(model_version=version)

    [notice] = findings(north.answer(model_version="a"))

    assert notice.title == "ptx at north is back at version a, before it was b"


def test_mixed_use_is_told_with_its_share() -> None:
    north = watched()
    for version in "ababbabbaa":
        north.answer(model_version=version)

    [news] = findings(north.answer(model_version="b"))

    assert news.signal == "holds"
    assert news.model_version == "b"
    assert "60% by version b, the rest by a or another" in news.title


def test_a_canary_costs_no_reference() -> None:
    said = told("a" * 10 + ("b" + "a" * 9) * 20)

    assert not any("E" in word for word in said)


def test_equal_mixing_of_two_versions_begins_one_epoch_at_most() -> None:
    said = told("a" * 10 + "bba" * 100)

    assert sum("E" in word for word in said) == 1


@pytest.mark.parametrize(
    "circumstances",
    [{"role": "shadow"}, {"fresh": False}],
    ids=["a shadow", "a repeat"],
)
def test_what_says_nothing_of_the_version_in_use(circumstances: dict[str, object]) -> None:
    north = watched()
    north.answer(model_version="a")

    assert north.answer(model_version="b", **circumstances) == []


def test_other_events_say_nothing() -> None:
    stage = Versions([], SETTINGS)

    assert list(stage.take(happened(report(), 0))) == []


def test_each_model_and_site_has_its_own_version() -> None:
    north = watched()
    north.answer(model_version="a")
    north.answer(model_version="b", model="other")
    north.answer(model_version="c", site="south")

    assert north.findings() == []


def test_resolved_by_hand_makes_all_that_is_in_use_usual() -> None:
    north = watched()
    for version in "abab":
        north.answer(model_version=version)

    north.stage.over(incident_of(north.findings()[0]))
    said = [north.answer(model_version=version) for version in "abab"]

    assert said == [[], [], [], []]


def test_what_was_accepted_as_a_mixture_ends_when_one_serves_alone() -> None:
    north = watched()
    for version in "abab":
        north.answer(model_version=version)
    north.stage.accept("north", "ptx", None)

    for _ in range(5):
        north.answer(model_version="b")

    assert signals(north.answer(model_version="a")) == ["holds"]


def test_an_incident_of_another_kind_or_model_ends_nothing() -> None:
    north = watched()
    north.answer(model_version="a")
    [notice] = findings(north.answer(model_version="b"))

    north.stage.over(incident_of(replace(notice, kind="off_label")))
    north.stage.accept("south", None, None)

    assert signals(north.answer(model_version="c")) == ["changed"]


def test_a_model_that_names_every_answer_anew_is_told_a_few_times_and_keeps_its_references() -> (
    None
):
    north = watched()
    said = [north.answer(model_version=f"build {n}") for n in range(300)]

    stage = north.stage
    news = [signal for one in said for signal in signals(one)]
    assert news.count("holds") + news.count("changed") <= 8 + 300 // SETTINGS.settled_after
    assert news.count("changed") == 7
    assert EPOCH not in north.said
    assert stage.dropped["versions_overflow"] == 300 - 9
    stage_records = [record for _, _, record in stage.changes()]
    assert len(stage_records) == 1


def test_versions_known_are_bounded_and_the_one_in_use_is_kept() -> None:
    north = watched()
    for n in range(40):
        for _ in range(5):
            north.answer(model_version=f"{n}")

    [(_, _, serving)] = north.stage.changes()

    assert len(serving.known) == 16
    assert serving.usual == ["39"]
    assert north.stage.dropped["versions_forgotten"] == 24
    assert north.said.count(EPOCH) == 39


def test_models_of_a_site_are_bounded() -> None:
    north = watched()
    for n in range(1_010):
        north.answer(model=f"model {n}")

    assert north.stage.sizes() == {"models_serving": 1_000}
    assert north.stage.dropped["models_overflow"] == 10


def test_titles_fit_whatever_the_names() -> None:
    north = watched()
    long = "x" * 250
    for version in [f"a{long}", f"b{long}"] * 5:
        north.answer(model=long, model_version=version, site="n" * 32)

    assert max(len(finding.title) for finding in north.findings()) <= 200

"""Live and shadow answers meet in pairs, and are told when they differ more than the margin."""

from itertools import cycle, islice

import pytest
from msgspec.structs import replace

from schemas.config import Model
from schemas.oversight import VersionDisagreement
from schemas.prediction import Output
from streams.disagreement import Disagreement
from streams.share_bet import clean_run
from tests.unit.builders import at
from tests.unit.happenings import Watched, incident_of, signals

DAYS = 1_000.0
PTX = Model(name="ptx", owner="kim", runbook="https://r")


def watched(**settings: object) -> Watched:
    return Watched(Disagreement([PTX], VersionDisagreement(**settings), lambda _: DAYS))


def calls(**findings: bool | None) -> list[Output]:
    return [Output(finding=name, score=0.5, positive=call) for name, call in findings.items()]


def pair(
    north: Watched, live: bool, shadow: bool, key: str | None = None, **fields: object
) -> list[str]:
    """One study is answered by both; what is said of it."""
    key = key or f"pair-{north.n}"
    common = {"key": key, "after_s": 30.0}
    said = north.answer(**common, outputs=calls(ptx=live), model_version="1")
    plain = {"role": "shadow", "model_version": "2", "outputs": calls(ptx=shadow)}
    said += north.answer(**common | plain | fields)
    return signals(said)


def pairs(north: Watched, kinds: str) -> list[str]:
    """Pairs by a letter each: `=` both call, `+` the shadow alone, `-` the live model alone."""
    said = []
    for kind in kinds:
        said += pair(north, kind != "+", kind != "-")
    return said


def begun() -> Watched:
    """A shadow is known, and fifty pairs agree."""
    north = watched()
    pair(north, True, True)
    pairs(north, "=" * 50)
    return north


def test_disagreement_beyond_the_margin_is_told_with_what_it_rests_on() -> None:
    north = begun()

    pairs(north, "=+" * 15)

    opened = north.findings()[0]
    n, bad_n = opened.evidence.current_n or 0, opened.evidence.affected_count or 0
    assert (opened.signal, opened.kind) == ("holds", "version_disagreement")
    assert (opened.model, opened.model_version) == ("ptx", "2")
    assert opened.subject == "ptx.positive of ptx 2"
    assert (opened.severity, opened.owner, opened.runbook) == ("warning", "kim", "https://r")
    assert opened.evidence.before == 0.05
    assert opened.evidence.after == pytest.approx(bad_n / n)
    assert 4 <= bad_n <= 10
    assert opened.evidence.threshold == DAYS
    assert len(opened.evidence.examples or []) == bad_n
    assert (opened.evidence.since or at(0)) > at(50 * 60)


def test_the_first_pair_of_a_shadow_may_be_lost_and_no_other() -> None:
    north = watched()
    for _ in range(50):
        pair(north, True, True)

    [comparison] = [r for kind, _, r in north.stage.changes() if kind == "comparison/1"]

    assert comparison.share.met_n == 49


def test_the_shadow_may_answer_first() -> None:
    north = watched()

    north.answer("a", role="shadow", model_version="2", outputs=calls(ptx=True))
    north.answer("a", outputs=calls(ptx=True))

    assert north.stage.sizes() == {"comparisons": 1, "answers_unpaired": 0}


def test_a_few_differences_within_the_margin_are_no_incident() -> None:
    north = begun()

    said = pairs(north, ("=" * 12 + "+" + "=" * 12 + "-" + "=" * 14) * 10)

    assert said == []


@pytest.mark.parametrize(
    ("kinds", "told"),
    [("+" * 12, "calls more"), ("-" * 12, "calls fewer"), ("+-" * 6, "studies (")],
)
def test_the_direction_is_said_where_it_is_shown(kinds: str, told: str) -> None:
    north = begun()

    pairs(north, kinds)

    assert told in north.findings()[-1].title
    assert ("calls" in north.findings()[-1].title) == ("calls" in told)


def test_a_run_of_agreement_ends_it() -> None:
    north = begun()
    pairs(north, "+" * 12)

    said = pairs(north, "=" * clean_run(0.05))
    again = pairs(north, "+" * 12)

    assert said == ["eased"]
    assert again[0] == "holds"
    assert north.findings()[-1].evidence.affected_count == 12


def test_findings_and_versions_are_compared_each_by_itself() -> None:
    north = watched()
    north.answer("a", role="shadow", model_version="2", outputs=calls(x=True, y=True))
    north.answer("a", role="shadow", model_version="3", outputs=calls(x=False, z=True))
    north.answer("a", outputs=calls(x=True, y=False, z=None))

    kept = {key: r for kind, key, r in north.stage.changes() if kind == "comparison/1"}

    assert {key[3:]: (r.more_n, r.less_n) for key, r in kept.items()} == {
        ("2", "x"): (0, 0),
        ("2", "y"): (1, 0),
        ("3", "x"): (0, 1),
    }


def test_a_live_answer_waits_for_every_active_shadow() -> None:
    north = watched()
    for version in "23":
        north.answer("a", role="shadow", model_version=version, outputs=calls(x=True))

    north.answer("b", outputs=calls(x=True))
    waiting = [north.stage.sizes()["answers_unpaired"]]
    for version in "23":
        north.answer("b", role="shadow", model_version=version, outputs=calls(x=True))
        waiting.append(north.stage.sizes()["answers_unpaired"])

    assert waiting == [2, 2, 1]  # the one that waits is study a, for its live answer


def test_a_shadow_of_another_name_is_compared_with_the_model_that_the_settings_name() -> None:
    north = watched(compare={"ptx-next": "ptx"})
    shadow = {"role": "shadow", "model": "ptx-next", "model_version": "9"}

    north.answer("a", **shadow, outputs=calls(x=True))
    north.answer("a", outputs=calls(x=True))

    assert [key for kind, key, _ in north.stage.changes() if kind == "comparison/1"] == [
        ("north", "ptx", "ptx-next", "9", "x")
    ]


def test_a_shadow_that_nobody_is_compared_with_waits_in_vain() -> None:
    north = watched()

    north.answer("a", role="shadow", model="ptx-next")
    north.answer("a")

    assert north.stage.sizes()["comparisons"] == 0


def test_of_a_patient_one_study_makes_a_pair_and_of_a_study_the_first_live_answer() -> None:
    north = begun()
    [before] = [r.share.seen_n for kind, _, r in north.stage.changes() if kind == "comparison/1"]

    pair(north, True, False, counts=False)
    north.answer("x", outputs=calls(ptx=True), model_version="1")
    north.answer("x", outputs=calls(ptx=False), model_version="1b")
    north.answer("x", role="shadow", model_version="2", outputs=calls(ptx=False))

    [after] = [r for kind, _, r in north.stage.changes() if kind == "comparison/1"]
    assert after.share.seen_n == before + 1
    assert after.less_n == 1


def test_without_a_shadow_nothing_is_remembered() -> None:
    north = watched()

    for _ in range(10):
        north.answer()

    assert north.stage.sizes() == {"comparisons": 0, "answers_unpaired": 0}
    assert list(north.stage.changes()) == []


def test_a_shadow_that_stopped_is_not_waited_for() -> None:
    north = watched(waiting_s=3600)
    north.answer("a", role="shadow", model_version="2")

    north.answer("b", after_s=3601)

    assert north.stage.sizes()["answers_unpaired"] == 0
    assert north.stage.dropped["unpaired_in_vain"] == 1  # study a, for its live answer


def test_those_who_wait_are_bounded_in_time_and_number() -> None:
    north = watched(waiting_s=600, waiting_per_site=3)

    for key in "abcd":
        north.answer(key, role="shadow", model_version="2", outputs=calls(x=True))
    north.answer("a", outputs=calls(x=True))
    north.answer("c", outputs=calls(x=True), after_s=600)

    assert north.stage.dropped["unpaired_overflow"] == 2
    assert north.stage.dropped["unpaired_in_vain"] == 3
    assert north.stage.sizes() == {"comparisons": 0, "answers_unpaired": 0}


def test_comparisons_and_shadows_of_a_site_are_bounded() -> None:
    north = watched()

    for n in range(20):
        findings = calls(**{f"f{index}": True for index in range(30)})
        north.answer(f"{n}", role="shadow", model_version=f"{n}", outputs=findings)
        north.answer(f"{n}", outputs=findings)

    assert north.stage.sizes()["comparisons"] == 256
    assert north.stage.dropped["comparisons_overflow"] == 20 * 30 - 256
    assert north.stage.dropped["shadows_forgotten"] == 12


def test_disagreement_that_a_person_accepted_is_told_again_only_when_there_is_more() -> None:
    north = begun()
    pairs(north, "+==" * 12)
    opened = north.findings()[-1]

    north.stage.accept("north", "ptx", opened.subject)
    north.stage.over(incident_of(opened))
    as_before = pairs(north, "".join(islice(cycle("+====="), 120)))
    more = pairs(north, "+" * 30)

    assert as_before == []
    assert more[0] == "holds"


def test_a_resolved_incident_of_another_subject_changes_nothing() -> None:
    north = begun()
    pairs(north, "+" * 12)
    told = north.findings()[-1]

    north.stage.over(incident_of(replace(told, subject="other")))

    assert pairs(north, "+") == ["holds"]
    assert north.findings()[-1].evidence.affected_count == 13


def test_titles_fit_whatever_the_names() -> None:
    north = Watched(Disagreement([], VersionDisagreement(margin=0.0001), lambda _: 1e-9))
    long = "x" * 250

    for n in range(60):
        common = {"model": long, "site": "n" * 32}
        shadow = {"role": "shadow", "model_version": long, "outputs": calls(**{long: True})}
        north.answer(f"{n}", **common, **shadow)
        north.answer(f"{n}", **common, outputs=calls(**{long: False}))

    assert len(north.findings()) > 5
    assert max(len(finding.title) for finding in north.findings()) <= 200
    assert max(len(finding.subject or "") for finding in north.findings()) <= 256

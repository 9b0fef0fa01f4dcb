"""Scores that repeat more often than chance allows are stuck; by chance, seldom enough."""

from random import Random

import pytest

from schemas.config import Clock, Model, Watch
from schemas.oversight import DataQuality
from schemas.prediction import Output
from streams.quality.stage import Quality
from streams.quality.stuck import Scores
from tests.unit.happenings import Watched, findings, incident_of, signals

PTX = Model(name="ptx", owner="kim", runbook="https://r")
ALL = Watch()
_DAY_US = 86_400_000_000


def watched(watch: Watch = ALL, days: float = 1_000.0) -> Watched:
    settings = DataQuality(learn_from=200)
    return Watched(Quality([PTX], settings, watch, Clock(), lambda _: days))


def scored(north: Watched, *scores: float, **fields: object) -> list[str]:
    """Answers with these scores; what is said of them."""
    said = []
    for score in scores:
        outputs = [Output(finding="pneumothorax", score=score)]
        said += signals(north.answer(outputs=outputs, **fields))
    return said


def varied(n: int = 200, seed: int = 1, zeros: float = 0.0) -> list[float]:
    rng = Random(seed)
    return [0.0 if rng.random() < zeros else rng.random() for _ in range(n)]


def test_a_score_that_never_repeats_is_stuck_after_a_few() -> None:
    north = watched()
    scored(north, *varied())

    said = scored(north, *[0.5] * 8)

    assert said[0] == "holds"
    assert len(said) >= 3
    told = north.findings()[0]
    assert (told.kind, told.model, told.model_version) == ("data_quality", "ptx", "1")
    assert (told.subject, told.severity) == ("pneumothorax.score", "warning")
    assert (told.owner, told.runbook) == ("kim", "https://r")
    assert told.title == (
        f"pneumothorax.score of ptx at north is stuck: the same in {told.evidence.current_n} "
        "studies in a row"
    )
    assert (told.evidence.statistic or 0) >= (told.evidence.threshold or 0) == 1_000.0
    assert told.evidence.after == 0.5


def test_a_score_that_many_studies_have_must_repeat_longer() -> None:
    north = watched()
    scored(north, *varied(zeros=0.5))

    common = scored(north, *[0.0] * 12)
    rare = scored(north, *[0.25] * 8)

    assert common == []
    assert rare[0] == "holds"


def test_it_moves_again_after_three_other_scores_and_is_learnt_anew() -> None:
    north = watched()
    scored(north, *varied())
    scored(north, *[0.5] * 10)

    moved = scored(north, 0.1, 0.2, 0.2, 0.3)
    learning = scored(north, *varied(seed=2), 0.5)
    again = scored(north, *[0.5] * 8)

    assert moved == ["holds", "eased"]
    assert learning == []
    assert again[0] == "holds"


def test_a_score_that_is_always_the_same_is_told() -> None:
    north = watched()

    said = scored(north, *[0.37] * 200)

    assert said == ["holds"]
    assert north.findings()[0].evidence.current_n == 200


@pytest.mark.parametrize("scores", [[0.0], [1.0], [0.0, 1.0], [0.0, 0.0, 0.0, 1.0], [0.2, 0.8]])
def test_calls_written_as_scores_are_left_out(scores: list[float]) -> None:
    north = watched()

    assert scored(north, *scores * 400) == []


def test_scores_that_come_to_vary_are_learnt() -> None:
    north = watched()
    scored(north, *[0.0] * 250, *varied())

    assert scored(north, *[0.5] * 8)[0] == "holds"


def test_many_images_of_a_patient_and_repeats_are_no_run() -> None:
    north = watched()
    scored(north, *varied())

    assert scored(north, *[0.5] * 20, counts=False) == []
    assert scored(north, *[0.5] * 20, fresh=False) == []


def test_what_is_resolved_by_hand_while_stuck_is_told_again() -> None:
    north = watched()
    scored(north, *varied())
    scored(north, *[0.5] * 10)

    north.stage.over(incident_of(north.findings()[-1]))

    assert scored(north, *[0.5] * 8)[0] == "holds"


def test_a_score_that_a_person_accepted_is_not_told_again() -> None:
    north = watched()
    scored(north, *varied())
    scored(north, *[0.5] * 10)

    north.stage.accept("north", "ptx", "pneumothorax.score")
    north.stage.over(incident_of(north.findings()[-1]))

    assert scored(north, *[0.5] * 300) == []
    scored(north, *varied(seed=3))
    assert scored(north, *[0.5] * 8)[0] == "holds"


def test_the_share_of_the_budget_is_asked_for_once() -> None:
    granted: list[str] = []
    north = Watched(
        Quality(
            [PTX],
            DataQuality(learn_from=200),
            Watch(),
            Clock(),
            lambda site: granted.append(site) or 1_000.0,
        )
    )

    scored(north, *varied(n=199))
    assert granted == []
    scored(north, *varied(n=2), *[0.5] * 9, *varied(seed=2, n=300), *[0.5] * 9)

    assert granted == ["north"]


def test_of_many_lesions_the_first_is_the_studys() -> None:
    north = watched()
    rng = Random(1)

    for n in range(260):
        first = rng.random() if n < 240 else 0.5
        lesions = [Output(finding="x", score=first), Output(finding="x", score=rng.random())]
        north.answer(outputs=[*lesions, Output(finding="y", positive=True)])

    assert north.stage.sizes()["scores_watched"] == 1
    assert [finding.subject for finding in north.findings()][:1] == ["x.score"]


def test_series_of_scores_are_bounded_by_site_and_by_what_is_watched() -> None:
    north = watched(Watch(exclude=("secret.*",)))
    for n in range(70):
        north.answer(outputs=[Output(finding=f"{n} {m}", score=0.5) for m in range(30)])
    north.answer(site="south", outputs=[Output(finding="secret", score=0.5)])

    assert north.stage.sizes()["scores_watched"] == 2_000
    assert north.stage.dropped["scores_overflow"] == 100


def false_alarms(draw: object, promise_days: float, seed: int, n: int = 60_000) -> float:
    """False alarms times the promise over the days watched: at most 1 if the promise is kept."""
    rng, scores = Random(seed), Scores("north", "ptx", "x")
    at_days, watched_days, alarms_n = 0.0, 0.0, 0
    for _ in range(n):
        elapsed = rng.expovariate(50.0)
        at_days += elapsed
        if scores.phase == "watching":
            watched_days += elapsed
        verdict = scores.take(draw(rng), int(at_days * _DAY_US), 200, lambda: promise_days)
        if verdict == "stuck":
            alarms_n += 1
            scores.over()
            scores.run_n, scores.last = 0, None
    return alarms_n * promise_days / watched_days


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: round(rng.random(), 2),
        lambda rng: round(rng.betavariate(0.3, 3), 2),
        lambda rng: 0.0 if rng.random() < 0.6 else rng.random(),
        lambda rng: rng.choice((0.1, 0.5, 0.9)),
        lambda rng: round(rng.gauss(0, 1), 1),
    ],
    ids=["hundredths", "skewed hundredths", "zeros", "three", "tenths"],
)
def test_by_chance_scores_repeat_seldom_enough(draw: object) -> None:
    rates = [false_alarms(draw, 20.0, seed, 20_000) for seed in range(5)]

    assert sum(rates) / len(rates) <= 1.0


def test_titles_fit_whatever_the_names() -> None:
    north = watched()
    for _ in range(200):
        outputs = [Output(finding="x" * 250, score=0.5)]
        north.answer(model="y" * 250, site="n" * 32, outputs=outputs)

    [told] = findings(north.said)
    assert len(told.title) <= 200
    assert len(told.subject or "") <= 256

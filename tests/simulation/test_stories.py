"""Deadlines and outages by hand-computed tables, asked of the oracle and of the pipeline."""

from collections.abc import Callable, Iterable

import pytest
from msgspec.structs import replace

from schemas.config import Config
from streams.pipeline import Pipeline
from tests.simulation import oracle
from tests.simulation.stories import CONFIG, HOLD, story
from tests.simulation.transitions import outcomes, transitions

Account = Callable[[Config, Iterable[tuple[object, int]]], oracle.Account]


def pipeline_account(config: Config, arrivals: Iterable[tuple[object, int]]) -> oracle.Account:
    pipeline = Pipeline(config)
    effects = [effect for event, us in arrivals for effect in pipeline.handle(event, us)]  # type: ignore[arg-type]
    while (due_us := pipeline.next_due()) is not None:
        effects += pipeline.tick(due_us)
    return oracle.Account(outcomes(effects), transitions(effects))


ACCOUNTS = pytest.mark.parametrize("account", [oracle.account, pipeline_account])

OUTCOMES = """
# settled by the first of
complete@0 done@50                          | on_time due 100 at 50
complete@0 done@100                         | on_time due 100 at 100
complete@0 done@101                         | late due 100 at 101
complete@0                                  | missing due 100 at 100
complete@0 part@50                          | incomplete due 100 at 50
complete@0 failed@50                        | failed due 100 at 50
complete@0 rejected@50                      | rejected due 100 at 50
complete@0 inapplicable@50                  | not_applicable due 100 at 50
complete@0 withdrawn@50                     | cancelled due 100 at 50
complete@0 shadow@50                        | missing due 100 at 100
complete@0 stranger@50                      | missing due 100 at 100
complete@0 failed@150                       | failed due 100 at 150
done@50                                     |
# proved time: the deadline is at 100, and is missed when more than 160 has arrived
complete@0 done@90>159                      | on_time due 100 at 90
complete@0 done@90>160                      | on_time due 100 at 90
complete@0 done@90>161                      | missing due 100 at 100, late due 100 at 90 rev 2
complete@0 done@120>159                     | late due 100 at 120
complete@0 hand@10>159                      | not_applicable due 100 at 10
complete@0 hand@10>161                      | missing due 100 at 100
complete@0>200 done@50>200                  | missing due 100 at 100, late due 100 at 50 rev 2
# better news supersedes, worse never does
complete@0 failed@20 done@50                | failed due 100 at 20, on_time due 100 at 50 rev 2
complete@0 failed@20 done@150               | failed due 100 at 20, late due 100 at 150 rev 2
complete@0 part@20 done@50                  | incomplete due 100 at 20, on_time due 100 at 50 rev 2
complete@0 failed@20 part@50                | failed due 100 at 20
complete@0 part@20 failed@50                | incomplete due 100 at 20
complete@0 done@20 failed@50                | on_time due 100 at 20
complete@0 rejected@20 done@50              | rejected due 100 at 20
complete@0 withdrawn@20 done@50             | cancelled due 100 at 20
complete@0 failed@200                       | missing due 100 at 100
complete@0 failed@200 done@210              | missing due 100 at 100, late due 100 at 210 rev 2
complete@0 done@20 done@20>30 complete@0>40 | on_time due 100 at 20
# start and due
received@0 complete@20                      | missing due 120 at 120
received@0                                  |
complete@0 complete@20                      | missing due 100 at 100
complete@0 received@20                      | missing due 100 at 100
complete@0>5 received@-5>6                  | missing due 100 at 100
complete@20>25 complete@0>30                | missing due 100 at 100
urgent@0                                    | missing due 40 at 40
stat@0                                      | missing due 10 at 10
complete@0 urgent@20                        | missing due 40 at 40
complete@0 stat@20                          | missing due 10 at 10
stat@0 complete@5                           | missing due 10 at 10
complete@0 stat@20 done@30                  | late due 10 at 30
# matching and ending
hand@0                                      |
hand@0 complete@20                          | missing due 120 at 120
blank@0                                     |
blank@0 complete@20                         | missing due 120 at 120
complete@0 blank@20                         | missing due 100 at 100
complete@0 hand@20                          | not_applicable due 100 at 20
complete@0 hand@20 complete@30              | not_applicable due 100 at 20
complete@0 done@10 hand@20                  | on_time due 100 at 10
complete@0 cancel@20                        | cancelled due 100 at 20
complete@0 done@10 cancel@20                | on_time due 100 at 10
complete@0 failed@10 cancel@20 done@30      | failed due 100 at 10, on_time due 100 at 30 rev 2
cancel@0                                    |
cancel@0 complete@20                        | missing due 120 at 120
# the sender's own promise
promise@0                                   | missing due 30 at 30
complete@0 promise@20                       | missing due 30 at 30
nobody@0                                    |
complete@0 nobody@20                        | not_applicable due 100 at 20
complete@0 other@20 stranger@25             | not_applicable due 100 at 20, n on_time due 50 at 25
promise@0 complete@20                       | missing due 30 at 30
# answers that came first
done@10 complete@20                         | on_time due 120 at 10
received@0 done@10 complete@20              | on_time due 120 at 10
failed@10 done@12 complete@20               | on_time due 120 at 12
part@10 failed@5 complete@20                | incomplete due 120 at 10
rejected@12 failed@10 complete@20           | failed due 120 at 10
done@10 complete@0>200                      | on_time due 100 at 10
hand@0 done@10 complete@20                  | on_time due 120 at 10
# order of arrival within lateness
complete@0>30 cancel@10>20                  | cancelled due 100 at 10
complete@0>30 hand@10>20                    | not_applicable due 100 at 10
complete@10>30 received@0>31                | missing due 110 at 110
# stamps that cannot be
complete@400>0                              | missing due 100 at 100
complete@300>0                              | missing due 400 at 400
complete@0 done@500>50                      | on_time due 100 at 50
complete@0 done@350>50                      | late due 100 at 350
"""


def rows(table: str) -> list[tuple[str, str]]:
    lines = [line for line in table.splitlines() if line and not line.startswith("#")]
    return [(words.strip(), wanted.strip()) for words, wanted in (s.split("|") for s in lines)]


def told(account: oracle.Account) -> str:
    parts = []
    for _, _, model, outcome, due_us, at_us, revision in account.outcomes:
        words = f"{outcome} due {due_us // 1_000_000} at {at_us // 1_000_000}"
        words = words if model == "m" else f"{model} {words}"
        parts.append(words if revision == 1 else f"{words} rev {revision}")
    return ", ".join(parts)


@ACCOUNTS
@pytest.mark.parametrize(("words", "wanted"), rows(OUTCOMES))
def test_a_study_settles(account: Account, words: str, wanted: str):
    assert told(account(CONFIG, story(words))) == wanted


EPISODES = """
# opens with the first miss, is over when a later study is served, and resolves after the hold
complete@0
    missing: opened 100
complete@0 b.complete@200 b.done@210
    missing: opened 100, recovering 210, recovered 240
complete@0 b.complete@5
    missing: opened 100
complete@0 b.complete@90 b.done@180
    missing: opened 100
complete@0 done@300
    missing: opened 100
# no study that started before it may still wait
complete@0 b.complete@205 c.complete@210 c.done@220>225 b.done@230
    missing: opened 100, recovering 230, recovered 260
complete@0 b.complete@205 c.complete@210 c.done@220>225 b.rejected@230
    missing: opened 100, recovering 230, recovered 260
complete@0 b.complete@205 c.complete@210 c.done@220>235 b.done@230
    missing: opened 100, recovering 230, recovered 260
complete@0 b.complete@150 c.complete@160 c.done@165
    missing: opened 100
complete@0 b.complete@200 c.complete@210 c.done@215 d.complete@310 d.done@311
    missing: opened 100, recovering 311, recovered 341
# it may be over before the miss is even proved: the miss of 100 is, when 160 has passed
complete@0 b.complete@130 b.done@135
    missing: opened 100, recovering 135, recovered 165
complete@0 b.complete@105 c.complete@110 c.done@120>125 b.done@130
    missing: opened 100, recovering 130, recovered 160
complete@0 b.complete@130 b.done@135 c.complete@140
    missing: opened 100, recovering 135, recovered 165; missing: opened 240
# a miss while it resolves
complete@0 b.complete@130 c.complete@201 c.done@202 b.done@205 d.urgent@190>206
    missing: opened 100, recovering 205, recurred 230
# other kinds have the same shape
complete@0 failed@20 b.complete@30 b.done@40
    failed: opened 20, recovering 40, recovered 70
complete@0 part@20 b.complete@30 b.done@40
    incomplete: opened 20, recovering 40, recovered 70
complete@0 failed@20 b.complete@30 b.failed@40
    failed: opened 20
complete@0 rejected@20 b.complete@30 b.withdrawn@40
    nothing
complete@0 failed@20 done@40
    failed: opened 20
"""


def pairs(table: str) -> list[tuple[str, str]]:
    lines = [line.strip() for line in table.splitlines() if line and not line.startswith("#")]
    return list(zip(lines[::2], lines[1::2], strict=True))


def steps(account: oracle.Account) -> str:
    episodes: dict[tuple[str, int], list[str]] = {}
    for kind, _, _, episode, step, at_us, _ in account.transitions:
        if step == "updated":
            continue
        episodes.setdefault((kind.removesuffix("_output"), episode), []).append(
            f"{step} {at_us // 1_000_000}"
        )
    told = "; ".join(f"{kind}: {', '.join(said)}" for (kind, _), said in episodes.items())
    return told or "nothing"


@ACCOUNTS
@pytest.mark.parametrize(("words", "wanted"), pairs(EPISODES))
def test_an_outage_opens_and_ends(account: Account, words: str, wanted: str):
    assert steps(account(CONFIG, story(words))) == wanted


@ACCOUNTS
def test_an_outage_opens_after_as_many_studies_as_it_says(account: Account):
    patient = replace(CONFIG.models[0], missing=replace(HOLD, open_after=2))
    config = replace(CONFIG, models=[patient])

    assert steps(account(config, story("complete@0"))) == "nothing"
    assert steps(account(config, story("complete@0 b.complete@20"))) == "missing: opened 120"
    served_between = "complete@0 b.complete@130 b.done@135 c.complete@140"
    assert steps(account(config, story(served_between))) == "nothing"


@ACCOUNTS
def test_the_studies_of_an_episode_are_counted_once(account: Account):
    [*_, last] = account(
        CONFIG, story("complete@0 b.complete@1 c.complete@200 c.done@201")
    ).transitions

    assert last.affected == 2


@ACCOUNTS
def test_an_outage_is_updated_no_more_often_than_it_says(account: Account):
    missed = story("complete@0 b.complete@10 c.complete@20 d.complete@70")
    told = account(CONFIG, missed).transitions

    assert [(t.step, t.at_us // 1_000_000, t.affected) for t in told] == [
        ("opened", 100, 1),
        ("updated", 160, 3),
        ("updated", 220, 4),
    ]


@ACCOUNTS
def test_a_settled_study_is_remembered_for_its_time_and_no_longer(account: Account):
    config = replace(CONFIG, bounds=replace(CONFIG.bounds, settled_s=1000))

    assert len(account(config, story("complete@0 done@50 complete@0>1000")).outcomes) == 1
    assert len(account(config, story("complete@0 done@50 complete@2000")).outcomes) == 2
    assert (
        len(account(config, story("complete@0 done@50 done@50>900 complete@0>1900")).outcomes) == 1
    )


@ACCOUNTS
def test_an_answer_waits_for_its_study_for_its_time_and_no_longer(account: Account):
    config = replace(CONFIG, bounds=replace(CONFIG.bounds, waiting_s=1000))

    assert told(account(config, story("done@0 complete@900"))) == "on_time due 1000 at 0"
    assert told(account(config, story("done@0 complete@1200"))) == "missing due 1300 at 1300"

"""Words for tests of performance: studies, answers and reports of one model, told to the stage."""

from collections.abc import Iterable, Iterator
from itertools import count

from schemas.config import Config, Limits, Model, Reference, Watch
from schemas.performance import Performance
from schemas.prediction import Output, Prediction
from schemas.report import Label, Report
from schemas.study import Study
from streams.clock import to_us
from streams.finding import Finding
from streams.observations.observe import Complete, Observations
from streams.outcomes.study_record import StudyFacts
from streams.performance.readout import Readout
from streams.stage import Happened, Said
from tests.unit import builders
from tests.unit.builders import us

DAY_S = 86_400
MATURITY_S = 3 * DAY_S


class Grants:
    """Every monitor is promised so many days; who asked is remembered."""

    def __init__(self, days: float = 500.0) -> None:
        self.days = days
        self.asked: list[str] = []

    def grant(self, site: str) -> float:
        self.asked.append(site)
        return self.days


def happened(
    event: Study | Prediction | Report,
    made_s: float | None = 0,
    arrived_s: float | None = None,
    **fields: bool,
) -> Happened:
    """An event of a study made at `made_s`; None: not known yet. It arrives when it is stamped."""
    at_us = to_us(event.at)
    arrived_us = at_us if arrived_s is None else us(arrived_s)
    facts = None if made_s is None else StudyFacts(us(made_s), {})
    plain = {"fresh": True, "counts": True}
    return Happened(event, at_us, arrived_us, arrived_us, **(plain | fields), study=facts)


def answer(key: str = "a", at_s: float = 60, positive: bool | None = True, **fields) -> Prediction:
    score = fields.pop("score", None)
    output = Output(finding="pneumothorax", positive=positive, score=score)
    return builders.prediction(key, at_s, **{"outputs": [output]} | fields)


def report(key: str = "a", at_s: float = 3600, value: str = "present", **fields) -> Report:
    labels = [Label(finding="pneumothorax", value=value)]
    return builders.report(key, at_s, **{"labels": labels} | fields)


def readout(
    observations: int = 2_000,
    limits: Limits | None = None,
    grants: Grants | None = None,
    watch: Watch | None = None,
    **settings: float,
) -> Readout:
    """The stage, with one model at any site."""
    model = Model(name="ptx", owner="kim", limits={"pneumothorax": limits} if limits else {})
    config = Config(
        models=[model], reference=Reference(observations=observations), watch=watch or Watch()
    )
    return Readout(config, Performance(**settings), grants or Grants())


def told(stage: Readout, arrivals: Iterable[Happened], until_s: float = 1e9) -> list[Said]:
    """What is said of events in the order of arrival, time being proved as they come."""
    said: list[Said] = []
    for one in arrivals:
        said += advanced(stage, one.watermark_us)
        said += stage.take(one)
    return said + advanced(stage, us(until_s))


def advanced(stage: Readout, until_us: int) -> list[Said]:
    """What time alone brings about."""
    said: list[Said] = []
    while stage.earliest_us() <= until_us:
        said += stage.tick(stage.earliest_us())
    return said


def values(said: Iterable[Said]) -> list[str]:
    """Observations as `study ppv=yes`."""
    return [
        f"{one.study} {subject.rpartition('.')[2]}={'yes' if value else 'no'}"
        for one in said
        if isinstance(one, Observations)
        for subject, value in one.values
    ]


def findings(said: Iterable[Said]) -> list[Finding]:
    return [one for one in said if isinstance(one, Finding)]


def complete(said: Iterable[Said]) -> list[str]:
    return [one.subject for one in said if isinstance(one, Complete)]


class Ward:
    """Studies in a row, one every `every_s`, answered and reported at once."""

    def __init__(self, stage: Readout, every_s: float = DAY_S / 200) -> None:
        self.stage = stage
        self._every_s = every_s
        self._numbers = count()

    def sees(
        self, n: int, called: Iterator[bool | None], present: Iterator[bool | None], **fields
    ) -> list[Said]:
        """What is said of n studies; `present` None where no report comes."""
        said: list[Said] = []
        for _ in range(n):
            number, call, is_present = next(self._numbers), next(called), next(present)
            made_s = number * self._every_s
            events = [answer(str(number), made_s + 60, call, **fields)]
            if is_present is not None:
                value = "present" if is_present else "absent"
                events.append(report(str(number), made_s + 120, value))
            arrivals = [happened(event, made_s) for event in events]
            said += told(self.stage, arrivals, made_s)
        return said

    def rests(self) -> list[Said]:
        """Time goes on until everything is mature."""
        return advanced(self.stage, us(1e9))

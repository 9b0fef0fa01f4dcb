"""What comes and goes many times in a short while is told as one incident of the kind `flapping`.

A cycle is complete when the condition has been true and is shown to be over. After
`flapping_cycles` of them within `flapping_s` the case is folded: its transitions are written as
before, with `folded_into`, and the flapping incident is what people are told. That one is over
when the case has stayed as it is for `flapping_s` of proved time and its site was heard from after
that; time alone does not end it, for a silent site is no calm one.
"""

from collections.abc import Iterable, Iterator

from schemas.incident import Evidence
from schemas.incident_settings import IncidentSettings
from streams.clock import seconds_to_us
from streams.finding import Finding
from streams.incidents.case import Case
from streams.incidents.lifecycle import LIVE, TRUE, State

_REMEMBERED = 64
_UPDATE_US = seconds_to_us(900)


class Flapping:
    """The rule; `live` has the fingerprints of a shard's live flapping incidents, by site."""

    def __init__(self, settings: IncidentSettings) -> None:
        self._cycles = settings.flapping_cycles
        self._window_us = seconds_to_us(settings.flapping_s)
        self.live: dict[str, set[str]] = {}

    def turned(self, case: Case, before: State) -> bool:
        """Note a transition that began or ended a condition; whether it did."""
        if (before in TRUE) == (case.state in TRUE):
            return False
        if case.state == "resolving":
            recent = [at_us for at_us in case.eased_us if at_us > case.at_us - self._window_us]
            case.eased_us = [*recent[1 - _REMEMBERED :], case.at_us]
        return True

    def finding(self, case: Case) -> Finding | None:
        """What is to be told of a case that has turned: that it flaps, still or by now."""
        n = len(case.eased_us)
        if case.state != "resolving" or n < self._cycles:
            return None
        return Finding(
            signal="holds",
            kind="flapping",
            site=case.site,
            model=case.model,
            model_version=case.model_version,
            subject=subject_of(case),
            at_us=case.at_us,
            title=f"{_what(case)} at {case.site} came and went {n} times within "
            f"{self._window_us / 60e6:g} min",
            severity=case.severity,
            evidence=Evidence(
                detector="flapping", statistic=float(n), threshold=float(self._cycles)
            ),
            update_us=_UPDATE_US,
            owner=case.owner,
            runbook=case.runbook,
        )

    def fold(self, case: Case, flapping: Case) -> None:
        """A case that has turned is told by its flapping incident, which goes on for a while."""
        case.folded_by = flapping.fingerprint
        flapping.calm_us = case.at_us + self._window_us

    def follow(self, flapping: Case) -> bool:
        """Keep in mind which flapping incidents live; whether this one does."""
        there = self.live.setdefault(flapping.site, set())
        if flapping.state in LIVE:
            there.add(flapping.fingerprint)
            return True
        there.discard(flapping.fingerprint)
        if not there:
            del self.live[flapping.site]
        return False


def unfold(flapping: Case, cases: Iterable[Case]) -> Iterator[Case]:
    """What a flapping incident that is over stood for speaks for itself again."""
    flapping.calm_us = None
    for case in cases:
        if case.folded_by == flapping.fingerprint:
            case.folded_by, case.eased_us = None, []
            yield case


def subject_of(case: Case) -> str:
    """What a case's flapping incident is about: the kind, and the case's own subject."""
    return case.kind if case.subject is None else f"{case.kind} {case.subject}"[:256]


def _what(case: Case) -> str:
    what = subject_of(case)[:80]
    return what if case.model is None else f"{what} of {case.model[:40]}"

"""Tells one worklist of outcomes, one after the other, until it has taken each or never will.

A notice is tried on while nobody can be reached, or nobody lets us in: that is not its fault. What
is answered with an error, or not at all, is tried `tries` times; what is refused, once. A notice
that is given up is counted and named by its place in the topic, where it stays to be read.
"""

import logging
from typing import Literal

from schemas.outcome import Outcome
from schemas.worklist import Worklist
from streams.clock import seconds_to_us, to_us
from streams.delivery.retry import LONGEST_S, wait_s
from streams.delivery.surroundings import Surroundings
from streams.notifiers import Answer, Refused, Request, Result, Retry, Sent
from streams.worklist import Notice, of
from streams.worklist.desk.study_names import StudyNames
from streams.worklist.desk.telemetry import Telemetry

log = logging.getLogger("radvigil.worklist")

Fate = Literal["told", "refused", "unanswered", "old"]
_AWAY = frozenset(
    {"unreachable", "certificate", "http_401", "http_403", "http_429", "http_502", "http_503"}
)


class Clerk:
    """For one worklist."""

    def __init__(
        self, settings: Worklist, around: Surroundings, names: StudyNames, telemetry: Telemetry
    ) -> None:
        self._settings = settings
        self._kind = of(settings)
        self._around = around
        self._names = names
        self._telemetry = telemetry

    def wants(self, told: Outcome) -> bool:
        """Whether this worklist is told of it."""
        s = self._settings
        is_ours = (not s.sites or told.site in s.sites) and (not s.models or told.model in s.models)
        return is_ours and (told.outcome in s.outcomes or told.revision > 1)

    async def tell(self, told: Outcome, place: str) -> Fate:
        """Until it was taken, or is given up. `place` names it in the log: topic and offset."""
        study = self._names.find(told.study)
        if not any(study):
            self._telemetry.unnamed()
        request = self._kind.render(self._settings, Notice(told, study))
        fate = await self._sent(request, told, place)
        self._telemetry.became(fate)
        if fate != "told":
            log.error("%s: a notice was given up as %s: %s", self._settings.name, fate, place)
        return fate

    async def _sent(self, request: Request, told: Outcome, place: str) -> Fate:
        old_us = to_us(told.at) + seconds_to_us(self._settings.old_s)
        tried_n = failed_n = 0
        while self._around.clock_us() < old_us:
            result = await self._try(request)
            if isinstance(result, Sent):
                return "told"
            self._telemetry.failed(type(result).__name__.lower())
            if isinstance(result, Refused) and result.why not in _AWAY:
                log.warning("%s: %s: %s", self._settings.name, result.why, place)
                return "refused"
            tried_n += result.why not in _AWAY
            failed_n += 1
            if tried_n >= self._settings.tries:
                return "unanswered"
            await self._wait(result, failed_n, place)
        return "old"

    async def _try(self, request: Request) -> Result:
        met = await self._around.send(request)
        return self._kind.read(request, met) if isinstance(met, Answer) else met

    async def _wait(self, result: Result, failed_n: int, place: str) -> None:
        asked_s = (result.after_s or 0.0) if isinstance(result, Retry) else 0.0
        pause_s = wait_s(failed_n, min(asked_s, LONGEST_S), self._around.draw)
        level = logging.WARNING if failed_n in (1, 10) or failed_n % 100 == 0 else logging.DEBUG
        why = getattr(result, "why", "")
        log.log(level, "%s: %s, again in %.0f s: %s", self._settings.name, why, pause_s, place)
        await self._around.sleep(pause_s)

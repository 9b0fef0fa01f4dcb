"""Tells one tracker of incidents, one after the other, and goes on until it has taken them.

The order of a creation is what makes it safe: the intent is written down first, by a commit that
only the owner of the partition can make; then the request goes; then its id is remembered. Whoever
takes over after a crash knows that there may be a ticket which a search does not find yet.
"""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from schemas.incident import Incident
from schemas.tickets import Tickets
from streams.clock import seconds_to_us
from streams.delivery.bucket import Bucket
from streams.delivery.http import Met
from streams.delivery.retry import LONGEST_S, wait_s
from streams.delivery.surroundings import Surroundings
from streams.notifiers import Answer, Refused, Request, Retry, Unknown
from streams.ticket_desk.telemetry import Silent, Telemetry
from streams.tickets import _plan, of
from streams.tickets._contract import Mark
from streams.tickets._conversation import GONE, Done, Intent, Outcome, conversation
from streams.tickets._ledger import Ledger

log = logging.getLogger("radvigil.tickets")

_REMEMBERED = 10_000
Write = Callable[[], Awaitable[None]]


class Clerk:
    """For one tracker. `page` is the live page's address, for links."""

    def __init__(
        self,
        settings: Tickets,
        around: Surroundings,
        page: str = "",
        telemetry: Telemetry | None = None,
    ) -> None:
        self._settings = settings
        self._around = around
        self._page = page
        self._telemetry = telemetry or Silent()
        self._bucket = Bucket(of(settings).PACE)
        self._known: OrderedDict[str, tuple[str, Mark]] = OrderedDict()

    def ledger(self, written: str = "") -> Ledger:
        """The ledger of a partition, as it was written last."""
        return Ledger(seconds_to_us(self._settings.timeout_s + self._settings.settle_s), written)

    def now_us(self) -> int:
        """By its clock."""
        return self._around.clock_us()

    def forget(self) -> None:
        """Whoever has the partition meanwhile may tell the same tickets."""
        self._known.clear()

    async def tell(self, incident: Incident, ledger: Ledger, write: Write) -> Done | Refused:
        """Until the tracker has taken it, or refused it for good.

        `write` writes the ledger down, and raises where the partition is not ours any more.
        """
        failed_n = 0
        while True:
            outcome = await self._talk(incident, ledger, write)
            match outcome:
                case Done():
                    self._remember(incident, outcome)
                    self._telemetry.told(self._name, outcome.did)
                    return outcome
                case Refused(why) if why == GONE and self._forget(incident, ledger):
                    continue
                case Refused(why):
                    log.error("%s refused incident %s: %s", self._name, incident.incident, why)
                    self._telemetry.failed(self._name, "refused")
                    return outcome
            failed_n += 1
            await self._wait(outcome, failed_n, ledger, incident)

    @property
    def _name(self) -> str:
        return self._settings.name

    async def _talk(self, incident: Incident, ledger: Ledger, write: Write) -> Outcome:
        """One conversation. A creation that certainly failed needs no settling."""
        known = self._known.get(incident.incident)
        if known is not None and not _plan.is_news(incident, known[1]):
            return Done("nothing", *known)
        ticket = known[0] if known else ledger.ticket(incident.incident)
        talk = conversation(self._settings, incident, self._page, ticket)
        intended = False
        reply: Answer | bool | None = None
        while True:
            try:
                asked = talk.send(reply)
            except StopIteration as end:
                outcome: Outcome = end.value
                break
            if isinstance(asked, Intent):
                reply = intended = await self._may_create(incident, ledger, write)
                continue
            met = await self._send(asked)
            if not isinstance(met, Answer):
                outcome = met
                break
            reply = met
        if intended and isinstance(outcome, Retry | Refused):
            ledger.failed(incident.incident)
        elif isinstance(outcome, Done) and outcome.did == "created" and outcome.ticket:
            ledger.created(incident.incident, outcome.ticket)
        return outcome

    async def _may_create(self, incident: Incident, ledger: Ledger, write: Write) -> bool:
        now_us = self._around.clock_us()
        if ledger.blocked_us(incident.incident, now_us):
            return False
        ledger.intend(incident.incident, now_us)
        await write()
        return True

    async def _send(self, request: Request) -> Met:
        early_us = self._bucket.free_at_us() - self._around.clock_us()
        if early_us > 0:
            await self._around.sleep(early_us / 1e6)
        self._bucket.take(self._around.clock_us())
        return await self._around.send(request)

    async def _wait(
        self, failed: Retry | Unknown, failed_n: int, ledger: Ledger, incident: Incident
    ) -> None:
        """As long as the tracker asks, with jitter; after an unknown creation until it settled."""
        asked_s = (failed.after_s or 0.0) if isinstance(failed, Retry) else 0.0
        if failed.why == "unsettled":
            asked_s = ledger.blocked_us(incident.incident, self._around.clock_us()) / 1e6
        else:
            self._telemetry.failed(self._name, type(failed).__name__.lower())
        pause_s = wait_s(failed_n, min(asked_s, LONGEST_S), self._around.draw)
        level = logging.WARNING if failed_n in (1, 10) or failed_n % 100 == 0 else logging.DEBUG
        text = "%s did not take incident %s: %s; again in %.0f s"
        log.log(level, text, self._name, incident.incident, failed.why, pause_s)
        await self._around.sleep(pause_s)

    def _remember(self, incident: Incident, done: Done) -> None:
        if done.ticket is None or done.mark is None:
            return
        if done.found_n > 1:
            log.warning("%s has %d tickets of %s", self._name, done.found_n, incident.incident)
        self._known[incident.incident] = done.ticket, done.mark
        self._known.move_to_end(incident.incident)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _forget(self, incident: Incident, ledger: Ledger) -> bool:
        """A ticket that was deleted: whether we knew of it, and a search is worth it."""
        knew = self._known.pop(incident.incident, None) or ledger.ticket(incident.incident)
        ledger.failed(incident.incident)
        return knew is not None

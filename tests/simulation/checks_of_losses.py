"""What must hold where records were deleted before they were read."""

from collections import Counter
from collections.abc import Iterable, Iterator

from schemas.incident import Incident
from schemas.messages import Effect
from schemas.prediction import Prediction
from schemas.report import Report
from schemas.study import Study
from tests.simulation.delivery import Delivery, Loss
from tests.simulation.oracle import Account

_FEEDS = {Study: "studies", Prediction: "predictions", Report: "reports"}


def is_of_a_loss(incident: Incident) -> bool:
    """Whether it says what the monitor has not seen."""
    return incident.kind == "data_quality" and incident.evidence.detector == "retention"


def losses(effects: Iterable[Effect], read: list[Delivery]) -> Iterator[str]:
    """They are told, feed by feed, until records are read again that came after them."""
    told = [one for one in effects if isinstance(one, Incident) and is_of_a_loss(one)]
    for feed, name in _FEEDS.items():
        places = [n for n, one in enumerate(read) if _is_told(one, feed)]
        said = [one for one in told if one.subject == f"partition-0 {name}"]
        if bool(said) != bool(places):
            yield f"losses: {len(places)} of {name}, {len(said)} told"
        elif said:
            until_us = max(read[n].event.until_us for n in places)  # type: ignore[union-attr]
            later = [one for one in read[places[-1] :] if isinstance(one.event, feed)]
            is_over = said[-1].state in ("resolved", "closed")
            if is_over and not later:
                yield f"losses of {name} are over, and nothing was read again"
            if not is_over and any(one.arrived_us >= until_us for one in later):
                yield f"losses of {name} are not over, and what came after them was read"


def _is_told(one: Delivery, feed: type) -> bool:
    """To a monitor that has not begun nothing is lost."""
    return isinstance(one.event, Loss) and one.event.feed is feed and one.event.proved_us > 0


def unjust(
    told: Account, before: Account, read: list[Delivery], deliveries: list[Delivery]
) -> Iterator[str]:
    """No loss of results, and none of others' studies, makes a study miss what it did not miss."""
    was, left = _told_n(deliveries), _told_n(read)
    changed = {study for study in was if was[study] != left[study]}
    missing = {one[:3] for one in before.outcomes if one.outcome == "missing"}
    for one in told.outcomes:
        if one.outcome == "missing" and one[:3] not in missing and one[:2] not in changed:
            yield f"unjust: {one} is missing because of a loss"


def _told_n(deliveries: list[Delivery]) -> Counter[tuple[str, str]]:
    """How often each study was told."""
    studies = (one.event for one in deliveries if isinstance(one.event, Study))
    return Counter((event.site, event.study) for event in studies)

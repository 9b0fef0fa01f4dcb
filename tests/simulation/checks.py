"""What must hold of everything that a monitor says, whatever the hospital and the faults."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from os.path import commonprefix

import msgspec

from schemas.incident import Incident
from schemas.messages import Effect
from schemas.notification import Notification
from schemas.outcome import Outcome
from schemas.reply import Reply
from schemas.series import SeriesPoint
from tests.simulation.oracle import Account
from tests.simulation.transitions import outcomes, transitions

_OVER = ("resolved", "closed")


def laws(effects: list[Effect], patients: Iterable[str]) -> Iterator[str]:
    """The invariants of ids, sequences and secrets, each broken one as a sentence."""
    yield from _one_content_an_id(effects)
    yield from _gapless(effects)
    yield from _one_live_incident_a_fingerprint(effects)
    said = b"\n".join(map(msgspec.json.encode, effects))
    keys = [*patients]
    if commonprefix(keys).encode() in said:  # noqa: RUF071 - where it is not, no key is
        yield from (f"{key} was published" for key in keys if key.encode() in said)


def agreement(effects: list[Effect], wanted: Account) -> Iterator[str]:
    """Where outcomes and outage incidents differ from the oracle's."""
    yield from _differences("outcome", sorted(wanted.outcomes), sorted(outcomes(effects)))
    by_subject: dict[tuple[str, ...], tuple[list[object], list[object]]]
    by_subject = defaultdict(lambda: ([], []))
    for side, steps in enumerate((wanted.transitions, transitions(effects))):
        for step in steps:
            by_subject[step[:3]][side].append(step)
    for mine, theirs in by_subject.values():
        yield from _differences("transition", mine, theirs)


def _differences(what: str, wanted: list, got: list) -> Iterator[str]:  # type: ignore[type-arg]
    missing = [("wanted", each) for each in wanted if each not in set(got)]
    false = [("not wanted", each) for each in got if each not in set(wanted)]
    for verdict, each in sorted(missing + false, key=lambda pair: pair[1][:3]):
        yield f"{what} {verdict}: {each}"
    if set(wanted) == set(got) and wanted != got:
        yield f"{what}s repeated or in another order: {got}"


def _one_content_an_id(effects: list[Effect]) -> Iterator[str]:
    seen = set()
    for effect in effects:
        match effect:
            case Outcome():
                key = (effect.site, effect.study, effect.model, effect.revision)
            case Incident():
                key = (effect.incident, effect.seq)
            case SeriesPoint():
                key = (effect.site, effect.model, effect.subject, effect.since, effect.at)
            case Notification():
                key = (effect.receiver, effect.key, effect.number)
            case Reply():
                continue  # a command that comes again is answered again
        if key in seen:
            yield f"said twice: {key}"
        seen.add(key)


def _gapless(effects: list[Effect]) -> Iterator[str]:
    last: dict[str, int] = defaultdict(int)
    for effect in effects:
        if isinstance(effect, Incident):
            if effect.seq != last[effect.incident] + 1:
                yield f"{effect.kind} has seq {effect.seq} after {last[effect.incident]}"
            last[effect.incident] = effect.seq


def _one_live_incident_a_fingerprint(effects: list[Effect]) -> Iterator[str]:
    live: dict[str, str] = {}
    for effect in effects:
        if not isinstance(effect, Incident):
            continue
        other = live.get(effect.fingerprint)
        if other is not None and other != effect.incident and effect.state not in _OVER:
            yield f"{effect.kind} has two live incidents: {other}, {effect.incident}"
        if effect.state not in _OVER:
            live[effect.fingerprint] = effect.incident
        elif other == effect.incident:
            del live[effect.fingerprint]

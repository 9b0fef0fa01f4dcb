"""What routes, receivers and maintenance windows say that cannot be meant, or is of no use."""

from collections.abc import Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import get_args

from cronsim import CronSim, CronSimError

from schemas.config import Config
from schemas.fields import Severity
from schemas.incident import IncidentKind
from schemas.routing import Receiver, Route, RoutedField

_FIELDS = get_args(RoutedField)
_CLOSED = {"kind": get_args(IncidentKind), "severity": get_args(Severity)}
_IMPLICIT = "log"
_SOMETIME = datetime(2026, 1, 1, tzinfo=UTC)


def routing_problems(config: Config) -> Iterator[str]:
    """Every contradiction, as a sentence with its path."""
    names = [receiver.name for receiver in config.receivers]
    for index, route in enumerate(config.routes):
        yield from _route(route, f"route[{index}]", names)
    for index, receiver in enumerate(config.receivers):
        if receiver.fallback is not None:
            yield from _named([receiver.fallback], f"receiver[{index}].fallback", names, one=True)
    yield from _circles(config.receivers)
    for place, site in enumerate(config.sites):
        for index, window in enumerate(site.maintenance):
            yield from _cron(window.cron, f"site[{place}].maintenance[{index}].cron")


def routing_warnings(config: Config) -> Iterator[str]:
    """What can be used and is of no use: routes that nothing reaches, receivers without any."""
    for index, route in enumerate(config.routes):
        for before, earlier in enumerate(config.routes[:index]):
            if not earlier.continue_ and _takes_all(earlier, route):
                yield f"`route[{index}]`: `route[{before}]` takes all that it would match"
                break
    led_to = {name for route in config.routes for name in _receivers(route)}
    led_to |= {receiver.fallback for receiver in config.receivers if receiver.fallback}
    for index, receiver in enumerate(config.receivers):
        if config.routes and receiver.name not in led_to:
            yield f"`receiver[{index}]`: no route leads to {receiver.name}"


def _route(route: Route, path: str, known: list[str]) -> Iterator[str]:
    yield from match_field_problems(route.match, f"{path}.match")
    yield from _named(route.receivers, f"{path}.receivers", known)
    for index, step in enumerate(route.escalate):
        yield from _named(step.receivers, f"{path}.escalate[{index}].receivers", known)
    if route.group_wait_s > route.group_interval_s:
        yield f"`{path}.group_wait_s` is above `{path}.group_interval_s`"


def match_field_problems(match: dict[str, list[str]], path: str) -> Iterator[str]:
    """Fields that incidents do not have, and values that the fields never have."""
    for field, wanted in match.items():
        if field not in _FIELDS:
            yield f"`{path}.{field}`: expected one of {', '.join(_FIELDS)}"
        elif field in _CLOSED and not all(_some(pattern, _CLOSED[field]) for pattern in wanted):
            yield f"`{path}.{field}`: expected some of {', '.join(_CLOSED[field])}"


def _some(pattern: str, values: tuple[str, ...]) -> bool:
    return any(fnmatchcase(value, pattern) for value in values)


def _named(names: list[str], path: str, known: list[str], *, one: bool = False) -> Iterator[str]:
    there = f"there are {', '.join(known)}" if known else "there are none"
    for index, name in enumerate(names):
        if name not in known and name != _IMPLICIT:
            place = path if one else f"{path}[{index}]"
            near = get_close_matches(name, known, n=1)
            meant = f", did you mean `{near[0]}`?" if near else f"; {there}"
            yield f"`{place}`: no receiver has this name{meant}"


def _circles(receivers: list[Receiver]) -> Iterator[str]:
    """Each circle of fallbacks once, at its first receiver."""
    fallbacks = {receiver.name: receiver.fallback for receiver in receivers}
    told: set[str] = set()
    for index, receiver in enumerate(receivers):
        circle = [receiver.name]
        after = receiver.fallback
        while after is not None and after not in circle:
            circle.append(after)
            after = fallbacks.get(after)
        if after == receiver.name and told.isdisjoint(circle):
            told.update(circle)
            way = " -> ".join((*circle, after))
            yield f"`receiver[{index}].fallback`: leads back to itself: {way}"


def _cron(cron: str, path: str) -> Iterator[str]:
    if len(cron.split()) != 5:
        yield f"`{path}`: expected 5 fields, as in `0 2 * * 0`"
        return
    try:
        next(CronSim(cron, _SOMETIME))
    except CronSimError as error:
        yield f"`{path}`: {str(error)[:1].lower()}{str(error)[1:]}; as in `0 2 * * 0`"
    except StopIteration:
        yield f"`{path}`: there is no such day"


def _takes_all(earlier: Route, later: Route) -> bool:
    """Whether whatever matches the later route matches the earlier one, as far as names tell."""
    return all(
        field in later.match and all(_covered(pattern, wanted) for pattern in later.match[field])
        for field, wanted in earlier.match.items()
    )


def _covered(pattern: str, by: list[str]) -> bool:
    plain = not set("*?[") & set(pattern)
    return pattern in by or "*" in by or (plain and _any(pattern, by))


def _any(value: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in patterns)


def _receivers(route: Route) -> Iterator[str]:
    yield from route.receivers
    for step in route.escalate:
        yield from step.receivers

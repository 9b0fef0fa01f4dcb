"""What is said of routes, receivers and windows that cannot be meant, or are of no use."""

from typing import Any

import pytest

from schemas.config import Config
from schemas.routing import Escalation, Log, Route
from schemas.routing_checks import routing_problems, routing_warnings
from schemas.site import Maintenance, SiteSettings

A = Route(receivers=["a"])
DRIFT = Route(receivers=["a"], match={"kind": ["*_drift"]})


def settings(
    *routes: Route, receivers: str = "a", cron: str | None = None, **fields: Any
) -> Config:
    """Receivers are given as `a>b c`: a falls back to b."""
    named = [name.partition(">") for name in receivers.split()]
    windows = [] if cron is None else [Maintenance(cron=cron, minutes=60)]
    return Config(
        routes=list(routes),
        receivers=[Log(name=name, fallback=after or None) for name, _, after in named],
        sites=[SiteSettings(name="north", maintenance=windows)],
        **fields,
    )


@pytest.mark.parametrize(
    "config, expected",
    [
        (settings(A, DRIFT, cron="0 2 * * 0"), []),
        (settings(Route(receivers=["log"])), []),
        (
            settings(Route(receivers=["oncal"]), receivers="oncall"),
            ["`route[0].receivers[0]`: no receiver has this name, did you mean `oncall`?"],
        ),
        (
            settings(Route(receivers=["x"])),
            ["`route[0].receivers[0]`: no receiver has this name; there are a"],
        ),
        (
            settings(
                Route(receivers=["a"], escalate=[Escalation(after_s=1, receivers=["a", "x"])])
            ),
            ["`route[0].escalate[0].receivers[1]`: no receiver has this name; there are a"],
        ),
        (
            settings(Route(receivers=["a"], group_wait_s=60, group_interval_s=30)),
            ["`route[0].group_wait_s` is above `route[0].group_interval_s`"],
        ),
        (
            settings(Route(receivers=["a"], match={"colour": ["red"]})),
            [
                "`route[0].match.colour`: expected one of "
                "kind, severity, site, model, subject, owner"
            ],
        ),
        (
            settings(Route(receivers=["a"], match={"severity": ["crit*", "high"]})),
            ["`route[0].match.severity`: expected some of critical, error, warning, info"],
        ),
        (
            settings(receivers="a>x"),
            ["`receiver[0].fallback`: no receiver has this name; there are a"],
        ),
        (settings(receivers="a>b b>c c>log"), []),
        (
            settings(receivers="x>a a>b b>a"),
            ["`receiver[1].fallback`: leads back to itself: a -> b -> a"],
        ),
        (
            settings(receivers="a>a"),
            ["`receiver[0].fallback`: leads back to itself: a -> a"],
        ),
        (
            settings(cron="0 2 * *"),
            ["`site[0].maintenance[0].cron`: expected 5 fields, as in `0 2 * * 0`"],
        ),
        (
            settings(cron="61 2 * * 0"),
            ["`site[0].maintenance[0].cron`: bad minute; as in `0 2 * * 0`"],
        ),
        (
            settings(cron="0 2 31 2 *"),
            ["`site[0].maintenance[0].cron`: bad day-of-month; as in `0 2 * * 0`"],
        ),
    ],
)
def test_contradictions(config: Config, expected: list[str]) -> None:
    assert list(routing_problems(config)) == expected


@pytest.mark.parametrize(
    "config, expected",
    [
        (settings(DRIFT, A), []),
        (settings(A, DRIFT), ["`route[1]`: `route[0]` takes all that it would match"]),
        (settings(Route(receivers=["a"], continue_=True), DRIFT), []),
        (
            settings(DRIFT, Route(receivers=["a"], match={"kind": ["input_drift"], "site": ["n"]})),
            ["`route[1]`: `route[0]` takes all that it would match"],
        ),
        (settings(DRIFT, Route(receivers=["a"], match={"kind": ["input_drift", "latency"]})), []),
        (settings(DRIFT, Route(receivers=["a"], match={"kind": ["*"]})), []),
        (settings(A, receivers="a b"), ["`receiver[1]`: no route leads to b"]),
        (settings(A, receivers="a>b b"), []),
        (settings(receivers="a"), []),
    ],
)
def test_what_is_of_no_use(config: Config, expected: list[str]) -> None:
    assert list(routing_warnings(config)) == expected

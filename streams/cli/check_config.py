"""`radvigil check-config`: whether a configuration can be used, and what it means."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from schemas.config import MONITORS, Config, Model, Outage
from schemas.config_file import load
from schemas.routing_checks import routing_warnings
from streams.budget import promise
from streams.finding import MONITOR_SITE
from streams.observations.observe import Observe

_RECOMMENDED_N = 500
_A_WEEKEND_DAYS = 8


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "check-config",
        description="Check a configuration file. Exit status 0: it can be used; 2: it cannot, "
        "and stderr says where and why.",
    )
    files = parser.add_mutually_exclusive_group(required=True)
    files.add_argument("config", nargs="?", metavar="FILE")
    files.add_argument("--config", dest="named", metavar="FILE", help="the same")
    parser.add_argument("--json", action="store_true", help="the whole configuration, as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Load it, and say what it comes to."""
    path = arguments.config or arguments.named
    config = load(path)
    if arguments.json:
        text = msgspec.json.format(msgspec.json.encode(config), indent=2).decode()
        sys.stdout.write(text + "\n")
        return 0
    if not config.models:
        print("no [[model]]: a result is expected only where a study brings its own `expects`")
    for model in config.models:
        applies = ", ".join(model.applies) or "every study"
        print(f"model {model.name}: {applies}; {_deadlines(model)}")
    if left_out := [one for one in MONITORS if one not in config.watch.monitors]:
        print(f"left out by watch.monitors: {', '.join(left_out)}")
    if no_series := Observe(config.watch).is_idle:
        print("no series is watched: watch.include and watch.exclude leave none")
    print(promise(config))
    for warning in (*_warnings(config, no_series), *routing_warnings(config)):
        print(f"warning: {warning}")
    print(f"{path}: can be used")
    return 0


def _warnings(config: Config, no_series: bool) -> Iterator[str]:
    for index, model in enumerate(config.models):
        for name in ("missing", "failed", "incomplete", "late"):
            yield from _without_meaning(getattr(model, name), f"model[{index}].{name}")
    for index, site in enumerate(config.sites):
        if site.name == MONITOR_SITE:
            yield (
                f"`site[{index}].name`: so the monitor calls itself in incidents of its own; "
                "who silences the one silences both"
            )
    if config.reference.observations < _RECOMMENDED_N:
        yield f"`reference.observations`: {_RECOMMENDED_N} is the recommended minimum"
    if config.reference.min_days < _A_WEEKEND_DAYS and not no_series:
        per_day = config.reference.observations / _A_WEEKEND_DAYS
        yield (
            f"`reference.min_days`: to series of more than {per_day:.0f} a day each weekend that "
            f"differs is a change; with {_A_WEEKEND_DAYS} it is none (docs/DETECTION.md, Limits)"
        )


def _without_meaning(outage: Outage, place: str) -> Iterator[str]:
    if outage.policy == "every" and outage.tolerated_share != Outage().tolerated_share:
        yield f'`{place}.tolerated_share` says nothing without `policy = "rate"`'
    if outage.policy == "rate" and outage.open_after != Outage().open_after:
        yield f'`{place}.open_after` says nothing with `policy = "rate"`'


def _deadlines(model: Model) -> str:
    """How soon an answer is due, by priority."""
    wanted = model.deadline_s
    if isinstance(wanted, float | int):
        return f"deadline {wanted:g} s"
    by_priority = {one: getattr(wanted, one) for one in ("stat", "urgent", "routine")}
    told = (f"{one} {s:g} s" for one, s in by_priority.items() if s is not None)
    return f"deadlines: {', '.join(told)}"

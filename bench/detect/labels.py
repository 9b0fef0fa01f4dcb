"""Performance from late and partial reports: STATISTICS.md, section 8."""

from collections.abc import Iterator

from bench.detect.table import ALWAYS, NEVER, OURS, Asked, Row, Table
from bench.performance import delays, rates, tasks
from bench.performance_watch import SUBJECTS, watch
from bench.performance_world import CALM_DAYS, EVENTS, PROMISE_DAYS, QUIET

TITLE = "performance from reports, each monitor promised 500 days"
FOLLOWED_DAYS = 60


def table(asked: Asked) -> Table:
    """See TITLE."""
    runs = 2 if asked.quick else 6
    events = dict(list(EVENTS.items())[1:2]) if asked.quick else EVENTS
    quiet = {} if asked.quick else QUIET
    rows = []
    for name, worlds in events.items():
        told = [watch(task) for task in tasks(name, worlds, FOLLOWED_DAYS, runs)]
        found = {one.subject: one.median_days for one in delays(name, told, FOLLOWED_DAYS)}
        rows.append(Row(OURS, f"{name}: median days", {**found}))
    for name, worlds in quiet.items():
        days = 120
        told = [watch(task) for task in tasks(name, worlds, days, runs)]
        false = {one.subject: round(one.rate, 2) for one in rates(name, told, days + CALM_DAYS)}
        rows.append(Row(OURS, f"{name}: false alarms over promise", {**false}))
    rows += _trivial()
    protocol = (
        f"{runs} repetitions; 200 studies a day, prevalence 10 %, sensitivity .9, specificity .92, "
        "95 % of called and 65 % of other studies reported, after hours or days; reference 2,000. "
        f"Days from the change, three of maturity included; - where half are not found in "
        f"{FOLLOWED_DAYS}. `any`: whichever is first. A rate of 1 is what {PROMISE_DAYS:g} days "
        "allow."
    )
    return Table(TITLE, protocol, rows)


def _trivial() -> Iterator[Row]:
    yield Row(ALWAYS, "median days", dict.fromkeys(SUBJECTS, 0.0))
    yield Row(NEVER, "median days", dict.fromkeys(SUBJECTS))

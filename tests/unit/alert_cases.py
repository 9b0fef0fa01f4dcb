"""When each alert fires and when it does not, in the notation of `promtool test rules`.

Series are written as there: `1+2x60` is 1, 3, 5, ... in steps of the interval, `_` is no sample,
`stale` is a worker that has gone.
"""

from typing import NamedTuple

MINUTE = "1m"
QUARTER = "15m"
WEEK = 7 * 24 * 4
"""In quarters of an hour."""


class Case(NamedTuple):
    """One situation; `at` is when it is looked at, in promtool's notation."""

    alert: str
    situation: str
    series: dict[str, str]
    at: str
    fires: bool
    interval: str = MINUTE


def _worker(name: str) -> str:
    return f'radvigil_build_info{{version="1", instance="{name}"}}'


def _age(partition: int, instance: str = "a") -> str:
    return f'radvigil_watermark_age_seconds{{partition="{partition}", instance="{instance}"}}'


def _lag(partition: int, instance: str = "a") -> str:
    return f'radvigil_lag_seconds{{partition="{partition}", instance="{instance}"}}'


_WAITS = 'radvigil_lag_events{partition="0", instance="a"}'
_OLDEST = 'radvigil_notification_oldest_pending_seconds{receiver="pager", instance="a"}'
_BREAKER = 'radvigil_notification_breaker_open{receiver="pager", instance="a"}'
_REFUSED = 'radvigil_notification_failures_total{receiver="pager", class="refused", instance="a"}'
_RETRIED = 'radvigil_notification_failures_total{receiver="pager", class="retry", instance="a"}'
_DEAD = 'radvigil_notifications_dead_total{receiver="pager", instance="a"}'
_FORGED = 'radvigil_callbacks_total{origin="slack", outcome="signature", instance="a"}'
_TICKETS = 'radvigil_tickets_waiting{tracker="jira", instance="t"}'
_WORKLIST = 'radvigil_worklist_waiting{worklist="ris", instance="w"}'
_FATE = 'radvigil_worklist_notices_total{{worklist="ris", fate="{}", instance="w"}}'
_BAD = 'radvigil_dead_letters_total{reason="bad_time", instance="a"}'
_TAKEN = 'radvigil_events_total{{type="{}", result="{}", instance="a"}}'
_NOTICED = 'radvigil_noticed_total{{what="{}", instance="a"}}'
_DROPPED = 'radvigil_dropped_total{{reason="{}", instance="a"}}'
_SETTLED = 'radvigil_outcomes_total{site="north", model="ptx", kind="on_time", instance="a"}'
_WRITTEN = 'radvigil_checkpoint_seconds_count{instance="a"}'
_BUCKET = 'radvigil_checkpoint_seconds_bucket{{le="{}", instance="a"}}'
_RECORDS = 'radvigil_checkpoint_records_total{instance="a"}'
_MISPLACED = 'radvigil_misplaced_events_total{instance="a"}'
_OWNED = 'radvigil_partitions{instance="a"}'
_STATE = 'radvigil_state_bytes{partition="0", instance="a"}'
_SEEN = {_age(0): f"61x{WEEK * 2}", _lag(0): f"0x{WEEK * 2}"}
_STOPS = f"0+20x{WEEK - 1} {20 * WEEK}x200"
_GOES_ON = f"0+20x{WEEK * 2}"

CASES = (
    Case("RadvigilWatchdog", "a worker answers", {_worker("a"): "1x30"}, "5m", True),
    Case("RadvigilWatchdog", "none does", {_worker("a"): "1x3"}, "20m", False),
    Case("RadvigilNobodyWorks", "there never was one", {_worker("a"): "1x30"}, "10m", True),
    Case(
        "RadvigilNobodyWorks",
        "a takeover of two minutes",
        {_age(0): "1x5 stale _ 1x20"},
        "8m",
        False,
    ),
    Case("RadvigilNobodyWorks", "all goes well", {_age(0): "1x30"}, "10m", False),
    Case(
        "RadvigilPartitionWithoutWorker",
        "one of two went with its worker",
        {_age(0): "1x60", _age(1, "b"): "1x20 stale"},
        "30m",
        True,
    ),
    Case(
        "RadvigilPartitionWithoutWorker",
        "it changed hands, and was told by both for a moment",
        {_age(0): "1x60", _age(1, "b"): "1x20 stale", _age(1): "_x18 1x40"},
        "30m",
        False,
    ),
    Case(
        "RadvigilWorkerAway",
        "one of two is gone",
        {_worker("a"): "1x100", _worker("b"): "1x60 stale"},
        "70m",
        True,
    ),
    Case(
        "RadvigilWorkerAway",
        "three for a moment, while they were updated",
        {_worker("a"): "1x100", _worker("b"): "1x100", _worker("c"): "_x30 1x5 stale"},
        "60m",
        False,
    ),
    Case(
        "RadvigilRestarting",
        "it begins anew each few minutes",
        {_RECORDS: "5 9 2 8 1 7 0x9"},
        "15m",
        True,
    ),
    Case("RadvigilRestarting", "one update", {_RECORDS: "0+9x8 0+9x20"}, "20m", False),
    Case("RadvigilStale", "behind for five minutes", {_lag(0): "0x5 400x20"}, "10m", True),
    Case(
        "RadvigilStale",
        "a backlog that is read in a minute",
        {_lag(0): "0x5 400 0x20"},
        "6m",
        False,
    ),
    Case(
        "RadvigilStale",
        "a worker that was cut off says so, and another has the partition",
        {_lag(0): "900x30", _lag(0, "b"): "0x30"},
        "20m",
        False,
    ),
    Case("RadvigilBlind", "time stands still", {_age(0): "61x5 61+60x40"}, "25m", True),
    Case("RadvigilBlind", "it goes on", {_age(0): "61x60"}, "25m", False),
    Case("RadvigilLagGrows", "more comes than is read", {_WAITS: "0+100x60"}, "50m", True),
    Case("RadvigilLagGrows", "a backlog shrinks", {_WAITS: "9000-100x60"}, "50m", False),
    Case("RadvigilLagGrows", "a handful waits", {_WAITS: "0+1x60"}, "50m", False),
    Case(
        "RadvigilProofFails", "each time", {_NOTICED.format("proof_failed"): "0+5x30"}, "15m", True
    ),
    Case("RadvigilProofFails", "once", {_NOTICED.format("proof_failed"): "0x5 1x30"}, "15m", False),
    Case(
        "RadvigilEventsLost",
        "for the first time",
        {_NOTICED.format("lost"): "_x5 3x30"},
        "10m",
        True,
    ),
    Case(
        "RadvigilEventsLost",
        "offsets were skipped",
        {_NOTICED.format("skipped"): "_x5 3x9"},
        "10m",
        False,
    ),
    Case("RadvigilEventsLost", "long ago", {_NOTICED.format("lost"): "3x300"}, "200m", False),
    Case(
        "RadvigilNothingFromSite",
        "a week of results, then none",
        _SEEN | {_SETTLED: _STOPS},
        f"{WEEK * 15 + 450}m",
        True,
        QUARTER,
    ),
    Case(
        "RadvigilNothingFromSite",
        "results as ever",
        _SEEN | {_SETTLED: _GOES_ON},
        f"{WEEK * 15 + 450}m",
        False,
        QUARTER,
    ),
    Case(
        "RadvigilNothingFromSite",
        "the monitor is behind: it cannot know",
        _SEEN | {_SETTLED: _STOPS, _lag(0): f"900x{WEEK * 2}"},
        f"{WEEK * 15 + 450}m",
        False,
        QUARTER,
    ),
    Case(
        "RadvigilNothingOfType",
        "reports came for a week, then none",
        _SEEN | {_TAKEN.format("report", "handled"): _STOPS},
        f"{WEEK * 15 + 120}m",
        True,
        QUARTER,
    ),
    Case(
        "RadvigilNothingOfType",
        "they come, if few",
        _SEEN | {_TAKEN.format("report", "handled"): f"0+20x{WEEK} {20 * WEEK}+1x200"},
        f"{WEEK * 15 + 120}m",
        False,
        QUARTER,
    ),
    Case("RadvigilNoCheckpoint", "stuck", {_WRITTEN: "0+1x9 10x30", _OWNED: "3x40"}, "20m", True),
    Case(
        "RadvigilNoCheckpoint",
        "idle, one a minute",
        {_WRITTEN: "0+1x40", _OWNED: "3x40"},
        "20m",
        False,
    ),
    Case(
        "RadvigilNoCheckpoint",
        "nothing to write for",
        {_WRITTEN: "9x40", _OWNED: "0x40"},
        "20m",
        False,
    ),
    Case(
        "RadvigilCheckpointsSlow",
        "half take up to five seconds",
        {
            _BUCKET.format("1.0"): "0+5x60",
            _BUCKET.format("5.0"): "0+10x60",
            _BUCKET.format("+Inf"): "0+10x60",
        },
        "40m",
        True,
    ),
    Case(
        "RadvigilCheckpointsSlow",
        "all within a second",
        {
            _BUCKET.format("1.0"): "0+10x60",
            _BUCKET.format("5.0"): "0+10x60",
            _BUCKET.format("+Inf"): "0+10x60",
        },
        "40m",
        False,
    ),
    Case(
        "RadvigilStateGrows",
        "three times a week ago's",
        {_STATE: f"2e8x{WEEK - 1} 6e8x200"},
        f"{WEEK * 15 + 600}m",
        True,
        QUARTER,
    ),
    Case(
        "RadvigilStateGrows",
        "small yet",
        {_STATE: f"2e6x{WEEK - 1} 6e6x200"},
        f"{WEEK * 15 + 600}m",
        False,
        QUARTER,
    ),
    Case("RadvigilDeadLetters", "of a reason never seen before", {_BAD: "_x5 30x20"}, "10m", True),
    Case("RadvigilDeadLetters", "one", {_BAD: "_x5 1x20"}, "10m", False),
    Case("RadvigilDeadLetters", "many, but yesterday", {_BAD: "900x90"}, "80m", False),
    Case(
        "RadvigilDeadLettersMany",
        "a feed has changed",
        {
            _TAKEN.format("study", "handled"): "0+9x60",
            _TAKEN.format("unreadable", "dead_letter"): "0+9x60",
        },
        "40m",
        True,
    ),
    Case(
        "RadvigilDeadLettersMany",
        "one in a hundred",
        {
            _TAKEN.format("study", "handled"): "0+99x60",
            _TAKEN.format("unreadable", "dead_letter"): "0+1x60",
        },
        "40m",
        False,
    ),
    Case("RadvigilMisplacedEvents", "one", {_MISPLACED: "0x5 1x20"}, "10m", True),
    Case("RadvigilMisplacedEvents", "none now", {_MISPLACED: "7x40"}, "30m", False),
    Case(
        "RadvigilHitsABound",
        "the first series too many",
        {_DROPPED.format("series_overflow"): "_x5 1x9"},
        "10m",
        True,
    ),
    Case(
        "RadvigilHitsABound",
        "many that wait in vain",
        {_DROPPED.format("waited_in_vain"): "_x5 40x9"},
        "10m",
        True,
    ),
    Case(
        "RadvigilHitsABound",
        "a few do",
        {_DROPPED.format("waited_in_vain"): "_x5 4x9"},
        "10m",
        False,
    ),
    Case(
        "RadvigilHitsABound",
        "commands that came late",
        {_DROPPED.format("stale_seq"): "_x5 40x9"},
        "10m",
        False,
    ),
    Case("RadvigilReceiverAway", "it takes nothing", {_OLDEST: "0+60x30"}, "15m", True),
    Case("RadvigilReceiverAway", "one slow answer", {_OLDEST: "0+60x6 0x20"}, "8m", False),
    Case("RadvigilReceiverBreakerOpen", "for ten minutes", {_BREAKER: "0x3 1x20"}, "12m", True),
    Case("RadvigilReceiverBreakerOpen", "for one", {_BREAKER: "0x3 1 0x20"}, "4m", False),
    Case("RadvigilOutboxGrows", "slowly, for an hour", {_OLDEST: "50+4x60"}, "50m", True),
    Case("RadvigilOutboxGrows", "it is worked off", {_OLDEST: "299-4x60"}, "50m", False),
    Case("RadvigilReceiverRefuses", "for the first time", {_REFUSED: "_x5 1x9"}, "8m", True),
    Case("RadvigilReceiverRefuses", "it only failed for now", {_RETRIED: "_x5 4x9"}, "8m", False),
    Case("RadvigilNotificationsGivenUp", "one", {_DEAD: "0x5 1x20"}, "10m", True),
    Case("RadvigilNotificationsGivenUp", "none", {_DEAD: "0x40"}, "10m", False),
    Case("RadvigilCallbacksForged", "six and more", {_FORGED: "_x5 9x9"}, "8m", True),
    Case("RadvigilCallbacksForged", "one", {_FORGED: "_x5 1x9"}, "8m", False),
    Case("RadvigilTicketsWait", "for an hour", {_TICKETS: "4x90"}, "60m", True),
    Case(
        "RadvigilTicketsWait",
        "they come and go",
        {_TICKETS: "4 4 0 4 4 4 0 4 4 4 4 0 4 4 0 4 4 0"},
        "17m",
        False,
    ),
    Case("RadvigilWorklistWaits", "for half an hour", {_WORKLIST: "4x90"}, "30m", True),
    Case("RadvigilWorklistWaits", "nothing", {_WORKLIST: "0x90"}, "30m", False),
    Case(
        "RadvigilWorklistGivesUp",
        "one was refused",
        {_FATE.format("refused"): "_x5 1x9"},
        "8m",
        True,
    ),
    Case("RadvigilWorklistGivesUp", "all are told", {_FATE.format("told"): "_x5 9x9"}, "8m", False),
)

"""The alerts about the monitor: is it there, does it see, does it write, what does it refuse?"""

from streams.operations.alerts_people import TOLD
from streams.operations.rules import Alert, grown, quieter

_OPERATIONS = "docs/OPERATIONS.md#"
THERE = (
    Alert(
        "RadvigilWatchdog",
        "count(radvigil_build_info) > 0",
        "0s",
        "none",
        "Prometheus sees radvigil, and its alerts reach you",
        "This alert always fires. When it is missing, the workers, Prometheus or Alertmanager are "
        "away: route it to something that misses it.",
        "docs/DELIVERY.md#the-dead-mans-switch",
        "No `for:`: it is to be there from the first moment.",
    ),
    Alert(
        "RadvigilNobodyWorks",
        "absent(radvigil:partitions:count)",
        "3m",
        "critical",
        "No worker has a partition",
        "Nothing is judged at any site: a missing result would not be noticed.",
        _OPERATIONS + "running-a-worker",
        "A takeover takes 20 s of session timeout and a restore; a rolling update the same again.",
    ),
    Alert(
        "RadvigilPartitionWithoutWorker",
        "radvigil:partitions:count < max_over_time(radvigil:partitions:count[1d])",
        "3m",
        "critical",
        "{{ $value }} partitions are worked on, and there were more",
        "The sites of the other partitions are not judged. See which worker is away, and what the "
        "others log.",
        _OPERATIONS + "running-a-worker",
        "As long as a takeover may take. Partitions never become fewer on purpose.",
    ),
    Alert(
        "RadvigilWorkerAway",
        "radvigil:workers:count < quantile_over_time(0.5, radvigil:workers:count[1d])",
        "5m",
        "warning",
        "{{ $value }} workers answer, and there were more for most of a day",
        "The others have its partitions. Who scaled down on purpose: it ends within half a day.",
        _OPERATIONS + "restart-and-update",
        "An update or a reboot takes less; nothing is unjudged, so it does not wake anybody.",
    ),
    Alert(
        "RadvigilRestarting",
        "sum by (instance) (resets(radvigil_checkpoint_records_total[30m])) > 2",
        "0s",
        "warning",
        "Worker {{ $labels.instance }} began anew {{ $value }} times in half an hour",
        "It restores its last checkpoint each time, so nothing is lost, but it does not get on. "
        "Its log says why.",
        _OPERATIONS + "exit-status",
        "No `for:`: three in half an hour is the duration. One is an update.",
    ),
)
SEES = (
    Alert(
        "RadvigilStale",
        "radvigil:lag_seconds:by_partition > 300",
        "2m",
        "critical",
        "Partition {{ $labels.partition }} is {{ $value | humanizeDuration }} behind its promise",
        "Until it has caught up nothing there is called missing: silence means not known.",
        _OPERATIONS + "monitor_stale",
        "300 s is clock.stale_after_s; two minutes more let a backlog after a takeover be read.",
    ),
    Alert(
        "RadvigilBlind",
        "radvigil:watermark_age_seconds:by_partition > 600",
        "2m",
        "critical",
        "Partition {{ $labels.partition }}: no time proved for {{ $value | humanizeDuration }}",
        "The worker answers and does not get on, or the broker does not say where its topics end. "
        "Nothing is judged there.",
        _OPERATIONS + "monitor_stale",
        "clock.lateness_s and stale_after_s are long over; it grows in a worker that hangs, too.",
    ),
    Alert(
        "RadvigilLagGrows",
        "sum by (partition) (radvigil_lag_events) > 1000 "
        "and sum by (partition) (deriv(radvigil_lag_events[15m])) > 0",
        "15m",
        "warning",
        "Partition {{ $labels.partition }} falls behind: {{ $value }} events wait",
        "Events come faster than they are read. More workers, up to the partitions.",
        _OPERATIONS + "monitor_stale",
        "A backlog shrinks, or is read in a quarter of an hour; what still grows then will not.",
    ),
    Alert(
        "RadvigilProofFails",
        'sum by (instance) (increase(radvigil_noticed_total{what="proof_failed"}[10m])) > 20',
        "0s",
        "warning",
        "The broker does not tell worker {{ $labels.instance }} where its topics end",
        "Without that no deadline is called missed. Look at the broker and the network to it.",
        _OPERATIONS + "engine",
        "No `for:`: 20 in ten minutes is the duration. One now and then is nothing.",
    ),
    Alert(
        "RadvigilNothingFromSite",
        quieter(
            "",
            " offset 1w",
            "sum by (site) (increase(radvigil_outcomes_total[6h]{}))",
            20,
        ),
        "15m",
        "warning",
        "Nothing was settled at {{ $labels.site }} for six hours, and a week ago there was",
        "No studies come from the site, or none that a model must answer. radvigil itself opens an "
        "incident of the kind silence, sooner and within its promise: this is the second pair of "
        "eyes. On a public holiday: nothing.",
        _OPERATIONS + "one-site-is-silent",
        "Six hours outlast a night's lull in a site with 20 results in them; 15 min outlast a gap.",
    ),
    Alert(
        "RadvigilNothingOfType",
        quieter(
            "",
            " offset 1w",
            'sum by (type) (increase(radvigil_events_total{{result="handled"}}[1h]{}))',
            20,
        ),
        "10m",
        "critical",
        "For an hour there was not one {{ $labels.type }}, and a week ago there were",
        "No site sends any: the producer, its feed or its topic is away. What is due is called "
        "missing meanwhile.",
        _OPERATIONS + "one-site-is-silent",
        "All sites together: an hour without one, where there were more than 20, is no chance.",
    ),
    Alert(
        "RadvigilEventsLost",
        grown('radvigil_noticed_total{what="lost"}', "1h", "") + " > 0",
        "0s",
        "critical",
        "{{ $value | humanize }} events were deleted by retention before they were read",
        "Their studies are not judged. Keep inputs for longer than workers may be away.",
        _OPERATIONS + "engine",
        "No `for:`: it has happened, and does not end by waiting.",
    ),
)
WRITES = (
    Alert(
        "RadvigilNoCheckpoint",
        "sum by (instance) (increase(radvigil_checkpoint_seconds_count[5m])) == 0 "
        "and on (instance) radvigil_partitions > 0",
        "2m",
        "critical",
        "Worker {{ $labels.instance }} has written no checkpoint for five minutes",
        "What it decided is seen by nobody: incidents and outcomes leave with a checkpoint. Look "
        "at the broker's transactions and the worker's log.",
        _OPERATIONS + "running-a-worker",
        "An idle partition writes every minute; five without one is stuck, two more a restart.",
    ),
    Alert(
        "RadvigilCheckpointsSlow",
        "histogram_quantile(0.9, sum by (instance, le) "
        "(rate(radvigil_checkpoint_seconds_bucket[10m]))) > 2",
        "10m",
        "warning",
        "One in ten checkpoints of {{ $labels.instance }} takes over {{ $value | humanize }} s",
        "Usually they take less than 0.2 s: the broker is slow or far away. Notices come late.",
        _OPERATIONS + "metrics",
        "Ten times the usual, for longer than a broker's own restart.",
    ),
    Alert(
        "RadvigilStateGrows",
        "radvigil:state_bytes:sum > 2 * (radvigil:state_bytes:sum offset 1w) "
        "and radvigil:state_bytes:sum > 1e8",
        "6h",
        "warning",
        "The state has doubled in a week, to {{ $value | humanize1024 }}B",
        "A restore reads it whole. Keys that are not stable make each upsert a new study.",
        _OPERATIONS + "sizing",
        "It does not hurt below 100 MB; six hours outlast a backfill.",
    ),
)
REFUSES = (
    Alert(
        "RadvigilDeadLetters",
        "radvigil:dead_letters:grown_15m > 10",
        "0s",
        "warning",
        "{{ $value | humanize }} messages in 15 minutes cannot be read ({{ $labels.reason }})",
        "Look at one, and tell the producer the path and the reason.",
        _OPERATIONS + "dead-letters",
        "No `for:`: more than ten in a quarter of an hour is no single slip of a hand.",
    ),
    Alert(
        "RadvigilDeadLettersMany",
        'sum(rate(radvigil_events_total{result="dead_letter"}[15m])) '
        "/ sum(rate(radvigil_events_total[15m])) > 0.1",
        "10m",
        "critical",
        "{{ $value | humanizePercentage }} of all messages cannot be read",
        "A producer has changed what it sends: its results look missing.",
        _OPERATIONS + "dead-letters",
        "A tenth for 25 minutes is a feed, not a message.",
    ),
    Alert(
        "RadvigilMisplacedEvents",
        "sum(increase(radvigil_misplaced_events_total[15m])) > 0",
        "0s",
        "warning",
        "A producer uses another partitioner",
        "Parts of its studies lie in different partitions and never meet: results look missing.",
        _OPERATIONS + "producers-and-partitions",
        "No `for:`: a partitioner is wrong for good.",
    ),
    Alert(
        "RadvigilHitsABound",
        'radvigil:dropped:grown_1h{reason=~".*_overflow|upserts_merged|result_lost|not_finite|'
        'waited_in_vain"} > 10 or radvigil:dropped:grown_1h{reason=~"waiting_overflow|'
        'series_overflow|site_overflow|observed_overflow"} > 0',
        "0s",
        "warning",
        "{{ $value | humanize }} dropped in an hour ({{ $labels.reason }})",
        "A bound was hit, and what is beyond it is not watched.",
        _OPERATIONS + "bounds",
        "No `for:`: the hour is the duration. Bounds that blind are told at once, others above 10.",
    ),
)
ALERTS = (*THERE, *SEES, *WRITES, *REFUSES, *TOLD)

"""What the dashboard shows: a row for each question that somebody on call asks."""

from streams.operations.dashboard import Panel, Row
from streams.operations.rows_told import ACCOUNT, DELIVERIES, INCIDENTS
from streams.operations.rules import grown

_CHOSEN = 'site=~"$site", model=~"$model"'

WELL = Row(
    "Is the monitor well?",
    (
        Panel(
            "Alerts firing",
            "Alerts about the monitor itself, without the watchdog",
            (
                (
                    'count(ALERTS{monitor="radvigil", alertstate="firing", severity!="none"}) '
                    "or vector(0)",
                    "",
                ),
            ),
            kind="stat",
            width=4,
            bad=1,
        ),
        Panel(
            "Workers",
            "Workers that answer Prometheus",
            (("radvigil:workers:count or vector(0)", ""),),
            kind="stat",
            width=4,
            warn=2,
            bad=1,
            low_is_bad=True,
        ),
        Panel(
            "Partitions worked on",
            "Fewer than the topics have: their sites are not judged",
            (("radvigil:partitions:count or vector(0)", ""),),
            kind="stat",
            width=4,
            warn=1,
            bad=1,
            low_is_bad=True,
        ),
        Panel(
            "Proved until, ago",
            "Age of the oldest watermark: what happened before it has been judged",
            (("max(radvigil:watermark_age_seconds:by_partition)", ""),),
            kind="stat",
            unit="s",
            width=4,
            warn=120,
            bad=600,
        ),
        Panel(
            "Dead letters, 1 h",
            "Messages that could not be taken",
            ((grown("radvigil_dead_letters_total", "1h", "") + " or vector(0)", ""),),
            kind="stat",
            width=4,
            warn=1,
            bad=100,
        ),
        Panel(
            "State",
            "All that is remembered; a restore reads it whole",
            (("radvigil:state_bytes:sum", ""),),
            kind="stat",
            unit="bytes",
            width=4,
        ),
        Panel(
            "Behind its promise",
            "How far event time is behind what clock.lateness_s promises",
            (("radvigil:lag_seconds:by_partition", "partition {{partition}}"),),
            unit="s",
            bad=300,
        ),
        Panel(
            "Events that wait",
            "In the log or fetched, and not yet handled",
            (("sum by (partition) (radvigil_lag_events)", "partition {{partition}}"),),
        ),
        Panel(
            "Events taken",
            "By type, a second",
            (
                (
                    "sum by (type, result) (rate(radvigil_events_total[$__rate_interval]))",
                    "{{type}} {{result}}",
                ),
            ),
            unit="cps",
        ),
        Panel(
            "Checkpoints",
            "How long the one Kafka transaction takes",
            tuple(
                (
                    f"histogram_quantile({quantile}, sum by (le) "
                    "(rate(radvigil_checkpoint_seconds_bucket[$__rate_interval])))",
                    f"{quantile:.0%}",
                )
                for quantile in (0.5, 0.9, 0.99)
            ),
            unit="s",
            bad=2,
        ),
        Panel(
            "Memory",
            "Resident memory of each worker",
            (
                (
                    "process_resident_memory_bytes and on (instance) radvigil_build_info",
                    "{{instance}}",
                ),
            ),
            unit="bytes",
        ),
        Panel(
            "Processor",
            "Processor seconds a second of each worker",
            (
                (
                    "rate(process_cpu_seconds_total[$__rate_interval]) "
                    "and on (instance) radvigil_build_info",
                    "{{instance}}",
                ),
            ),
            unit="percentunit",
        ),
        Panel(
            "What is remembered",
            "Records of the state, by what they are",
            (("sum by (kind) (max by (partition, kind) (radvigil_state_records))", "{{kind}}"),),
        ),
        Panel(
            "Dead letters",
            "By what is wrong with them, in 15 minutes",
            (("radvigil:dead_letters:grown_15m > 0", "{{reason}}"),),
        ),
        Panel(
            "Dropped, and rare things",
            "What bounds and rules dropped in an hour, and what the engine noticed",
            (
                ("radvigil:dropped:grown_1h > 0", "{{reason}}"),
                (grown("radvigil_noticed_total", "1h", "what") + " > 0", "engine: {{what}}"),
                ("sum(increase(radvigil_misplaced_events_total[1h])) > 0", "misplaced"),
            ),
        ),
    ),
)
OWED = Row(
    "What do the models owe?",
    (
        Panel(
            "On time, one day",
            "Share of the results that were owed; cancelled and not applicable ones are not",
            (
                (
                    f"radvigil:outcomes:share_on_time_1d{{{_CHOSEN}}}",
                    "{{site}} {{model}}",
                ),
            ),
            unit="percentunit",
        ),
        Panel(
            "Settled, one hour",
            "By outcome",
            (
                (
                    "sum by (kind) (increase(radvigil_outcomes_total{" + _CHOSEN + "}[1h]))",
                    "{{kind}}",
                ),
            ),
        ),
        Panel(
            "Deadlines now pending",
            "Results that are expected, and have neither come nor missed their deadline",
            (
                (
                    "sum by (partition) (radvigil_pending_deadlines)",
                    "partition {{partition}}",
                ),
            ),
        ),
        Panel(
            "Not on time, one day",
            "Results that were owed and came late, incomplete, failed, or not at all",
            (
                (
                    "radvigil:outcomes:grown_1d{" + _CHOSEN + ", "
                    'kind=~"late|missing|failed|incomplete"} > 0',
                    "",
                ),
            ),
            kind="table",
            width=24,
        ),
    ),
)
ROWS = (WELL, OWED, INCIDENTS, DELIVERIES, ACCOUNT)

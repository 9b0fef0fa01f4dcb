"""The rows about incidents, about who is told, and about what detection watches."""

from streams.operations.dashboard import Panel, Row
from streams.operations.rules import grown

_PROMISED = "input_drift|output_drift|performance_drift|calibration_drift|partial_silence|silence"
_RESOLVED = f'radvigil_incident_transitions_total{{state="resolved", kind=~"{_PROMISED}"}}'
_SERIES = 'sum by (kind) (max by (partition, kind) (radvigil_state_records{kind=~"series_.*"}))'

INCIDENTS = Row(
    "Which incidents are there?",
    (
        Panel(
            "Nobody has it",
            "Incidents that are open, and not acknowledged",
            (('sum(radvigil:incidents_live:by_kind{state="open"}) or vector(0)', ""),),
            kind="stat",
            width=6,
            warn=1,
        ),
        Panel(
            "Somebody has it",
            "Acknowledged",
            (('sum(radvigil:incidents_live:by_kind{state="acknowledged"}) or vector(0)', ""),),
            kind="stat",
            width=6,
        ),
        Panel(
            "Recovering",
            "Good again, and held a while before they are resolved",
            (('sum(radvigil:incidents_live:by_kind{state="resolving"}) or vector(0)', ""),),
            kind="stat",
            width=6,
        ),
        Panel(
            "Monitor stale",
            "Partitions that say of themselves that they are behind",
            (('sum(radvigil:incidents_live:by_kind{kind="monitor_stale"}) or vector(0)', ""),),
            kind="stat",
            width=6,
            bad=1,
        ),
        Panel(
            "Live, by kind",
            "Neither resolved nor closed; `radvigil incidents` and the live page name them",
            (("sum by (kind) (radvigil:incidents_live:by_kind)", "{{kind}}"),),
            width=12,
        ),
        Panel(
            "Resolved, one day",
            "By site and kind",
            (
                (
                    grown(
                        'radvigil_incident_transitions_total{state="resolved", site=~"$site"}',
                        "1d",
                        "site, kind",
                    )
                    + " > 0",
                    "",
                ),
            ),
            kind="table",
            width=12,
        ),
    ),
)
DELIVERIES = Row(
    "Are people told?",
    (
        Panel(
            "Oldest notice that waits",
            "Above 300 s the receiver is away",
            (
                (
                    "max by (receiver) (radvigil_notification_oldest_pending_seconds)",
                    "{{receiver}}",
                ),
            ),
            unit="s",
            bad=300,
        ),
        Panel(
            "Notices that wait",
            "A burst is told within minutes; growth is more than the receiver takes",
            (("sum by (receiver) (radvigil_notifications_waiting)", "{{receiver}}"),),
        ),
        Panel(
            "Left alone",
            "1 while a receiver is left alone after five failures in a row",
            (("max by (receiver) (radvigil_notification_breaker_open)", "{{receiver}}"),),
            bad=1,
        ),
        Panel(
            "From due to taken",
            "Nine in ten notices were taken within this",
            (
                (
                    "histogram_quantile(0.9, sum by (receiver, le) "
                    "(increase(radvigil_notification_delay_seconds_bucket[1h])))",
                    "{{receiver}}",
                ),
            ),
            unit="s",
        ),
        Panel(
            "Told, one day",
            "By receiver and why",
            (
                (
                    grown("radvigil_notifications_total", "1d", "receiver, reason"),
                    "{{receiver}} {{reason}}",
                ),
            ),
        ),
        Panel(
            "Not taken, one hour",
            "Tries that failed, and notices that were given up",
            (
                (
                    grown("radvigil_notification_failures_total", "1h", "receiver, class"),
                    "{{receiver}} {{class}}",
                ),
                (grown("radvigil_notifications_dead_total", "1h", "receiver"), "{{receiver}} dead"),
            ),
        ),
        Panel(
            "What came back, one day",
            "Commands from receivers, or why it was none",
            (
                (
                    grown("radvigil_callbacks_total", "1d", "origin, outcome"),
                    "{{origin}} {{outcome}}",
                ),
            ),
        ),
        Panel(
            "Tickets and worklists that wait",
            "What was read and not taken yet; where these consumers run",
            (
                ("radvigil_tickets_waiting", "tickets: {{tracker}}"),
                ("radvigil_worklist_waiting", "worklist: {{worklist}}"),
            ),
            width=12,
        ),
        Panel(
            "Tickets and worklists, one day",
            "What was done there, and what was not taken",
            (
                (grown("radvigil_tickets_total", "1d", "tracker, did"), "{{tracker}} {{did}}"),
                (
                    grown("radvigil_worklist_notices_total", "1d", "worklist, fate"),
                    "{{worklist}} {{fate}}",
                ),
                (
                    grown("radvigil_ticket_failures_total", "1d", "tracker, class"),
                    "{{tracker}} {{class}}",
                ),
                (
                    grown("radvigil_worklist_failures_total", "1d", "worklist, class"),
                    "{{worklist}} {{class}}",
                ),
            ),
            width=12,
        ),
    ),
)
ACCOUNT = Row(
    "What does detection watch, and what did it say?",
    (
        Panel(
            "Series, by phase",
            "Learning, watched, or away from their reference",
            ((_SERIES, "{{kind}}"),),
            width=12,
        ),
        Panel(
            "Under the promise, ended in 30 days",
            "Episodes of drift and silence that were resolved, true and false ones",
            (
                (
                    grown(
                        _RESOLVED,
                        "30d",
                        "kind",
                    ),
                    "{{kind}}",
                ),
            ),
            kind="stat",
            width=12,
        ),
        Panel(
            "The account of the promise",
            "Where it is kept",
            (),
            kind="text",
            width=24,
            text="`radvigil budget` has the account: who has which part of the false-alarm budget, "
            "what was spent, how soon a change is found. Which were false takes a person to say.",
        ),
    ),
)

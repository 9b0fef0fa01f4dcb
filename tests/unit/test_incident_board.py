"""What is open, for a person."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from rich.console import Console

from schemas.incident import Evidence, Incident
from streams.incident_board import IncidentBoard, sentence, table, told

AT = datetime(2026, 1, 5, 2, 41, tzinfo=UTC)
NOW = AT + timedelta(minutes=38)


def incident(name: str = "a", **changed: object) -> Incident:
    first = Incident(
        incident=name,
        seq=1,
        fingerprint="f",
        kind="missing_output",
        state="open",
        reason="opened",
        severity="critical",
        site="north",
        title="ptx at north gives no result: 37 studies past the deadline",
        opened_at=AT,
        last_seen=AT,
        at=AT,
        model="ptx",
        owner="imaging-ai-oncall",
        evidence=Evidence(affected_count=37),
    )
    return replace(first, **changed)


def board(*incidents: Incident, site: str | None = None) -> IncidentBoard:
    made = IncidentBoard(site)
    for one in incidents:
        made.take(one)
    return made


def test_a_row_says_what_where_since_how_many_and_who() -> None:
    row = board(incident()).row(incident(), NOW)

    assert row.line == (
        "a open         critical ptx at north gives no result: 37 studies past the deadline "
        "[north, ptx] since 2026-01-05 02:41:00Z (38 min), 37 studies, "
        "with nobody (owner imaging-ai-oncall)"
    )


def test_what_a_terminal_would_act_on_is_not_shown() -> None:
    wild = incident(model="p\ntx\x1b[2J\u202e", title="p\ntx")

    for line in (board(wild).row(wild, NOW).line, told(wild)):
        assert "[north, p?tx?[2J?]" in line
        assert line.isprintable()


def test_worst_first_then_oldest() -> None:
    older = AT - timedelta(hours=1)
    shown = board(
        incident("warning", severity="warning"),
        incident("taken", state="acknowledged"),
        incident("new"),
        incident("old", opened_at=older),
        incident("over", state="resolved"),
    )

    assert [one.incident for one in shown.incidents()] == ["old", "new", "taken", "warning"]
    assert [one.incident for one in shown.incidents(over=True)][-1] == "over"
    assert shown.counts() == (4, 1)


def test_a_repeated_or_late_transition_changes_nothing() -> None:
    shown = board(incident(seq=1), incident(seq=2, state="resolving"))

    assert not shown.take(incident(seq=2, state="open"))
    assert not shown.take(incident(seq=1))
    assert [one.state for one in shown.incidents()] == ["resolving"]


def test_who_has_it_is_remembered_until_it_is_given_back() -> None:
    shown = board(
        incident(seq=1),
        incident(seq=2, state="acknowledged", reason="acknowledged", actor="dr-who"),
        updated := incident(seq=3, state="acknowledged", reason="updated"),
    )
    had = shown.row(updated, NOW).who
    given_back = incident(seq=4, reason="unacknowledged", actor="dr-who")
    shown.take(given_back)

    assert had == "dr-who"
    assert shown.row(given_back, NOW).who.startswith("nobody")


def test_only_the_site_that_was_asked_for() -> None:
    shown = board(incident("a"), incident("b", site="south"), site="south")

    assert [one.incident for one in shown.incidents()] == ["b"]


@pytest.mark.parametrize(
    ("elapsed", "text"),
    [
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=119), "119 min"),
        (timedelta(hours=5, minutes=7), "5 h 7 min"),
        (timedelta(days=9), "9 days"),
        (timedelta(seconds=-5), "0 s"),
    ],
)
def test_lengths_in_words(elapsed: timedelta, text: str) -> None:
    row = board(incident()).row(incident(), AT + elapsed)

    assert row.since.endswith(f"({text})")


def test_a_title_cannot_act_on_the_terminal() -> None:
    evil = incident(title="\x1b[2Jgone", note="[bold]x[/bold]")
    console = Console(width=160, force_terminal=False)

    with console.capture() as captured:
        console.print(table([board(evil).row(evil, NOW)]))

    assert "\x1b" not in captured.get()
    assert "?[2Jgone" in captured.get()
    assert "\x1b" not in told(evil)


def test_how_many_in_a_sentence() -> None:
    assert sentence(2, 1) == "2 incidents are open; 1 is over."

"""The phrases that people read, the same with every receiver."""

from streams.notifiers._facts import Facts, Telling, is_link, is_over

STATES: dict[str, str] = {
    "pending": "Pending",
    "open": "Open",
    "acknowledged": "Acknowledged",
    "resolving": "Recovering",
    "resolved": "Resolved",
    "closed": "Closed",
}
REASONS: dict[str, str] = {
    "opened": "opened",
    "joined": "another incident joined",
    "changed": "changed",
    "severity_raised": "more severe than before",
    "acknowledged": "acknowledged",
    "unacknowledged": "no longer acknowledged",
    "recovering": "recovering",
    "resolved": "resolved",
    "repeated": "still open, and nobody has acknowledged it",
    "escalated": "escalated: nobody has acknowledged it",
    "digest": "many incidents at once",
    "noted": "a note was written",
}
PERHAPS_TOLD = "(possible duplicate)"


def headline(telling: Telling, perhaps_told: bool = False) -> str:
    """What it is about, in one line.

    >>> told = Telling(notification="n", key="k", number=1, action="open", why="digest",
    ...     site="north", at="", more_n=30, incidents=[Facts(incident="i", seq=1, state="open",
    ...     kind="latency", severity="error", site="north", title="", since="")])
    >>> headline(told), headline(told, perhaps_told=True)[-10:]
    ('Error: 31 incidents at north', 'duplicate)')
    """
    alone = telling.alone
    if alone is None:
        n = len(telling.incidents) + telling.more_n
        line = f"{_mood(telling)}: {n} incidents at {telling.site}"
    else:
        line = f"{_mood(telling)}: {kind(alone)}, {whose(alone)}"
    return f"{line} {PERHAPS_TOLD}" if perhaps_told else line


def kind(facts: Facts) -> str:
    """The kind of an incident, in words."""
    return facts.kind.replace("_", " ")


def whose(facts: Facts) -> str:
    """The model and the site, or the site alone."""
    return f"{facts.model} at {facts.site}" if facts.model else facts.site


def state(facts: Facts) -> str:
    """Where an incident stands, in a word."""
    return STATES[facts.state]


def reason(telling: Telling) -> str:
    """Why it is told."""
    return REASONS[telling.why]


def history(telling: Telling) -> str:
    """One line of what has happened, for a thread."""
    alone = telling.alone
    said = f"{clock(telling.at)}: {reason(telling)}."
    return f"{said} {alone.title}" if alone else f"{said} {headline(telling)}"


def clock(at: str) -> str:
    """A moment of RFC 3339, shorter.

    >>> clock("2026-01-05T08:10:00Z")
    '2026-01-05 08:10 UTC'
    """
    return f"{at[:10]} {at[11:16]} UTC"


def rows(facts: Facts) -> list[tuple[str, str]]:
    """What is known of an incident, as label and value; ten at most, none empty."""
    version = f" {facts.model_version}" if facts.model_version else ""
    told = [
        ("State", state(facts)),
        ("Severity", facts.severity),
        ("Site", facts.site),
        ("Model", facts.model + version),
        ("Subject", facts.subject),
        ("Since", clock(facts.since)),
        ("Studies affected", facts.affected),
        ("Before and after", _change(facts)),
        ("Owner", facts.owner),
        ("Runbook", "" if is_link(facts.runbook) else facts.runbook),
    ]
    return [(label, value) for label, value in told if value.strip()]


def links(facts: Facts) -> list[tuple[str, str]]:
    """Where to read on, as words and address."""
    told = [("Open in radvigil", facts.link), ("Runbook", facts.runbook)]
    return [(words, address) for words, address in told if is_link(address)]


def more(telling: Telling) -> str:
    """That there are others, where there are."""
    return f"and {telling.more_n} more" if telling.more_n else ""


def _mood(telling: Telling) -> str:
    if all(map(is_over, telling.incidents)) and not telling.more_n:
        return "Resolved"
    states = {facts.state for facts in telling.incidents if not is_over(facts)}
    if len(states) == 1 and "open" not in states:
        return f"{STATES[states.pop()]}, {telling.severity}"
    return telling.severity.capitalize()


def _change(facts: Facts) -> str:
    if facts.before is None and facts.after is None:
        return ""
    before, after = (_number(value) for value in (facts.before, facts.after))
    return f"{before} → {after}"


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.4g}"

"""Who is told next while nobody has acknowledged."""

from collections.abc import Iterator
from typing import NamedTuple

from streams.clock import seconds_to_us
from streams.routing.follow import Followed
from streams.routing.match import Routes, Target


class Step(NamedTuple):
    """A receiver to whom an incident is to be escalated, and when."""

    due_us: int
    target: Target


def steps(followed: Followed, routes: Routes) -> Iterator[Step]:
    """The steps that an open incident still has before it, each receiver once.

    They count from when it opened. Whoever has acknowledged it holds them; when that ends, those
    that are overdue are due.
    """
    if followed.incident.state != "open":
        return
    for index in routes.taken(followed.incident):
        for escalation in routes[index].escalate:
            due_us = followed.since_us + seconds_to_us(escalation.after_s)
            for receiver in escalation.receivers:
                if receiver not in followed.escalated and routes.hears(receiver, followed.incident):
                    yield Step(due_us, Target(index, receiver))

"""Two desks of one group, and partitions that move between them in the middle of the work."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration import test_tickets, test_worklist
from tests.integration.brokers import Broker
from tests.integration.console import Console, with_topics
from tests.integration.patience import wait_until
from tests.integration.test_tickets import Server, server
from tests.integration.test_worklist import Hospital, hospital

__all__ = ["hospital", "server"]  # fixtures
ALONE = 'instance = "one"\n'  # a static member is one process: two of that name are none


@contextmanager
def desks() -> Iterator[list[Console]]:
    """Processes, the last of which are not left behind."""
    started: list[Console] = []
    try:
        yield started
    finally:
        for one in started:
            one.close()


@pytest.mark.kafka
def test_whoever_has_the_partition_there_is_one_ticket_for_each_incident(
    kafka: Broker, server: Server, tmp_path: Path
) -> None:
    prefix = f"two-desks{kafka.suffix}"
    text = test_tickets.CONFIG.replace(ALONE, "")
    config = with_topics(
        tmp_path, text.format(prefix=prefix, broker=kafka.bootstrap, url=server.url)
    )
    incidents_n = 4
    told = test_tickets.log(incidents_n)

    def publish(transition: int) -> None:
        some = told[transition * incidents_n : (transition + 1) * incidents_n]
        test_tickets.publish(kafka.bootstrap, prefix, some, 2)

    def tickets() -> list[object]:
        return [*server.jira.tickets(), *server.snow.tickets()]

    def start() -> Console:
        return Console("tickets", "--config", str(config), **test_tickets.SECRETS)

    with desks() as open_:
        open_.append(start())
        publish(0)
        assert wait_until(lambda: len(tickets()) >= 2, 60), open_[0].text
        open_.append(start())  # joins while the first has tickets to make
        publish(1)
        assert wait_until(lambda: len(tickets()) >= 2 * incidents_n, 60), open_[1].text
        publish(2)
        assert open_[0].end() == 0  # and leaves while there is work
        open_.append(start())
        trackers = (server.jira, server.snow)
        assert wait_until(
            lambda: all(
                len(one.tickets()) >= incidents_n and all(t["is_done"] for t in one.tickets())
                for one in trackers
            ),
            90,
        ), open_[2].text
        assert [one.end() for one in open_[1:]] == [0, 0]

    for tracker in trackers:
        assert len(tracker.tickets()) == incidents_n
        for ticket in tracker.tickets():
            assert len(ticket["said"]) == len(set(ticket["said"])) <= 2


@pytest.mark.kafka
def test_whoever_has_the_partition_each_study_is_told_in_the_end_as_it_is(
    kafka: Broker, hospital: Hospital, tmp_path: Path
) -> None:
    prefix = f"two-worklists{kafka.suffix}"
    text = test_worklist.CONFIG.replace(ALONE, "")
    config = test_worklist.configured(kafka, prefix, hospital, tmp_path, text)
    studies_n = 40
    said = test_worklist.day(studies_n)
    servers = hospital.fhir, hospital.ris

    def known(least_n: int) -> bool:
        return all(len(one.told()) >= least_n for one in servers)

    with desks() as open_:
        open_.append(Console("worklist", "--config", str(config)))
        test_worklist.publish(kafka.bootstrap, prefix, said[: studies_n // 2])
        assert wait_until(lambda: known(2), 60), open_[0].text
        open_.append(Console("worklist", "--config", str(config)))
        test_worklist.publish(kafka.bootstrap, prefix, said[studies_n // 2 : studies_n])
        assert wait_until(lambda: known(studies_n * 3 // 4), 60), open_[1].text
        assert open_[0].end() == 0
        test_worklist.publish(kafka.bootstrap, prefix, said[studies_n:])
        wanted = {f"s{n}": "missing" if n % 2 else "late" for n in range(studies_n)}

        def stands() -> bool:
            return all(
                {study: kind for study, (kind, _) in one.told().items()} == wanted
                for one in servers
            )

        assert wait_until(stands, 60), open_[1].text
        assert open_[1].end() == 0
    assert {n for _, n in hospital.fhir.told().values()} == {1}

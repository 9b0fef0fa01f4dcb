"""One ticket for each incident, at every tracker, whatever happens on the way."""

import itertools
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.incident import Incident
from streams.notifiers import Answer, Request
from streams.tickets import kinds
from tests.unit.notices import INCIDENT, PLANT, incident
from tests.unit.ticket_office import DEATHS, MOODS, Office
from tests.unit.trackers import SECRETS, SERVERS, TRACKERS

KINDS = kinds()


def life(*states: str, **fields: Any) -> list[Incident]:
    """The transitions of one incident; `open+` is a mere update, `critical` a rise of severity."""
    told = []
    severity = "error"
    for seq, word in enumerate(states, 1):
        if word == "critical":
            severity = word
        else:
            state = word.removesuffix("+")
        given = {"seq": seq, "state": state, "severity": severity} | fields
        told.append(incident(**given))
    return told


WHOLE = life("pending", "open", "open+", "acknowledged", "critical", "resolving", "resolved")


def test_every_tracker_is_known_to_the_tests() -> None:
    assert set(KINDS) == set(TRACKERS) == set(SERVERS)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_ticket_goes_through_an_incidents_life(kind: str) -> None:
    office = Office(kind)

    await office.live(WHOLE)

    (ticket,) = office.server.tickets()
    assert ticket["is_done"]
    assert ticket["summary"] == "Missing output: ptx at north"
    assert len(ticket["said"]) == 4  # taken, worse, no longer taken, over
    assert len(ticket["moves"]) == 2
    assert ticket["severity"] in ("Highest", "1")
    assert "acknowledged" in ticket["said"][0]
    assert "resolved" in ticket["said"][-1]


@pytest.mark.parametrize("kind", KINDS)
async def test_mere_updates_cost_no_request(kind: str) -> None:
    office = Office(kind)
    await office.live(life("open", *["open+"] * 50))

    assert len(office.requests) == 2


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mood", [*MOODS, *DEATHS])
async def test_one_ticket_however_any_one_request_ends(kind: str, mood: str) -> None:
    calm = Office(kind)
    await calm.live(WHOLE)
    (wanted,) = calm.server.tickets()

    for place in range(len(calm.requests)):
        office = Office(kind, ["well"] * place + [mood])
        deaths_n = await office.live(WHOLE)

        assert office.server.tickets() == [wanted], (place, mood)
        assert deaths_n == (mood in DEATHS)


@pytest.mark.parametrize("kind", KINDS)
async def test_one_ticket_if_killed_at_any_commit(kind: str) -> None:
    calm = Office(kind)
    await calm.live(WHOLE)

    for place in range(1, calm.writes_n + 1):
        office = Office(kind)
        office.dies_at_write = place

        assert await office.live(WHOLE) == 1
        assert office.server.tickets() == calm.server.tickets(), place


@pytest.mark.parametrize("kind", KINDS)
async def test_one_ticket_if_killed_at_every_request(kind: str) -> None:
    """Twice in six requests, before and after the tracker did it."""
    calm = Office(kind)
    await calm.live(WHOLE)
    office = Office(kind)
    requests = itertools.cycle(["well", "dies after", "well", "well", "dies before", "lost"])
    office.moods = list(itertools.islice(requests, 90))

    deaths_n = await office.live(WHOLE)

    assert office.server.tickets() == calm.server.tickets()
    assert deaths_n > 5


@pytest.mark.parametrize("kind", KINDS)
async def test_after_an_unknown_creation_nothing_is_created_until_a_search_must_know(
    kind: str,
) -> None:
    office = Office(kind, ["well", "timeout"])
    began_us = office.now_us

    await office.live(life("open"))

    assert len(office.server.tickets()) == 1
    assert [one.step for one in office.requests].count("create") == 2
    assert office.now_us - began_us >= office.settings.settle_s * 1e6


@pytest.mark.parametrize("kind", KINDS)
async def test_two_hundred_incidents_at_once_and_the_tracker_fails_often(kind: str) -> None:
    log = [one for n in range(200) for one in life("open", incident=f"{INCIDENT[:-3]}{n:03d}")]
    moods = ["well", "lost", "429", "well", "dies after", "well", "503 done", "dies before"]
    office = Office(kind, moods * 60)

    await office.live(log)

    assert len(office.server.tickets()) == 200


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "quiet",
    [
        life("pending"),
        life("open", severity="warning"),
        life("resolved"),
        life("open", folded_into="x"),
        life("open", site="elsewhere", kind="latency"),
    ],
    ids=["pending", "warning", "over", "folded", "no match"],
)
async def test_what_gets_no_ticket(kind: str, quiet: list[Incident]) -> None:
    office = Office(kind)
    office.settings = replace(office.settings, match={"kind": ["missing_*"]})

    await office.live(quiet)

    assert office.server.tickets() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_who_has_a_ticket_keeps_it_when_less_severe(kind: str) -> None:
    office = Office(kind)

    await office.live([*life("open"), *life("", "resolved", severity="info")[1:]])

    assert office.server.tickets()[0]["is_done"]


@pytest.mark.parametrize("kind", KINDS)
async def test_what_comes_back_opens_its_ticket_again(kind: str) -> None:
    office = Office(kind)

    await office.live(life("open", "resolved", "open", "resolved", "closed"))

    (ticket,) = office.server.tickets()
    assert len(ticket["moves"]) == 3
    assert ticket["is_done"]
    assert len(ticket["said"]) == 3


@pytest.mark.parametrize("kind", KINDS)
async def test_what_a_person_closed_stays_closed(kind: str) -> None:
    office = Office(kind)
    log = life("open", "acknowledged", "open", "resolved")
    await office.live(log[:1])
    office.server.close_by_hand()

    await office.live(log)

    (ticket,) = office.server.tickets()
    assert ticket["is_done"]
    assert ticket["moves"] == []
    assert len(ticket["said"]) == 3


@pytest.mark.parametrize("kind", KINDS)
async def test_only_written_where_people_close_tickets(kind: str) -> None:
    office = Office(kind)
    office.settings = replace(office.settings, closes=False)

    await office.live(life("open", "resolved"))

    (ticket,) = office.server.tickets()
    assert not ticket["is_done"]
    assert len(ticket["said"]) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_a_ticket_that_was_deleted_is_made_anew_while_it_matters(kind: str) -> None:
    office = Office(kind)
    log = life("open", "acknowledged", "resolved")
    await office.live(log[:1])
    office.server.delete()

    await office.live(log[:2])
    assert len(office.server.tickets()) == 1
    office.server.delete()
    await office.live(log)

    assert office.server.tickets() == []


@pytest.mark.parametrize("kind", KINDS)
async def test_what_a_tracker_refuses_holds_nothing_up(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    office = Office(kind)
    other = "11111111-52b1-5b62-9f7c-0c8f7e7f4a11"
    log = [*life("open"), *life("open", incident=other)]
    handle = office.server.handle

    def refuses(request: Request) -> Answer:
        bad = request.step == "create" and INCIDENT.encode() in request.body
        return Answer(400) if bad else handle(request)

    office.server.handle = refuses

    await office.live(log)

    assert len(office.server.tickets()) == 1
    assert f"refused incident {INCIDENT}: http_400" in caplog.text


@pytest.mark.parametrize("kind", KINDS)
async def test_without_access_everything_waits_and_nothing_is_lost(kind: str) -> None:
    office = Office(kind, secrets={"user": "radvigil", "token": "wrong"})
    log = life("open", "resolved")

    async def mended(seconds: float) -> None:
        office.now_us += round(seconds * 1e6)
        if len(office.requests) > 20:
            office.secrets = SECRETS

    office.sleep = mended  # type: ignore[method-assign]
    await office.live(log)

    assert len(office.server.tickets()) == 1


@pytest.mark.parametrize("kind", KINDS)
async def test_nothing_of_a_patient_and_no_secret_stands_in_any_request(kind: str) -> None:
    log = [replace(one, note=f"call {PLANT}", actor=PLANT, reopen_of="earlier") for one in WHOLE]
    office = Office(kind)

    await office.live(log)

    sent = "".join(f"{one.url}{one.headers}{one.body.decode()}" for one in office.requests)
    assert not any(word in sent for word in ("Muster", "Erika", "s3cret", "study-"))
    assert "earlier" in sent


@pytest.mark.parametrize("kind", KINDS)
async def test_ids_of_any_form_are_found_again(kind: str) -> None:
    for name in ('a "b" ^c=d\\', "x" * 256, "überall"):
        office = Office(kind, ["well", "dies after"])

        await office.live(life("open", "resolved", incident=name))

        assert [one["is_done"] for one in office.server.tickets()] == [True]

"""The page over HTTP: who sees what, what is escaped, what is refused."""

import csv
import io
import json
import re
from typing import Any

import pytest

from schemas.command import Command
from schemas.incident import Evidence, Slice
from schemas.reply import Reply
from schemas.web import WebSettings
from streams.web.desk import COOKIE
from streams.web.freshness import Reading
from tests.unit.builders import at, us
from tests.unit.notices import notification
from tests.unit.web_desk import (
    INCIDENT,
    NOW_S,
    PLANT,
    browsing,
    config,
    incident,
    log_in,
    outcome,
    page,
    point,
    text,
)

PATHS = (
    "/",
    f"/incidents/{INCIDENT}",
    "/models/ptx",
    "/sites/north",
    "/history",
    "/coverage",
    "/login",
    "/history.json",
    "/history.csv",
)
HOSTILE = '<script>alert("x")</script>'


def planted() -> Any:
    """A page with all that a page may hold, and a name in whatever may not be shown."""
    made = page()
    evidence = Evidence(
        affected_count=12,
        before=0.25,
        after=0.5,
        reference_n=2000,
        current_n=40,
        examples=[PLANT],
        slices=[
            Slice(slice=f"patient.name={PLANT}", share=0.5, shift=1.0),
            Slice(slice="scanner.station=CT2", share=0.5, shift=-2.0),
        ],
    )
    for n in range(20):
        made.view.take(outcome(f"{PLANT}-{n}", NOW_S - 60 * n, "missing" if n < 5 else "on_time"))
        made.view.take(point(n * 60.0))
    made.view.take(incident(evidence=evidence))
    made.view.take(incident(2, reason="noted", actor="kim", note=PLANT, evidence=evidence))
    made.view.take(notification(key=INCIDENT))
    made.view.take(
        incident(incident="d", kind="input_drift", subject="acquisition.kvp", model=None)
    )
    return made


@pytest.mark.parametrize("path", PATHS)
async def test_no_patient_data_without_a_login(path: str) -> None:
    async with browsing(planted()) as client:
        shown = await text(client, path)

    assert PLANT not in shown
    assert "Erika" not in shown


async def test_with_a_login_study_keys_and_notes_are_shown_but_no_other_slice() -> None:
    async with browsing(planted()) as client:
        assert await log_in(client) == 303
        shown = await text(client, f"/incidents/{INCIDENT}")

    assert shown.count(PLANT) == 2
    assert "patient.name" not in shown
    assert "scanner.station=CT2" in shown


@pytest.mark.parametrize("path", [*PATHS, "/nowhere", "/static/radvigil.js"])
async def test_every_answer_forbids_scripts_that_are_not_ours(path: str) -> None:
    async with browsing(planted()) as client:
        answer = await client.get(path)
        shown = await answer.text()

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Server"] == "radvigil"
    if answer.content_type == "text/html":
        assert re.findall(r"<script(?! src=\"/static/)|<style|\sstyle=|\son\w+=", shown) == []
        assert re.findall(r"(?:src|href)=\"https?://", shown) == []


async def test_who_asks_for_headers_alone_takes_no_live_stream() -> None:
    async with browsing(page()) as client:
        answer = await client.head("/live")

    assert answer.status == 405


async def test_what_others_wrote_is_text_and_never_markup() -> None:
    made = page()
    hostile = {"title": HOSTILE, "owner": HOSTILE, "subject": HOSTILE, "model": HOSTILE}
    made.view.take(incident(runbook="javascript:alert(1)", **hostile))
    async with browsing(made) as client:
        await log_in(client, name=f"{HOSTILE}")
        shown = [await text(client, path) for path in ("/", f"/incidents/{INCIDENT}", "/history")]

    for one in shown:
        assert "<script>" not in one
        assert "&lt;script&gt;" in one
        assert 'href="javascript' not in one


async def test_a_name_turns_no_sentence_around() -> None:
    made = page()
    made.view.take(incident(title="version \u202e2.0 answers", model="p\u2067tx"))
    async with browsing(made) as client:
        shown = [await text(client, path) for path in ("/", f"/incidents/{INCIDENT}", "/history")]

    for one in shown:
        assert "version 2.0 answers" in one
        assert not set("\u202e\u2067") & set(one)


@pytest.mark.parametrize(
    "ask", ["from=0001-01-01&to=9999-12-31", "from=soon&to=2026-02-30", "page=9" + "9" * 30]
)
async def test_days_and_pages_that_cannot_be_filter_nothing(ask: str) -> None:
    made = page()
    made.view.take(incident())
    async with browsing(made) as client:
        assert "1 incident" in await text(client, f"/history?{ask}")
        assert len(json.loads(await text(client, f"/history.json?{ask}"))) == 1


async def test_a_form_of_another_kind_opens_nothing() -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    async with browsing(page()) as client:
        answer = await client.post("/login", data=b"--x\r\nno form", headers=headers)

    assert answer.status == 403


@pytest.mark.parametrize(
    "path", ["/nowhere", "/incidents/none", "/models/none", "/sites/none", "/static/../render.py"]
)
async def test_what_is_not_there_is_said_in_words(path: str) -> None:
    async with browsing(planted()) as client:
        shown = await text(client, path, 404)

    assert "404" in shown
    assert "Traceback" not in shown


async def test_a_wrong_token_opens_nothing_and_many_of_them_are_stopped() -> None:
    async with browsing(planted()) as client:
        assert await log_in(client, token="wrong") == 403
        assert not client.session.cookie_jar.filter_cookies(client.make_url("/"))
        for _ in range(9):
            await log_in(client, token="wrong")
        assert await log_in(client) == 403
        shown = await (await client.post("/login", data={"name": "Kim", "token": "x"})).text()

    assert "Wait a minute" in shown


async def test_a_forged_or_old_cookie_is_nobody() -> None:
    clock = {"s": NOW_S}
    made = page(clock_us=lambda: us(clock["s"]))
    made.view.take(incident())
    async with browsing(made) as client:
        await log_in(client)
        cookie = client.session.cookie_jar.filter_cookies(client.make_url("/"))[COOKIE].value
        assert "Log out" in await text(client, "/")
        clock["s"] += 13 * 3600
        assert "Log out" not in await text(client, "/")
    body, _, signature = cookie.partition(".")
    async with browsing(page()) as client:
        for forged in (f"{body}x.{signature}", body, ".", f"{body}.{'0' * 64}"):
            answer = await client.get("/", cookies={COOKIE: forged})
            assert "Log out" not in await answer.text()


def form_token(shown: str) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', shown)
    assert found is not None
    return found[1]


async def test_an_act_becomes_a_command_and_its_reply_is_shown() -> None:
    sent: list[Command] = []

    async def send(wanted: Command) -> Reply:
        sent.append(wanted)
        made.view.take(incident(2, state="acknowledged", reason="acknowledged", actor="Kim Lee"))
        return Reply(
            command_id=wanted.command_id,
            site="north",
            action="acknowledge",
            accepted=True,
            reason="ok",
            at=wanted.at,
            seq=2,
        )

    made = page(send=send)
    made.view.take(incident())
    async with browsing(made) as client:
        await log_in(client)
        token = form_token(await text(client, f"/incidents/{INCIDENT}"))
        form = {"action": "acknowledge", "until": "4 h", "form_token": token}
        answer = await client.post(f"/incidents/{INCIDENT}/act", data=form)
        shown = await answer.text()

    (command,) = sent
    assert (command.action, command.actor, command.site) == ("acknowledge", "Kim Lee", "north")
    assert (command.incident, command.origin) == (INCIDENT, "web")
    assert command.until == at(NOW_S + 4 * 3600)
    assert "Done: acknowledge, by Kim Lee" in shown


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"action": "explode"}, 400),
        ({"action": "silence", "until": "1000 years"}, 400),
        ({"action": "note", "text": "x" * 257}, 400),
        ({"action": "note", "text": "  "}, 400),
        ({"action": "resolve", "why": "because"}, 400),
        ({"action": "acknowledge", "until": "4 h", "form_token": "0" * 64}, 403),
    ],
)
async def test_a_form_that_cannot_be_is_refused_and_nothing_is_sent(
    form: dict[str, str], status: int
) -> None:
    made = page()
    made.view.take(incident())
    async with browsing(made) as client:
        await log_in(client)
        token = form_token(await text(client, f"/incidents/{INCIDENT}"))
        act = f"/incidents/{INCIDENT}/act"
        answer = await client.post(act, data={"form_token": token} | form)

    assert answer.status == status


async def test_a_write_without_login_or_from_another_site_is_refused() -> None:
    made = page()
    made.view.take(incident())
    act = f"/incidents/{INCIDENT}/act"
    async with browsing(made) as client:
        form = {"action": "acknowledge", "until": "4 h"}
        assert (await client.post(act, data=form)).status == 403
        await log_in(client)
        form["form_token"] = form_token(await text(client, f"/incidents/{INCIDENT}"))
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            assert (await client.post(act, data=form, headers=headers)).status == 403
        assert (await client.get(act)).status == 405


async def test_a_page_that_is_not_public_is_read_by_nobody_without_a_login() -> None:
    async with browsing(page(settings=WebSettings(public=False))) as client:
        for path in ("/", "/history.csv", "/coverage"):
            answer = await client.get(path, allow_redirects=False)
            assert answer.status == 303
            assert answer.headers["Location"].startswith("/login?next=")
        assert (await client.get("/live")).status == 403
        await log_in(client)
        await text(client, "/")


async def test_a_proxy_names_the_actor_only_where_that_is_configured() -> None:
    headers = {"X-User": "Kim Lee"}
    async with browsing(page()) as client:
        assert "Kim Lee" not in await (await client.get("/", headers=headers)).text()
    async with browsing(page(settings=WebSettings(actor_header="X-User"))) as client:
        assert "Kim Lee" in await (await client.get("/", headers=headers)).text()


async def test_a_login_never_leads_to_another_host() -> None:
    async with browsing(page()) as client:
        form = {"name": "Kim", "token": "the-token", "next": "//evil.example/"}
        answer = await client.post("/login", data=form, allow_redirects=False)

    assert answer.headers["Location"] == "/"


async def test_filters_and_exports_stand_in_the_address() -> None:
    made = page()
    for n in range(60):
        site = "north" if n % 2 else "south"
        title = f"=cmd|{n}"
        made.view.take(incident(incident=f"i{n}", site=site, title=title, state="resolved"))
    async with browsing(made) as client:
        shown = await text(client, "/history?site=north&page=99")
        told = json.loads(await text(client, "/history.json?site=north"))
        table = list(csv.DictReader(io.StringIO(await text(client, "/history.csv?text=cmd|7"))))

    assert "30 incidents" in shown
    assert {one["site"] for one in told} == {"north"}
    assert [row["title"] for row in table] == ["'=cmd|7"]
    assert not {"actor", "note", "examples"} & table[0].keys()


async def test_the_page_is_live_only_while_its_reader_and_the_monitor_are() -> None:
    made = page()
    made.view.take(outcome("a", NOW_S - 10))
    async with browsing(made) as client:
        assert 'data-tone="live"' in await text(client, "/")
        made.reader.reading = Reading(us(NOW_S - 60), 1.0, 4)
        lost = await text(client, "/")
        made.reader.reading = Reading(us(NOW_S), 0.43, 4)
        reading = await text(client, "/")
        made.reader.reading = Reading()
        never = await text(client, "/")

    assert "Not live since 01:59:00" in lost
    assert "43 % of the past is read" in reading
    assert "has not answered yet" in never
    for shown in (lost, reading, never):
        assert "What is true now is not known" in shown
        assert "h-on-time" not in shown
    assert "None was open when this page was last live" in lost
    for shown in (reading, never):
        assert "What is open is not known yet" in shown
        assert "closed as false" not in shown
        assert '<span class="n">0</span>' not in shown


async def test_an_outage_and_a_drift_have_their_charts() -> None:
    async with browsing(planted()) as client:
        outage = await text(client, f"/incidents/{INCIDENT}")
        drift = await text(client, "/incidents/d")

    assert outage.count("b-missing") >= 1
    assert "20 results were due: 15 came on time, 0 late, 0 failed, 5 did not come" in outage
    assert '<path class="series"' in drift
    assert 'class="threshold"' in drift


async def test_one_result_was_due() -> None:
    made = page()
    made.view.take(incident())
    made.view.take(outcome("a", NOW_S - 10))
    async with browsing(made) as client:
        assert "1 result was due: 1 came on time" in await text(client, f"/incidents/{INCIDENT}")


async def test_evidence_that_crossed_between_two_blocks_is_shown_to_have_crossed() -> None:
    made = page()
    for n in range(4):
        made.view.take(point(n * 60.0, statistics={"mean_sr": 0.06}))
    drift = {"kind": "input_drift", "subject": "acquisition.kvp", "model": None}
    evidence = Evidence(statistic=32677.0, threshold=2560.0, detector="cat_sr")
    made.view.take(incident(opened_at=at(150), evidence=evidence, **drift))
    made.view.take(incident(incident="stuck", opened_at=at(150), **drift | {"kind": "new_value"}))
    async with browsing(made) as client:
        shown = await text(client, f"/incidents/{INCIDENT}")
        another = await text(client, "/incidents/stuck")

    assert "It crossed its threshold at 00:02" in shown
    assert "32,677, threshold 2,560" in shown
    assert "other shares of its values (cat_sr)" in shown
    assert "Evidence against its threshold" not in another


async def test_of_very_many_incidents_the_worst_are_shown_and_the_rest_counted() -> None:
    made = page()
    for n in range(45):
        severity = "critical" if n < 5 else "warning" if n < 40 else "info"
        made.view.take(incident(incident=f"i{n}", fingerprint=f"f{n}", severity=severity))
    async with browsing(made) as client:
        for path, address in (
            ("/", "/history?live=yes"),
            ("/sites/north", "/history?live=yes&amp;site=north"),
        ):
            shown = await text(client, path)
            assert shown.count("data-row") == 20
            assert "25 more, 20 warning, 5 info." in shown
            assert f'href="{address}"' in shown


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "1 of 2 models needs someone: ptx at north gives no results since"),
        (
            {"kind": "input_drift", "subject": "acquisition.kvp", "model": None},
            "1 incident needs someone: acquisition.kvp at north: input changed since",
        ),
        (
            {"kind": "output_drift", "subject": "pneumothorax.score"},
            "1 of 2 models needs someone: pneumothorax.score of ptx at north: output changed since",
        ),
        (
            {
                "kind": "monitor_stale",
                "site": "radvigil",
                "model": None,
                "subject": "delivery.pager/3",
                "title": "The receiver pager cannot be told: http_404",
            },
            "1 incident needs someone: The receiver pager cannot be told: http_404, since",
        ),
    ],
)
async def test_the_first_sentence_says_what_is_wrong_where(
    fields: dict[str, Any], sentence: str
) -> None:
    made = page()
    made.view.take(incident(**fields))
    async with browsing(made) as client:
        assert sentence in await text(client, "/")


async def test_series_of_parts_are_folded_away() -> None:
    made = page()
    for n in range(3):
        for subject in ("ptx.score", "ptx.score @ patient.sex=F"):
            made.view.take(point(n * 60.0, subject=subject, model="ptx", phase="learning"))
    async with browsing(made) as client:
        for path in ("/models/ptx", "/coverage"):
            before, _, after = (await text(client, path)).partition("<details>")
            assert "patient.sex=F" not in before
            assert "patient.sex=F" in after


async def test_after_the_login_one_is_where_one_was() -> None:
    async with browsing(page()) as client:
        assert 'href="/login?next=/history%3Fsite%3Dnorth"' in await text(
            client, "/history?site=north"
        )


async def test_the_stream_tells_the_version_and_news() -> None:
    made = page()
    async with browsing(made) as client:
        answer = await client.get("/live")
        first = json.loads((await answer.content.readline()).removeprefix(b"data: "))
        answer.close()

    assert first["tone"] == "live"
    assert first["news"] == []


async def test_sites_that_are_only_configured_are_shown_and_say_so() -> None:
    async with browsing(page(config())) as client:
        shown = await text(client, "/coverage")

    assert "north: configured, but nothing has come from it" in shown
    assert "ptx: configured, but no study has called for it" in shown


async def test_a_receiver_that_is_away_is_acknowledged_but_not_silenced() -> None:
    made = page()
    about = {"kind": "monitor_stale", "model": None, "subject": "delivery.hook/2"}
    made.view.take(incident(incident="d", site="radvigil", **about))
    async with browsing(made) as client:
        await log_in(client)
        shown = await text(client, "/incidents/d")
        form = {"action": "silence", "until": "4 h", "form_token": form_token(shown)}
        answer = await client.post("/incidents/d/act", data=form)

        assert answer.status == 400
        assert "no silence hides it: acknowledge it" in await answer.text()
    assert "Repair the receiver" in shown
    assert 'value="acknowledge"' in shown
    assert 'value="silence"' not in shown


def test_of_several_replies_the_one_that_carried_it_out_counts() -> None:
    """What is about the monitor itself goes to every shard, and each replies."""
    made = page()
    words = {"command_id": "c", "site": "radvigil", "action": "acknowledge", "at": at(0)}
    for reason in ("unknown_incident", "ok", "unknown_incident"):
        made.view.take(Reply(**words, accepted=reason == "ok", reason=reason))

    reply = made.view.people.reply("c")
    assert reply is not None
    assert reply.accepted

"""The page in a real browser, on a worker whose model at north answers nothing."""

import http.client
import re
import signal
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

expect = pytest.importorskip("playwright.sync_api").expect
OUTAGE = "ptx at north gives no result"
LONG_MS = 120_000
expect.set_options(timeout=LONG_MS)  # where the machine is busy; a fast one does not wait


class Person:
    """A browser of somebody's own: no cookie is shared. Whatever the console says is kept."""

    def __init__(self, browser: Any, url: str, **looks: Any) -> None:
        self.context = browser.new_context(base_url=url, **looks)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def log_in(self, name: str, token: str) -> None:
        self.page.goto("/login")
        self.page.fill("#name", name)
        self.page.fill("#token", token)
        self.page.click("main button")

    def open_outage(self) -> None:
        self.page.goto("/")
        self.page.locator("[data-row]", has_text=OUTAGE).first.click()
        expect(self.page.locator("h1")).to_contain_text(OUTAGE)


@pytest.fixture
def person(hospital: Any, chromium: Any) -> Iterator[Person]:
    someone = Person(chromium, hospital.url)
    yield someone
    someone.context.close()


@pytest.fixture
def another(hospital: Any, chromium: Any) -> Iterator[Person]:
    someone = Person(chromium, hospital.url, viewport={"width": 390, "height": 844})
    yield someone
    someone.context.close()


def test_the_outage_appears_by_itself_and_its_chart_is_drawn(person: Person) -> None:
    page = person.page
    page.goto("/")
    expect(page.locator("[data-row]", has_text=OUTAGE)).to_be_visible()
    expect(page.locator("h1")).to_contain_text("needs someone: ptx at north gives no results")
    expect(page.locator(".h-missing .word").first).to_be_visible()

    person.open_outage()

    bar = page.locator(".outage .b-missing").first
    expect(bar).to_be_visible()
    drawn = bar.bounding_box()
    assert drawn is not None
    assert drawn["height"] > 5
    assert drawn["width"] > 1
    assert person.said == []
    assert {urlsplit(asked).netloc for asked in person.asked} == {urlsplit(page.url).netloc}


def test_acknowledging_survives_a_reload_and_is_seen_by_others(
    person: Person, another: Person, hospital: Any
) -> None:
    another.open_outage()
    expect(another.page.locator(".badge").first).to_have_text("open")
    person.log_in("Kim Lee", hospital.token)
    person.open_outage()

    person.page.click("#acknowledge button")

    expect(person.page.locator("#told")).to_contain_text("Done: acknowledge, by Kim Lee")
    person.page.reload()
    expect(person.page.locator(".badge").first).to_have_text("acknowledged")
    expect(another.page.locator(".badge").first).to_have_text("acknowledged")
    expect(another.page.locator("main")).to_contain_text("Kim Lee has it")
    assert person.said == another.said == []


def test_a_note_is_for_who_is_logged_in_and_is_no_markup(
    person: Person, another: Person, hospital: Any
) -> None:
    note = "<img src=x onerror=alert(1)> vendor called"
    person.log_in("Kim Lee", hospital.token)
    person.open_outage()
    person.page.fill("#text", note)
    person.page.click("text=Write it")

    expect(person.page.locator("q").first).to_have_text(note)
    another.page.goto(urlsplit(person.page.url).path)
    expect(another.page.locator(".timeline")).to_contain_text("a note (log in to read")
    assert "vendor called" not in another.page.content()
    assert "Example studies" in another.page.content()
    assert another.page.locator(".mono li").count() == 0
    assert person.page.locator(".mono li").count() > 0


def test_a_write_without_login_or_without_the_form_s_token_is_refused(
    person: Person, hospital: Any
) -> None:
    person.open_outage()
    act = f"{urlsplit(person.page.url).path}/act"

    def post(headers: dict[str, str]) -> int:
        connection = http.client.HTTPConnection(urlsplit(hospital.url).netloc, timeout=60)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", act, "action=acknowledge&until=4+h", form | headers)
        return connection.getresponse().status

    person.log_in("Kim Lee", hospital.token)
    (cookie,) = person.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert post({}) == 403
    assert post({"Cookie": f"{cookie['name']}={cookie['value']}"}) == 403


def test_keys_work(person: Person) -> None:
    person.open_outage()
    page = person.page
    page.goto("/")
    page.keyboard.press("j")
    expect(page.locator("[data-row]").first).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    expect(page.locator("#filter")).to_be_focused()
    assert re.search("/history", page.url)


@pytest.mark.parametrize("path", ["/", "/history", "/coverage", "/models/ptx", "/sites/north"])
def test_nothing_is_wider_than_a_phone(another: Person, path: str) -> None:
    another.page.goto(path)

    over = another.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")

    assert over <= 0
    assert another.said == []


def test_a_page_that_lost_the_monitor_says_so_and_is_not_green(
    person: Person, hospital: Any
) -> None:
    page = person.page
    page.goto("/")
    expect(page.locator("body")).to_have_attribute("data-tone", "live")
    green = page.locator("#fresh").evaluate("one => getComputedStyle(one).backgroundColor")

    hospital.process.send_signal(signal.SIGSTOP)
    try:
        expect(page.locator("#fresh-words")).to_contain_text("Not live since")
        now = page.locator("#fresh").evaluate("one => getComputedStyle(one).backgroundColor")
    finally:
        hospital.process.send_signal(signal.SIGCONT)

    assert now != green
    expect(page.locator("body")).to_have_attribute("data-tone", "live")

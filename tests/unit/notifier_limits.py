"""What each provider refuses, from its documentation and not from our code."""

import re
from email import message_from_bytes, policy
from typing import Any

import msgspec

from streams.notifiers import Request


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def walk(tree: Any) -> list[Any]:
    """Every value of a tree."""
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [tree, *(value for one in inner for value in walk(one))]


def slack(request: Request) -> bool:
    """docs.slack.dev: blocks, text objects, buttons; nobody is mentioned by what others wrote."""
    payload = msgspec.json.decode(request.body)
    blocks = payload["blocks"]
    objects = [one for one in walk(blocks) if isinstance(one, dict)]
    texts = [one for one in objects if one.get("type") in ("plain_text", "mrkdwn")]
    assert utf16(request.body.decode()) < 10_000
    assert 1 <= len(blocks) <= 50
    assert payload["text"]
    assert not re.search(r"[<>]", payload["text"])
    assert all(text["type"] == "plain_text" and text["text"].strip() for text in texts)
    for one in objects:
        limits = {"header": 150, "section": 3000, "button": 75}
        if one.get("type") in limits and "text" in one:
            assert utf16(one["text"]["text"]) <= limits[one["type"]]
        assert len(one.get("fields", [])) <= 10
        assert all(1 <= utf16(field["text"]) <= 2000 for field in one.get("fields", []))
        assert len(one.get("elements", [])) <= 25
        assert utf16(one.get("value", "")) <= 2000
        assert len(one.get("url", "")) <= 3000
        assert utf16(one.get("action_id", "") + one.get("block_id", "")) <= 255
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    return len(ids) == len(set(ids))


def pagerduty(request: Request) -> bool:
    """developer.pagerduty.com: summary 1024, dedup key 255, 512 KB, four severities."""
    event = msgspec.json.decode(request.body)
    assert len(request.body) <= 512_000
    assert 1 <= len(event["dedup_key"].encode()) <= 255
    assert event["event_action"] in ("trigger", "acknowledge", "resolve")
    if event["event_action"] == "trigger":
        payload = event["payload"]
        assert 1 <= utf16(payload["summary"]) <= 1024
        assert payload["source"].strip()
        assert payload["severity"] in ("critical", "error", "warning", "info")
        links = event.get("links", [])
        assert all(re.match(r"https?://\S+$", link["href"]) for link in links)
    return True


def webhook(request: Request) -> bool:
    """standardwebhooks.com: payload under 20 KB, a type, a timestamp, data."""
    payload = msgspec.json.decode(request.body)
    assert len(request.body) <= 20_000
    assert set(payload) == {"type", "timestamp", "data"}
    return bool(payload["data"]["incidents"])


def alertmanager(request: Request) -> bool:
    """It refuses an alert without labels, with bad names, or that ends before it began."""
    for alert in msgspec.json.decode(request.body):
        assert alert["labels"]["alertname"] == "radvigil"
        assert all(re.fullmatch(r"[a-z_]+", name) for name in alert["labels"])
        assert all(value for value in alert["labels"].values())
        assert alert["startsAt"] <= alert["endsAt"]
    return True


def teams(request: Request) -> bool:
    """learn.microsoft.com: 28 KB; only text runs, which read no markup."""
    payload = msgspec.json.decode(request.body)
    assert len(request.body) <= 28_000
    objects = [one for one in walk(payload) if isinstance(one, dict)]
    assert all(one["type"] == "TextRun" for one in objects if "text" in one)
    return all(re.match(r"https?://\S+$", one["url"]) for one in objects if "url" in one)


def email(request: Request) -> bool:
    """RFC 5322: 998 octets a line; no header but ours, whatever a field says."""
    assert all(len(line) <= 998 for line in request.body.split(b"\r\n"))
    assert b"\n" not in request.body.replace(b"\r\n", b"")
    message = message_from_bytes(request.body, policy=policy.default)
    names = {name for name, _ in message.items()}
    ours = {
        "From",
        "To",
        "Subject",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Auto-Submitted",
        "X-Auto-Response-Suppress",
        "MIME-Version",
        "Content-Type",
        "Date",
    }
    assert names <= ours
    html = message.get_body(("html",))  # type: ignore[attr-defined]
    assert "<script" not in html.get_content()
    return not message.defects


def log(request: Request) -> bool:
    """One line."""
    assert b"\n" not in request.body
    return bool(msgspec.json.decode(request.body)["data"])

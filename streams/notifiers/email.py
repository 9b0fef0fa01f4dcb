"""Mail: text and HTML, threaded by the first message's id.

A mail cannot be updated, so quiet updates say nothing here. Headers say that a machine wrote it
(RFC 3834), so that no absence note answers. The Message-ID follows from the notification: a mail
store that gets it twice may show it once.
"""

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from hashlib import sha256
from html import escape

from schemas.notification import Notification
from schemas.routing import Email
from streams.clock import from_us
from streams.notifiers import _words
from streams.notifiers._contract import (
    Answer,
    Occasion,
    Pace,
    Refs,
    Refused,
    Request,
    Result,
    Retry,
    Secrets,
    Sent,
)
from streams.notifiers._facts import Facts, Telling, telling
from streams.notifiers._text import clean, shorten

SECRETS = ("username", "password")
PACE = Pace(per_s=1.0, at_once=5)
REFRESH_S = None
_SUBJECT = 200


def render(
    notification: Notification, receiver: Email, refs: Refs, occasion: Occasion
) -> tuple[Request, ...]:
    """A mail, where there is something to disturb for, to begin or to end."""
    told = telling(notification, occasion.page)
    if refs and told.action == "update" and not told.disturb:
        return ()
    message_id = _message_id(told, receiver)
    message = _message(told, receiver, message_id, refs)
    message["Date"] = format_datetime(from_us(occasion.now_us))
    envelope = {
        "MAIL FROM": parseaddr(receiver.sender)[1],
        "RCPT TO": ", ".join(parseaddr(to)[1] for to in receiver.to),
    }
    url = f"smtp://{receiver.host}:{receiver.port}"
    first = refs.get("message_id", message_id)
    refs = {"message_id": first}
    return (Request("MAIL", url, envelope, message.as_bytes(), step="mail", refs=refs),)


def read(request: Request, answer: Answer) -> Result:
    """RFC 5321, 4.2.1: 2yz done, 4yz later, 5yz never."""
    why = f"smtp_{answer.status}"
    if 200 <= answer.status < 300:
        return Sent(request.refs)
    return Refused(why) if 500 <= answer.status < 600 else Retry(why)


def seal(request: Request, secrets: Secrets, now_us: int) -> Request:
    """With the login, where one is configured, as headers that never leave the machine."""
    if "username" not in secrets:
        return request
    login = {"username": secrets["username"], "password": secrets.get("password", "")}
    return request._replace(headers={**request.headers, **login})


def _message(told: Telling, receiver: Email, message_id: str, refs: Refs) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = clean(receiver.sender)
    message["To"] = ", ".join(map(clean, receiver.to))
    message["Subject"] = shorten(f"[radvigil] {_words.headline(told)}", _SUBJECT)
    message["Message-ID"] = message_id
    if refs:
        message["In-Reply-To"] = message["References"] = refs["message_id"]
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(_text(told), cte="base64")
    message.add_alternative(_html(told), subtype="html", cte="base64")
    message.set_boundary(f"radvigil-{_digest(told)}")
    return message


def _message_id(told: Telling, receiver: Email) -> str:
    domain = parseaddr(receiver.sender)[1].rpartition("@")[2] or "radvigil.invalid"
    return f"<{_digest(told)}.{told.number}@{domain}>"


def _digest(told: Telling) -> str:
    return sha256(told.notification.encode()).hexdigest()[:32]


def _text(told: Telling) -> str:
    return "\n".join(
        [_words.headline(told), f"{_words.clock(told.at)}: {_words.reason(told)}", *_parts(told)]
    )


def _parts(told: Telling) -> list[str]:
    parts = []
    for facts in told.incidents:
        parts += ["", facts.title]
        parts += [f"  {label}: {value}" for label, value in _words.rows(facts)]
        parts += [f"  {words}: {address}" for words, address in _words.links(facts)]
    return parts + (["", _words.more(told)] if told.more_n else [])


def _html(told: Telling) -> str:
    head = f"<h2>{escape(_words.headline(told))}</h2>"
    why = f"<p>{escape(f'{_words.clock(told.at)}: {_words.reason(told)}')}</p>"
    more = f"<p>{_words.more(told)}</p>" if told.more_n else ""
    parts = "".join(map(_section, told.incidents))
    return f"<!doctype html><html><body>{head}{why}{parts}{more}</body></html>"


def _section(facts: Facts) -> str:
    rows = "".join(
        f'<tr><th align="left">{label}</th><td>{escape(value)}</td></tr>'
        for label, value in _words.rows(facts)
    )
    links = " ".join(
        f'<a href="{escape(address)}">{words}</a>' for words, address in _words.links(facts)
    )
    return f"<h3>{escape(facts.title)}</h3><table>{rows}</table><p>{links}</p>"

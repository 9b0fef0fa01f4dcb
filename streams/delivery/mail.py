"""SMTP, by the standard library. It blocks: call it in a thread."""

import smtplib
import ssl
from contextlib import closing
from typing import Literal

from schemas.routing import Email
from streams.notifiers import Answer, Refused, Request, Retry

TIMEOUT_S = 30.0
Tls = Literal["starttls", "implicit", "none"]
_MET: tuple[tuple[type[Exception], Retry | Refused], ...] = (
    (smtplib.SMTPNotSupportedError, Refused("smtp_not_supported")),  # STARTTLS, or to log in
    (smtplib.SMTPException, Retry("disconnected")),
    (ssl.SSLError, Retry("certificate")),
    (OSError, Retry("unreachable")),
    (UnicodeError, Refused("address")),
)


def send(
    receiver: Email, request: Request, tls: Tls, context: ssl.SSLContext
) -> Answer | Retry | Refused:
    """Hand one mail over; what the server answered last, or why there is no answer.

    A connection that breaks is a Retry: the Message-ID tells a mail store what it has already.
    """
    try:
        with closing(_connect(receiver, tls, context)) as server:
            if tls == "starttls":
                server.starttls(context=context)
            if "username" in request.headers:
                server.login(request.headers["username"], request.headers["password"])
            to = request.headers["RCPT TO"].split(", ")
            refused = server.sendmail(request.headers["MAIL FROM"], to, request.body)
            server.docmd("QUIT")  # only where all went well: who is silent is not waited for
    except smtplib.SMTPRecipientsRefused as error:
        return Answer(min(code for code, _ in error.recipients.values()))
    except smtplib.SMTPResponseException as error:
        return Answer(error.smtp_code)
    except (OSError, UnicodeError) as error:  # smtplib's own are OSErrors
        return next(met for kind, met in _MET if isinstance(error, kind))
    return Answer(250, {"refused": str(len(refused))} if refused else {})


def _connect(receiver: Email, tls: Tls, context: ssl.SSLContext) -> smtplib.SMTP:
    where = receiver.host, receiver.port
    if tls == "implicit":
        return smtplib.SMTP_SSL(*where, timeout=TIMEOUT_S, context=context)
    return smtplib.SMTP(*where, timeout=TIMEOUT_S)

"""Who acts: a token and a name for a signed cookie, and a second secret in every form.

The cookie holds the name and its end, signed with a key made from the token: any copy of the page
with the same token knows it, and a new token ends every session. Nothing is stored.
"""

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections import deque
from hashlib import sha256

import msgspec

NAME_LENGTH = 64
_TRIES_A_MINUTE = 10
_session = msgspec.json.Decoder(tuple[str, int])


def random_token() -> str:
    """A token that nobody guesses.

    >>> len(random_token()) >= 32
    True
    """
    return secrets.token_urlsafe(24)


def good_name(name: str) -> str | None:
    """The name as it will stand in the log, or None for one that cannot.

    >>> good_name("  Kim Lee "), good_name("a\\nb"), good_name("")
    ('Kim Lee', None, None)
    """
    name = name.strip()
    return name if name.isprintable() and 0 < len(name) <= NAME_LENGTH else None


class Login:
    """Sessions of `hours`. Times are seconds since the epoch, told by the caller."""

    def __init__(self, token: str, hours: float) -> None:
        self._token = token.encode()
        self._key = hmac.digest(self._token, b"radvigil session 1", sha256)
        self._length_s = hours * 3600
        self._failed_s: deque[float] = deque(maxlen=_TRIES_A_MINUTE)

    def is_locked(self, now_s: float) -> bool:
        """Whether there were too many wrong tokens in the last minute."""
        full = len(self._failed_s) == self._failed_s.maxlen
        return full and now_s - self._failed_s[0] < 60

    def open(self, name: str, token: str, now_s: float) -> str | None:
        """A cookie for the right token and a good name."""
        if not hmac.compare_digest(token.encode(), self._token):
            self._failed_s.append(now_s)
            return None
        actor = good_name(name)
        if actor is None:
            return None
        written = msgspec.json.encode((actor, int(now_s + self._length_s)))
        body = urlsafe_b64encode(written).decode().rstrip("=")
        return f"{body}.{self._sign('cookie', body)}"

    def actor(self, cookie: str, now_s: float) -> str | None:
        """Whose cookie it is; None for one that is not ours, or over."""
        body, _, signature = cookie.partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign("cookie", body).encode()):
            return None
        try:
            padded = body + "=" * (-len(body) % 4)
            actor, until_s = _session.decode(urlsafe_b64decode(padded))
        except (Error, ValueError, msgspec.DecodeError):
            return None
        return actor if now_s < until_s else None

    def form_token(self, session: str) -> str:
        """What a form of this session must carry."""
        return self._sign("form", session)

    def is_form_token(self, session: str, token: str) -> bool:
        """Whether a form was made for this session."""
        return hmac.compare_digest(token.encode(), self.form_token(session).encode())

    def _sign(self, what: str, text: str) -> str:
        return hmac.new(self._key, f"{what}:{text}".encode(), sha256).hexdigest()

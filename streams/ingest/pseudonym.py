"""Identifiers become keys that nobody can turn back without the site's secret.

HMAC-SHA-256 over domain, issuer and value. Without the secret a key tells nothing and cannot be
guessed from a list of accession numbers, as a plain digest could; with it an authorised person can
find the key of a study whose number they know (`radvigil pseudonym`). Under HIPAA's Safe Harbor
such keys are still derived from the identifier, 45 CFR 164.514(c): treat the topics as limited
patient data.
"""

import hmac
import secrets
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path
from typing import Literal

from msgspec import Struct

Domain = Literal["study", "accession", "patient", "station", "reader", "report"]
LEAST_BYTES = 16
_SHORT = 16  # hex digits of a station or reader: told apart, and short enough to read


class BadKey(Exception):
    """The secret cannot be used; says why, never what it is."""


class Secret(Struct, frozen=True):
    """One site secret. `epoch` is counted up when it is replaced, and is part of every key."""

    epoch: int
    content: bytes

    def __repr__(self) -> str:
        return f"Secret(epoch={self.epoch})"


class Pseudonyms:
    """Keys under the present secret, and under the one before while it is being replaced."""

    def __init__(self, present: Secret, previous: Secret | None = None) -> None:
        self.present = present
        self.previous = previous

    def key(self, domain: Domain, value: str, issuer: str = "") -> str:
        """The key of an identifier, `h1:` and 64 hex digits; `issuer` tells equal numbers apart.

        >>> keys = Pseudonyms(Secret(1, b"0123456789abcdef"))
        >>> keys.key("study", "1.2.3")[:7], keys.key("study", "1.2.3") == keys.key("study", "1.2.4")
        ('h1:0e75', False)
        """
        return _key(self.present, domain, value, issuer)

    def short(self, domain: Domain, value: str) -> str:
        """A short key, for devices and readers, of which there are few."""
        return self.key(domain, value).partition(":")[2][:_SHORT]

    def keys(self, domain: Domain, value: str, issuer: str = "") -> list[str]:
        """All keys that the identifier may have been given, the present one first."""
        secrets_now = [self.present] if self.previous is None else [self.present, self.previous]
        return [_key(secret, domain, value, issuer) for secret in secrets_now]


def _key(secret: Secret, domain: Domain, value: str, issuer: str) -> str:
    # Lengths first: no two triples are the same bytes.
    parts = (domain.encode(), issuer.strip().encode(), value.strip().encode())
    told = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return f"h{secret.epoch}:{hmac.new(secret.content, told, sha256).hexdigest()}"


def read_key(text: str) -> bytes:
    """A secret as it is written: base64 of 16 bytes or more. Raises BadKey."""
    try:
        content = b64decode(text.strip(), validate=True)
    except ValueError:
        raise BadKey("the pseudonym key is not base64") from None
    if len(content) < LEAST_BYTES:
        raise BadKey(f"the pseudonym key has fewer than {LEAST_BYTES} bytes")
    return content


def make_key_file(path: Path) -> bytes:
    """Write a new secret that only its owner can read; FileExistsError where there is one."""
    content = secrets.token_bytes(32)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(b64encode(content).decode() + "\n")
    return content

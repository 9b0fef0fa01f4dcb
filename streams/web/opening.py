"""The page of a configuration, and the token to act on it."""

import sys

from schemas.config import Config
from schemas.secrets import read_secret
from streams.web.login import random_token
from streams.web.server import Page


def page_of(config: Config) -> tuple[Page, str | None]:
    """The page of a configuration, and the token that was made for it, if one was.

    Raises `schemas.secrets.MissingSecret`.
    """
    token = read_secret(config.web, "token", "web")
    made = None if token is not None else random_token()
    return Page(config, config.web, token or made or ""), made


def tell_token(address: str, made: str | None) -> None:
    """Say once, on stderr and in no log, with which token to act."""
    if made is not None:
        print(f"the live page is http://{address}/, the token to act on it {made}", file=sys.stderr)

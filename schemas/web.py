"""Settings of the live page: who may read, who may write, how far back it looks."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.fields import Text


class WebSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The live page. Whoever acts on it says the token and a name; reading may be free.

    Without a token of yours each start makes one of its own and prints it once."""

    title: Text = "radvigil"
    """What stands at the top, as the name of the hospital."""
    address: Text = ""
    """Where people reach the page, as `https://radvigil.example.org`: for links in messages."""
    public: bool = True
    """Whether it may be read without a login; study keys and notes never are."""
    token_env: Text | None = None
    """Environment variable with the token that a person logs in with."""
    token_file: Text | None = None
    """File with that token."""
    actor_header: Text | None = None
    """Header in which a reverse proxy names who has logged in there; it is believed."""
    session_hours: Annotated[float, Meta(gt=0, le=720)] = 12.0
    """How long a login lasts."""
    days: Annotated[float, Meta(gt=0, le=400)] = 90.0
    """How far back incidents, commands and notifications are read."""
    detail_days: Annotated[float, Meta(gt=0, le=400)] = 14.0
    """How far back outcomes and series are read."""

"""The monitor's own dead man's switch: somebody outside who misses us."""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.fields import Text


class Watchdog(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pings an outside address while everything moves; whoever is there tells when it stops.

    For healthchecks.io and its like. Where several workers run, give each an address of its own:
    one that is stuck is not missed while another pings in its place."""

    url_env: Text | None = None
    """Environment variable with the address to ping; it is a secret."""
    url_file: Text | None = None
    """File with that address."""
    every_s: Annotated[float, Meta(ge=10, le=3_600)] = 60.0
    """How often it is pinged, and how often Alertmanagers are told."""
    start: Text = ""
    """What is appended to the address once at the start, as `/start`; empty: no such ping."""
    fail: Text = ""
    """What is appended while something is stuck, as `/fail`; empty: it is not pinged then."""
    alertmanagers: bool = False
    """Whether an alert `Watchdog` is kept firing at every receiver of kind alertmanager."""

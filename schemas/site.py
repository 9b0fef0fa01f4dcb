"""What is known of single sites: their time zone and weekend, and when work on them is planned."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.fields import Site, Text

Weekend = Literal["saturday-sunday", "friday-saturday", "thursday-friday"]
"""Two days on which a hospital is another than on the five others."""


class Maintenance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recurring window in which nobody is told of a site's incidents.

    They open all the same; what is still open at its end is told then."""

    cron: Text
    """When it begins: minute, hour, day, month, weekday, in the site's zone, as cron reads them."""
    minutes: Annotated[int, Meta(ge=1, le=10_080)]
    """How long it lasts, a week at most."""


class SiteSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a site; sites that are not listed are accepted and counted."""

    name: Site
    """As events name it."""
    timezone: Text | None = None
    """Its time zone, as in `Europe/Berlin`; the deployment's where not given."""
    weekend: Weekend | None = None
    """Its weekend; the deployment's where not given."""
    maintenance: list[Maintenance] = []
    """Recurring windows of planned work."""

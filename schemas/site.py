"""What is known of single sites: their time zone, and when work on them is planned."""

from msgspec import Struct

from schemas.fields import Positive, Site, Text


class Maintenance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recurring window in which nothing of a site opens an incident."""

    cron: Text
    """When it begins: minute, hour, day, month, weekday, in the site's zone."""
    minutes: Positive
    """How long it lasts."""


class SiteSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a site; sites that are not listed are accepted and counted."""

    name: Site
    """As events name it."""
    timezone: Text | None = None
    """Its time zone, as in `Europe/Berlin`; the deployment's where not given."""
    maintenance: list[Maintenance] = []
    """Recurring windows of planned work."""

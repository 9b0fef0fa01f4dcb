"""Settings of `[performance]`: when what a model said is held against the report."""

from msgspec import Struct

from schemas.fields import Positive, Seconds


class Performance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a study is read, and how much waits for that."""

    maturity_s: Seconds = 3 * 86_400
    """A study's report is read so long after the study: a backlog of reports is no news by then."""
    studies_per_site: Positive = 100_000
    """How many studies of a site wait to be read."""
    findings_per_site: Positive = 500
    """How many findings of models are held against the reports of a site."""

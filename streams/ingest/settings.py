"""From the configuration to what translators work with: the secret, the links, the codes."""

import os
from pathlib import Path

import msgspec

from schemas.ingest import Codes, IngestSettings, Models
from schemas.secrets import read_secret
from streams.ingest._contract import Ingest, Labels
from streams.ingest.labeller import Labeller, built_in, load
from streams.ingest.link_file import LinkFile, read_links
from streams.ingest.links import Links
from streams.ingest.pseudonym import Pseudonyms, Secret, make_key_file, read_key

_PATH = "ingest"


def default_key_file() -> Path:
    """Where a secret is made when the configuration names none."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "radvigil" / "pseudonym.key"


def pseudonyms_of(settings: IngestSettings) -> tuple[Pseudonyms, Path | None]:
    """The keys, and the file of a secret that was made just now.

    Raises schemas.secrets.MissingSecret, or pseudonym.BadKey.
    """
    made = None
    named = settings
    if settings.key_env is None:
        file = Path(settings.key_file) if settings.key_file else default_key_file()
        if not file.exists():
            make_key_file(file)
            made = file
        named = msgspec.structs.replace(settings, key_file=str(file))
    present = read_secret(named, "key", _PATH)
    assert present is not None
    previous = read_secret(settings, "previous_key", _PATH)
    return Pseudonyms(
        Secret(settings.epoch, read_key(present)),
        None if previous is None else Secret(settings.epoch - 1, read_key(previous)),
    ), made


def labeller_of(settings: IngestSettings) -> Labeller:
    """The labeller: English, and the site's own lexicons. Raises labeller.BadLexicon."""
    return Labeller([built_in("en"), *(load(file) for file in settings.lexicons)])


def ingest_of(
    settings: IngestSettings,
    pseudonyms: Pseudonyms,
    *,
    site: str,
    timezone: str,
    from_files: bool,
    labels: Labels | None = None,
    models: tuple[str, ...] = (),
) -> Ingest:
    """What translators work with."""
    rows = {(code.scheme, code.code): code for code in settings.codes}
    return Ingest(
        site=site,
        pseudonyms=pseudonyms,
        links=links_of(settings, pseudonyms),
        codes=Codes(rows),
        labels=labels,
        stamps="header" if from_files else "arrival",
        timezone=timezone,
        models=Models(tuple(settings.models), models),
    )


def links_of(settings: IngestSettings, pseudonyms: Pseudonyms) -> Links:
    """The links that earlier runs and other services kept. Raises OSError."""
    links = Links(pseudonyms)
    file = Path(settings.links_file) if settings.links_file else None
    if file is not None and file.exists():
        read_links(file, links)
    return links


def link_file_of(settings: IngestSettings, links: Links) -> LinkFile | None:
    """Where links are shared from now on, if a file is named."""
    return LinkFile(Path(settings.links_file), links) if settings.links_file else None

"""`radvigil pseudonym`: the key of a study, accession number or patient that somebody knows."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from schemas.config import Config
from schemas.config_file import ConfigError
from schemas.secrets import MissingSecret
from streams.cli.arguments import BadInput, add_config, config_of
from streams.ingest.pseudonym import BadKey, Domain, Pseudonyms
from streams.ingest.settings import default_key_file, links_of, pseudonyms_of

_DOMAINS: dict[str, Domain] = {"study": "study", "accession": "accession", "patient": "patient"}
_MOST = 100_000
_LONGEST = 256
_UID = re.compile(r"[0-9.]{1,64}")  # PS3.5 9.1, as far as a slip of the hand shows
_EXAMPLES = """examples:
  radvigil pseudonym study --config radvigil.toml              asks; one Study Instance UID a line
  radvigil pseudonym study - --config radvigil.toml < uids.txt
  radvigil pseudonym accession - --issuer HOSPITAL-A --config radvigil.toml --json < numbers.txt
  radvigil pseudonym patient - --issuer HOSPITAL-A --config radvigil.toml < ids.txt

Keys are made under the site's secret, so only who can read it can do this. Each line of the answer
has the number of the line that was read and never the identifier. While a secret is being replaced
the key under the one before is told too, and for an accession number the study that it is known
to belong to (`ingest.links_file`). `radvigil trace KEY` shows what came of a study.

exit status:
  0  every value has its key
  1  a value cannot be one, or there was none
  2  the command line or the configuration is wrong, or there is no secret
"""


class Found(NamedTuple):
    """What is known of one value; `study` is the one that an accession number belongs to."""

    number: int
    keys: list[str]
    study: str | None


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "pseudonym",
        description="Print the keys that identifiers have in events, under the site's secret.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("domain", choices=sorted(_DOMAINS), help="what the values are")
    parser.add_argument(
        "values",
        nargs="*",
        default=["-"],
        metavar="VALUE",
        help="the values; - or none reads them from standard input, one a line, which is better: "
        "arguments stay in the shell's history and are seen by everybody on the machine",
    )
    parser.add_argument("--issuer", default="", help="who gave the number, as in the messages")
    parser.add_argument("--json", action="store_true", help="one JSON object a value")
    add_config(parser, required=False)
    parser.set_defaults(run=run)
    parser.trailing = "values"


def run(arguments: argparse.Namespace) -> int:
    """Print the keys of each value."""
    config = config_of(arguments)
    domain = _DOMAINS[arguments.domain]
    pseudonyms = _pseudonyms(config)
    links = links_of(config.ingest, pseudonyms)
    told_n = 0
    for number, value in _values(arguments.values):
        if domain == "study" and not _UID.fullmatch(value):
            told = f"radvigil: NOTE: value {number} is no Study Instance UID: digits and dots, 64"
            print(f"{told} at most", file=sys.stderr)
        keys = pseudonyms.keys(domain, value, arguments.issuer)
        study = links.find(value, arguments.issuer) if domain == "accession" else None
        print(_line(Found(number, keys, study), as_json=arguments.json))
        told_n += 1
    if told_n == 0:
        raise BadInput("no value was given")
    return 0


def _pseudonyms(config: Config) -> Pseudonyms:
    """Of a secret that is there: one made now would find nothing."""
    settings = config.ingest
    file = Path(settings.key_file) if settings.key_file else default_key_file()
    if settings.key_env is None and not file.exists():
        raise ConfigError("ingest", [f"there is no pseudonym secret in {file}"])
    try:
        return pseudonyms_of(settings)[0]
    except (MissingSecret, BadKey) as error:
        raise ConfigError("ingest", [str(error)]) from None


def _values(given: list[str]) -> Iterator[tuple[int, str]]:
    """Numbered; empty lines are left out. Raises BadInput, which names the number only."""
    if given != ["-"]:
        told = "radvigil: NOTE: these values are in the shell's history now; standard input is not"
        print(told, file=sys.stderr)
        lines: Iterator[str] = iter(given)
    else:
        if sys.stdin.isatty():
            print("one value a line, then Ctrl-D:", file=sys.stderr)
        lines = (raw.decode("utf-8", "replace") for raw in sys.stdin.buffer)
    for number, line in enumerate(islice(lines, _MOST), start=1):
        value = line.strip()
        if not value:
            continue
        if len(value) > _LONGEST or not value.isprintable() or "\ufffd" in value:
            raise BadInput(f"value {number} cannot be an identifier")
        yield number, value
    if next(lines, None) is not None:
        raise BadInput(f"only the first {_MOST} values were read")


def _line(found: Found, *, as_json: bool) -> str:
    if as_json:
        return msgspec.json.encode(found._asdict()).decode()
    study = "" if found.study is None else f"  of study {found.study}"
    return f"{found.number}  {'  '.join(found.keys)}{study}"

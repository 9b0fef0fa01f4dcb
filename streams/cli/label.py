"""`radvigil label`: what the report labeller makes of a text, and by which rule."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from streams.cli.arguments import BadInput, add_config, config_of
from streams.ingest.labeller import BadLexicon, Labelled
from streams.ingest.settings import labeller_of

_EXAMPLES = """examples:
  radvigil label report.txt
  radvigil label --config radvigil.toml reports/*.txt --json > labels.jsonl
  echo "No pneumothorax. Possible small left effusion." | radvigil label -

One report a file. The text itself is not written. docs/LABELLER.md says what to expect of it.
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "label",
        description="Print finding, value and rule for each report.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("reports", nargs="+", metavar="FILE", help="a text; - is standard input")
    add_config(parser, required=False)
    parser.add_argument("--json", action="store_true", help="one JSON object a report")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Label each report."""
    try:
        labeller = labeller_of(config_of(arguments).ingest)
    except BadLexicon as error:
        raise BadInput(str(error)) from None
    for name in arguments.reports:
        for line in _told(name, labeller.explain(_text(name)), as_json=arguments.json):
            print(line)
    if labeller.dropped["too_long"]:
        print(f"radvigil: {labeller.dropped['too_long']} too long to be a report", file=sys.stderr)
    return 0


def _text(name: str) -> str:
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise BadInput(f"{name}: {error.strerror or error}") from None
    return content.decode(errors="replace")


def _told(name: str, labels: list[Labelled], *, as_json: bool) -> Iterator[str]:
    if as_json:
        lines = [one._asdict() for one in labels]
        yield msgspec.json.encode({"report": name, "labels": lines}).decode()
        return
    yield f"{name}: {len(labels)} labels" + (f", labeller {labels[0].version}" if labels else "")
    for one in labels:
        yield f"  {one.finding:28} {one.value:10} {one.rule}"

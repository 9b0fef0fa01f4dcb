"""`radvigil trace`: what came of one study, and what was said of it."""

import argparse
import sys
from typing import Any

import orjson

from streams.cli.arguments import BadInput, add_config, config_of, site_name
from streams.incident_board import printable
from streams.study_trace import NoTrace, Step, steps

_TOLD = ("state", "status", "outcome", "model", "kind", "reason")
_EXAMPLES = """examples:
  radvigil trace h1:9cac04268fe7 --site north --config radvigil.toml
  radvigil trace st-1042 --site north --config radvigil.toml --json

The study is named by the key that its events carry; `radvigil pseudonym` finds that of a Study
Instance UID. Exit status: 0 found, 1 nothing is known of it or no broker, 2 bad usage.
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "trace",
        description="Show what came of one study, when, and what was said of it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("study", metavar="STUDY", help="its key, as in its events")
    parser.add_argument(
        "--site", type=site_name, required=True, metavar="SITE", help="where it was made"
    )
    parser.add_argument("--json", action="store_true", help="one record a line, whole")
    add_config(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print it."""
    config = config_of(arguments)
    if config.broker == "embedded":
        raise BadInput(
            "broker is embedded: its events live and end with the worker. Set broker to the "
            "address that the worker logged, or to a Kafka"
        )
    try:
        found = steps(config, arguments.site, arguments.study)
    except NoTrace as error:
        raise BadInput(str(error)) from None
    if not found:
        raise BadInput("nothing is known of this study at this site")
    for step in found:
        if arguments.json:
            sys.stdout.write(_whole(step) + "\n")
        else:
            print(printable(_line(step)))
    return 0


def _whole(step: Step) -> str:
    at = step.arrived_at.isoformat()
    told = {"arrived_at": at, "topic": step.topic, "offset": step.offset, "message": step.message}
    return orjson.dumps(told).decode()


def _line(step: Step) -> str:
    kind = str(step.message.get("type", "")).split(".")[1:2]
    words = [step.message.get(name) for name in _TOLD]
    told = " ".join(word for word in words if isinstance(word, str))
    return f"{step.arrived_at:%Y-%m-%d %H:%M:%S} {kind[0] if kind else '?':10} {told}".rstrip()

"""`radvigil replay`: recorded events through the pipeline, and what it would have said."""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

from schemas.deadletter import DeadLetter
from schemas.decoding import encode
from schemas.incident import Incident
from schemas.messages import Effect
from schemas.outcome import Outcome
from schemas.series import SeriesPoint
from streams.cli.arguments import BadInput, add_config, config_of, moment
from streams.cli.progress import progress
from streams.cli.summary import Summary, as_json, as_text
from streams.clock import to_us
from streams.collector import expect_large_state
from streams.recordings import STDIN, lines
from streams.replay import Line, Replay, parse

_OUTPUTS: dict[str, type] = {
    "incidents": Incident,
    "outcomes": Outcome,
    "series": SeriesPoint,
    "deadletters": DeadLetter,
}
_EXAMPLES = """examples:
  radvigil replay --config radvigil.toml day.jsonl.zst
  zcat *.jsonl.gz | radvigil replay --config radvigil.toml - --incidents found.jsonl
  radvigil replay --config radvigil.toml day.jsonl --json --exit-code

Each line is one event of any type, in the order of arrival. `arrived_at` dates its arrival, else
`at` does; but for one that jumps ahead and that the next lines take back: that is a wrong clock.
Two runs over the same lines write the same bytes. After the last line time runs on until every
deadline has passed, but no feed falls silent by that: only up to --until has nothing come.

exit status:
  0  done, lines that could not be read included: they are counted
  1  a file cannot be read or written
  2  the command line or the configuration is wrong
  3  there was an incident, with --exit-code
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "replay",
        description="Run recorded events through the same pipeline that runs live.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config(parser)
    parser.add_argument(
        "events", nargs="+", metavar="EVENTS", help="JSON lines; .gz, .zst; - is standard input"
    )
    for name in _OUTPUTS:
        parser.add_argument(f"--{name}", metavar="OUT", help=f"write {name} there, as JSON lines")
    parser.add_argument("--until", type=moment, metavar="TIME", help="let time run on to TIME")
    parser.add_argument("--json", action="store_true", help="the summary as one JSON object")
    parser.add_argument(
        "--exit-code", action="store_true", help="exit with 3 if there was an incident"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Replay, write what was asked for, and sum up."""
    expect_large_state()
    replay = Replay(config_of(arguments))
    summary = Summary()
    started_s = time.perf_counter()
    with ExitStack() as files:
        outputs = _open_outputs(arguments, files)
        for effect in _effects(replay, arguments):
            summary.take(effect)
            if (output := outputs.get(type(effect))) is not None:
                output.write(encode(effect) + b"\n")
    told = summary.finished(replay, time.perf_counter() - started_s)
    # What goes to standard output as lines is read by a program: the summary stays out of it.
    streamed = sys.stdout.buffer in outputs.values()
    text = as_json(told) if arguments.json else as_text(told)
    print(text, file=sys.stderr if streamed else sys.stdout)
    return 3 if arguments.exit_code and told.incidents else 0


def _effects(replay: Replay, arguments: argparse.Namespace) -> Iterator[Effect | DeadLetter]:
    yield from replay.play(progress(_lines(arguments.events)))
    yield from replay.finish(to_us(arguments.until) if arguments.until else None)


def _lines(sources: Iterable[str]) -> Iterator[Line]:
    for source in sources:
        yield from parse("stdin" if source == STDIN else source, lines(source))


def _open_outputs(arguments: argparse.Namespace, files: ExitStack) -> dict[type, BinaryIO]:
    outputs: dict[type, BinaryIO] = {}
    taken = {_identity(Path(source)) for source in arguments.events if source != STDIN}
    for name, kind in _OUTPUTS.items():
        path = getattr(arguments, name)
        if path == STDIN:
            outputs[kind] = sys.stdout.buffer
        elif path:
            if _identity(Path(path)) in taken:
                raise BadInput(f"--{name} {path}: would overwrite the events, or another output")
            outputs[kind] = files.enter_context(_writable(path))
            if not Path(path).is_char_device():  # /dev/null has room for all
                taken.add(_identity(Path(path)))
    return outputs


def _identity(place: Path) -> object:
    """The same for each name of one file, hard links included."""
    try:
        status = place.stat()
    except OSError:
        return place.resolve()  # it is not there yet
    return status.st_dev, status.st_ino


def _writable(path: str) -> BinaryIO:
    try:
        return Path(path).open("wb")  # closed by the caller's ExitStack
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from error

"""Every topic of a deployment: its name, what it carries, how Kafka must keep it, and why.

All topics have the same number of partitions and the site as key, so that everything of one site
meets in one shard. Inputs are listed in the order in which a shard merges equal append times.
"""

from typing import Literal

from msgspec import Struct

from schemas.command import Command
from schemas.config import Config
from schemas.deadletter import DeadLetter
from schemas.fields import MAX_MESSAGE_BYTES
from schemas.incident import Incident
from schemas.messages import Message
from schemas.notification import Notification
from schemas.outcome import Outcome
from schemas.prediction import Prediction
from schemas.reply import Reply
from schemas.report import Report
from schemas.series import SeriesPoint
from schemas.study import Study

# The limit is on the value; a batch adds the key, the headers and its own frame.
MAX_RECORD_BYTES = MAX_MESSAGE_BYTES + 65_536
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


class Setting(Struct, frozen=True):
    """A Kafka topic configuration value, and what goes wrong without it."""

    value: str
    why: str


class TopicSpec(Struct, frozen=True, kw_only=True):
    """One topic. `stem` is its name without prefix and version, `message` what its values are.

    `message` is None where a value is no wire type: state records are opaque, and the
    notifiers' outbox belongs to the notifiers.
    """

    stem: str
    direction: Literal["in", "out", "internal"]
    message: type[Message] | None
    key: str
    purpose: str
    settings: dict[str, Setting]

    def name(self, prefix: str) -> str:
        """The topic's full name.

        >>> STATE.name("radvigil")
        'radvigil.state.v1'
        """
        return f"{prefix}.{self.stem}.v1"

    def kafka_config(self, replication: int) -> dict[str, Setting]:
        """The topic configuration that a broker should show, for a replication factor."""
        return self.settings | {"min.insync.replicas": _in_sync(replication)}


def _in_sync(replication: int) -> Setting:
    if replication < 3:
        return Setting("1", "with fewer than 3 replicas a second one would stop every write")
    return Setting("2", "an acknowledged checkpoint survives the loss of one broker")


_APPEND_TIME = Setting(
    "LogAppendTime",
    "event time is proved by the broker's clock; a producer's stamp can lie or be late",
)
_LARGEST = Setting(str(MAX_RECORD_BYTES), "a message of 1 MiB must fit with its key and headers")

_LARGEST_COPY = Setting(str(MAX_RECORD_BYTES + 4_096), "the original and a header with its place")


def _kept(days: int, why: str) -> dict[str, Setting]:
    return {
        "cleanup.policy": Setting("delete", "every message counts, not only the last of its key"),
        "retention.ms": Setting(str(days * _DAY_MS), why),
        "message.timestamp.type": _APPEND_TIME,
        "max.message.bytes": _LARGEST,
    }


def _input(stem: str, message: type[Message], purpose: str, *, days: int = 14) -> TopicSpec:
    why = f"{days} days bound how long a worker may be away, and how long patient data lies here"
    return TopicSpec(
        stem=stem,
        direction="in",
        message=message,
        key="site",
        purpose=purpose,
        settings=_kept(days, why),
    )


def _output(
    stem: str,
    message: type[Message] | None,
    purpose: str,
    *,
    days: int,
    why: str,
    key: str = "site",
) -> TopicSpec:
    return TopicSpec(
        stem=stem,
        direction="out",
        message=message,
        key=key,
        purpose=purpose,
        settings=_kept(days, why),
    )


INPUTS = (
    _input("studies", Study, "Studies as they become available; an upsert may come again."),
    _input("predictions", Prediction, "What the models said, or why they said nothing."),
    _input("reports", Report, "Radiologists' reports: labels, and feedback on the AI."),
    _input("commands", Command, "What people do to incidents.", days=90),
)

OUTPUTS = (
    _output(
        "incidents",
        Incident,
        "One message per transition of an incident; consumers order them by `seq`.",
        days=400,
        why="a yearly review can read every incident of the year",
    ),
    _output(
        "outcomes",
        Outcome,
        "What became of each study and expected model.",
        days=90,
        why="a quarter of outcomes for service reports",
    ),
    _output(
        "series",
        SeriesPoint,
        "Blocks of observations of every watched series.",
        days=400,
        why="a change can be drawn against the same season of last year",
    ),
    _output(
        "notifications",
        Notification,
        "The outbox: who is to be told what; decided, not yet sent.",
        days=30,
        why="a receiver that was away for weeks is still told",
    ),
    _output(
        "replies",
        Reply,
        "What became of each command: carried out, or why not.",
        days=90,
        why="as long as the commands themselves",
    ),
    _output(
        "deadletters",
        DeadLetter,
        "Messages that could not be taken: where they lie and what is wrong, never the value.",
        days=30,
        why="longer than the inputs keep the message itself",
        key="site, or none where it could not be read",
    ),
)

_COMPACTED = {
    "cleanup.policy": Setting("compact", "the last value of every record is the state"),
    "min.cleanable.dirty.ratio": Setting("0.1", "a restore reads everything not yet compacted"),
    "segment.ms": Setting(str(_HOUR_MS), "only closed segments are compacted"),
    "min.compaction.lag.ms": Setting("0", "nobody needs an overwritten record"),
    "max.compaction.lag.ms": Setting(
        str(_DAY_MS), "what was forgotten is gone from disk within about a day"
    ),
    "delete.retention.ms": Setting(
        str(_DAY_MS), "a restore that runs meanwhile still meets every tombstone"
    ),
    "message.timestamp.type": _APPEND_TIME,
    "max.message.bytes": _LARGEST,
}
STATE = TopicSpec(
    stem="state",
    direction="internal",
    message=None,
    key="the state record",
    purpose="The shards' state: one small record per study, series and incident.",
    settings=_COMPACTED,
)
NOTIFIED = TopicSpec(
    stem="notified",
    direction="internal",
    message=None,
    key="the receiver and what it was told of",
    purpose="What was sent, and where it stands at the receiver: written after success.",
    settings=_COMPACTED,
)


def keyed(source: TopicSpec) -> TopicSpec:
    """The copy of an input, keyed by site, that the re-keying agent writes.

    >>> keyed(INPUTS[0]).name("radvigil")
    'radvigil.studies.keyed.v1'
    """
    return TopicSpec(
        stem=f"{source.stem}.keyed",
        direction="internal",
        message=source.message,
        key="site",
        purpose=f"The {source.stem} of producers that cannot key by site, re-keyed. A record with "
        "the header radvigil-control is none: it says which of them were deleted before.",
        settings=source.settings | {"max.message.bytes": _LARGEST_COPY},
    )


def topics_of(config: Config) -> tuple[TopicSpec, ...]:
    """The topics that a deployment uses: re-keyed copies only of the inputs that ask for it."""
    copies = tuple(keyed(spec) for spec in INPUTS if getattr(config.topics, spec.stem).rekey)
    return (*INPUTS, *copies, *OUTPUTS, STATE, NOTIFIED)

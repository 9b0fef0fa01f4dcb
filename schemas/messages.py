"""The wire types by the part they play, and by the tag that their `type` field carries."""

from msgspec import Struct

from schemas.command import Command
from schemas.deadletter import DeadLetter
from schemas.incident import Incident
from schemas.notification import Notification
from schemas.outcome import Outcome
from schemas.prediction import Prediction
from schemas.reply import Reply
from schemas.report import Report
from schemas.series import SeriesPoint
from schemas.study import Study

Event = Study | Prediction | Report | Command
Effect = Outcome | Incident | SeriesPoint | Notification | Reply
Message = Event | Effect | DeadLetter

EVENTS: tuple[type[Event], ...] = (Study, Prediction, Report, Command)
EFFECTS: tuple[type[Effect], ...] = (Outcome, Incident, SeriesPoint, Notification, Reply)
MESSAGES: tuple[type[Message], ...] = (*EVENTS, *EFFECTS, DeadLetter)


def tag(message: type[Struct]) -> str:
    """The value of a wire type's `type` field, which is also its CloudEvents type.

    >>> tag(Study)
    'radvigil.study.v1'
    """
    return str(message.__struct_config__.tag)


BY_TAG: dict[str, type[Message]] = {tag(message): message for message in MESSAGES}

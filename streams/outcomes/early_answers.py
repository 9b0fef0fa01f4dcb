"""Answers that come before their study wait for it: what the study is, is not known yet."""

from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from streams.clock import seconds_to_us
from streams.outcomes.waiting_room import Key, WaitingRoom

_WAITING_US = seconds_to_us(86_400)
_WAITING_PER_SITE = 10_000
_ANSWERS_PER_STUDY = 64


class Answer(Struct, frozen=True, gc=False):
    """What is to be remembered of an answer."""

    study: str
    model: str
    version: str
    at_us: int
    counts: bool


class Early(Struct, omit_defaults=True):
    """The answers for one study that has not come."""

    site: str
    study: str
    arrived_us: int
    answers: list[Answer] = field(default_factory=list)

    @property
    def key(self) -> Key:
        """Site and study."""
        return self.site, self.study


class EarlyAnswers:
    """The early answers of one shard; each waits a day at most."""

    def __init__(self, dropped: Counter[str]) -> None:
        self._room: WaitingRoom[Early] = WaitingRoom(
            "early_answers", _WAITING_US, _WAITING_PER_SITE, dropped
        )

    def wait(self, site: str, answer: Answer, now_us: int) -> None:
        """Let an answer wait that arrives now."""
        early = self._room.find((site, answer.study), now_us)
        if early is None:
            early = Early(site, answer.study, now_us)
            self._room.wait(early)
        if len(early.answers) < _ANSWERS_PER_STUDY:
            early.answers.append(answer)
            self._room.touch(early)

    def of(self, site: str, study: str, now_us: int) -> list[Answer]:
        """Those that waited for this study; they wait no more."""
        early = self._room.find((site, study), now_us)
        if early is None:
            return []
        self._room.leave(early)
        return early.answers

    def changes(self) -> Iterator[tuple[Key, Early | None]]:
        """What changed since the last call; None for those who left."""
        return self._room.changes()

    def restore(self, records: Iterable[Early]) -> None:
        """Take up those of a checkpoint."""
        self._room.restore(records)

    def __len__(self) -> int:
        return len(self._room)

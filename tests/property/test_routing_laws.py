"""Laws of routing that hold for every history of incidents, silences and restarts."""

from collections import defaultdict
from itertools import pairwise
from random import Random
from typing import NamedTuple

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from schemas.config import Config
from schemas.incident import Incident
from schemas.notification import Notification
from schemas.routing import Escalation, Log, Route
from schemas.site import Maintenance, SiteSettings
from tests.unit.routing_desk import Desk, at, command, incident, seconds, us

INTERVAL_S = 300.0
# Shrinking histories takes minutes: one that fails is told as it was found.
LAW = settings(
    max_examples=300, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
LATER_S = 10_000.0
_ROUTES = [
    Route(
        receivers=["pager"],
        match={"severity": ["critical"]},
        continue_=True,
        repeat_s=2000,
        escalate=[Escalation(after_s=700, receivers=["lead"])],
    ),
    Route(receivers=["oncall"], match={"site": ["north"]}, storm_n=3, repeat_s=3000),
    Route(receivers=["oncall", "quiet"], group_by=("site",), storm_n=2),
]
_RECEIVERS = [
    Log(name="pager"),
    Log(name="oncall"),
    Log(name="lead"),
    Log(name="quiet", send_resolved=False, min_severity="error"),
]
_WINDOW = Maintenance(cron="20 * * * *", minutes=10)
CONFIG = Config(
    receivers=list(_RECEIVERS),
    routes=_ROUTES,
    sites=[SiteSettings(name="south", maintenance=[_WINDOW])],
)


class Move(NamedTuple):
    """An incident moves to a state."""

    name: str
    state: str
    severity: str
    reason: str
    early_s: int


class Mute(NamedTuple):
    """A silence or an announced maintenance begins."""

    action: str
    site: str
    kind: str
    for_s: int


class Unmute(NamedTuple):
    """The silence of that place in the history ends."""

    place: int


class Burst(NamedTuple):
    """Many incidents move to a state at once."""

    moves: tuple[Move, ...]


Step = tuple[int, Move | Mute | Unmute | Burst]
_KINDS = {"s": "silence", "m": "monitor_stale", "f": "flapping"}
_NAMES = (
    *(f"{letter}{site}" for letter in "abcdef" for site in "ns"),
    *("sn", "sn", "sn", "mr", "mr"),
)
_STATES = ("pending", "open", "open", "acknowledged", "resolving", "resolved", "closed")
_REASONS = ("updated", "changed_again", "noted", "recurred")


def histories(early_s: int) -> st.SearchStrategy[list[Step]]:
    """Histories in which the date of a transition is at most so far from proved time."""
    move = st.builds(
        Move,
        st.sampled_from(_NAMES),
        st.sampled_from(_STATES),
        st.sampled_from(("critical", "error", "error", "warning")),
        st.sampled_from(_REASONS),
        st.integers(-early_s, early_s),
    )
    mute = st.builds(
        Mute,
        st.sampled_from(("silence", "maintain")),
        st.sampled_from(("north", "south")),
        st.sampled_from(("*", "missing_*", "silence")),
        st.integers(1, 2000),
    )
    burst = st.builds(
        lambda state, severity: Burst(
            tuple(Move(f"{letter}n", state, severity, "updated", 0) for letter in "abcdef")
        ),
        st.sampled_from(("open", "open", "resolved")),
        st.sampled_from(("error", "error", "critical")),
    )
    unmute = st.builds(Unmute, st.integers(0, 5))
    step = st.one_of(move, move, move, move, burst, mute, unmute)
    pause = st.sampled_from((0, 1, 7, 29, 31, 299, 301, 900)) | st.integers(0, 2000)
    return st.lists(st.tuples(pause, step), max_size=30)


class World:
    """A history told to routing, and what its oracle needs to know of it."""

    def __init__(self, chop: Random | None = None) -> None:
        self.desk = Desk(settings=CONFIG)
        self.newest: dict[str, Incident] = {}
        self.silences: list[tuple[str, str, float, float]] = []
        self.now_s = 0.0
        self.calm_since_s = 0.0
        self.since_s: dict[str, float] = {}
        self._chop = chop

    def play(self, history: list[Step]) -> "World":
        for pause_s, what in history:
            self.pass_until(self.now_s + pause_s)
            match what:
                case Move():
                    self._move(what)
                case Burst():
                    for move in what.moves:
                        self._move(move)
                case Mute():
                    self._mute(what)
                case Unmute():
                    self._unmute(what)
        return self

    def pass_until(self, then_s: float) -> None:
        if self._chop is not None:
            cuts = sorted(self._chop.uniform(self.now_s, then_s) for _ in range(3))
            for cut_s in cuts:
                self.desk.waits(cut_s)
                if self._chop.random() < 0.5:
                    self.desk.restart()
        self.desk.waits(then_s)
        self.now_s = then_s

    def _move(self, move: Move) -> None:
        before = self.newest.get(move.name)
        if before is not None and before.state == "closed":
            return
        state = move.state
        if before is not None and before.state != "pending" and state == "pending":
            state = "open"  # what has opened is never pending again
        transition = incident(
            move.name,
            1 if before is None else before.seq + 1,
            self.now_s + move.early_s,
            state=state,
            severity=move.severity,
            reason=move.reason,
            kind=_KINDS.get(move.name[0], "missing_output"),
            site={"n": "north", "s": "south", "r": "radvigil"}[move.name[1]],
            model=None if move.name[0] in _KINDS else move.name[0],
            folded_into="fn" if move.name == "an" else None,
        )
        self.newest[move.name] = transition
        if before is None or before.state != state:
            self.since_s[move.name] = self.now_s
        if move.name[0] in _KINDS:
            self.calm_since_s = self.now_s
        self.desk._said(self.desk.routing.incident(transition, us(self.now_s + move.early_s)))

    def _mute(self, mute: Mute) -> None:
        until_s = self.now_s + mute.for_s
        given = command(
            mute.action,
            self.now_s,
            command_id=f"c{len(self.silences)}",
            site=mute.site,
            matchers={"kind": mute.kind},
            until=at(until_s),
        )
        assert self.desk.routing.command(given, us(self.now_s)) == "ok"
        self.silences.append((mute.site, mute.kind, self.now_s, until_s))

    def _unmute(self, unmute: Unmute) -> None:
        if unmute.place >= len(self.silences):
            return
        site, kind, since_s, until_s = self.silences[unmute.place]
        text = f"c{unmute.place}"
        given = command("unsilence", self.now_s, site=site, matchers={"site": site}, text=text)
        answer = self.desk.routing.command(given, us(self.now_s))
        assert answer == ("ok" if until_s > self.now_s else "unknown_silence")
        if answer == "ok":
            self.silences[unmute.place] = (site, kind, since_s, self.now_s)


def singly(world: World) -> list[Notification]:
    """What was told of single incidents: the key of everything else is a digest's."""
    return [one for one in world.desk.told if one.key in world.newest]


@given(histories(early_s=600), st.randoms(use_true_random=False))
@LAW
def test_however_time_is_cut_and_whenever_it_restarts_the_same_is_told(
    history: list[Step], chop: Random
) -> None:
    whole, cut = World().play(history), World(chop).play(history)
    whole.pass_until(whole.now_s + 5000)
    cut.pass_until(cut.now_s + 5000)
    assert sorted(cut.desk.suppressed()) == sorted(whole.desk.suppressed())
    whole.desk.checkpoint()
    cut.desk.checkpoint()

    assert cut.desk.told == whole.desk.told
    assert cut.desk.log == whole.desk.log


@given(histories(early_s=600))
@LAW
def test_each_message_is_begun_counted_and_ended(history: list[Step]) -> None:
    world = World().play(history)
    world.pass_until(world.now_s + LATER_S)

    messages: dict[tuple[str, str], list[Notification]] = defaultdict(list)
    for one in world.desk.told:
        messages[one.receiver, one.key].append(one)
    for told in messages.values():
        assert [one.number for one in told] == [*range(1, len(told) + 1)]
        assert told[0].action == "open"
        for before, after in pairwise(told):
            ended = before.action == "resolve" or not _wants_ends(before.receiver)
            assert after.action != "open" or ended
            assert before.action != "resolve" or after.action == "open"
            assert before.at <= after.at
    ids = [one.notification for one in world.desk.told]
    assert len(ids) == len(set(ids))


@given(histories(early_s=600))
@LAW
def test_nobody_is_told_the_same_twice(history: list[Step]) -> None:
    world = World().play(history)
    world.pass_until(world.now_s + LATER_S)

    told = [
        (one.receiver, one.key, one.incidents[0].seq, one.why)
        for one in singly(world)
        if one.why != "repeated"
    ]
    assert len(told) == len(set(told))
    assert all(each.state != "pending" for one in singly(world) for each in one.incidents)


@given(histories(early_s=600))
@LAW
def test_who_was_told_is_told_the_end_and_nobody_else(history: list[Step]) -> None:
    world = World().play(history)
    world.pass_until(world.now_s + LATER_S)

    last: dict[tuple[str, str], str] = {}
    for one in world.desk.told:
        last[one.receiver, one.key] = one.action
        if one.action == "resolve":
            assert {each.state for each in one.incidents} <= {"resolved", "closed"}
    for (receiver, key), action in last.items():
        newest = world.newest.get(key)
        if newest is not None and newest.state in ("resolved", "closed"):
            assert action == "resolve" or not _wants_ends(receiver)
    if all(each.state in ("resolved", "closed") for each in world.newest.values()):
        assert all(action == "resolve" or not _wants_ends(who) for (who, _), action in last.items())


@given(histories(early_s=0))
@LAW
def test_a_silence_is_kept(history: list[Step]) -> None:
    world = World().play(history)
    world.pass_until(world.now_s + LATER_S)

    for one in singly(world):
        if one.action == "resolve":
            continue
        at_s, told = seconds(one.at), one.incidents[0]
        for site, kind, since_s, until_s in world.silences:
            matched = site == told.site and kind in ("*", told.kind, f"{told.kind[:8]}*")
            assert not (matched and since_s < at_s < until_s)
        if told.site == "south":
            assert not 20 * 60 <= at_s % 3600 < 30 * 60


@given(histories(early_s=0))
@LAW
def test_what_is_open_is_told_within_the_interval(history: list[Step]) -> None:
    world = World()
    for step in history:
        world.play([step])
        _nothing_is_lost(world)
    for _ in range(5):
        world.pass_until(world.now_s + 617)
        _nothing_is_lost(world)


def _nothing_is_lost(world: World) -> None:
    heard: dict[str, set[str]] = defaultdict(set)
    for one in world.desk.told:
        for each in one.incidents:
            if one.action == "resolve":
                heard[each.incident].discard(one.receiver)
            else:
                heard[each.incident].add(one.receiver)
    suppressed = {name for name, why, _ in world.desk.suppressed() if why != "storm"}
    ends = [until_s for *_, until_s in world.silences if until_s <= world.now_s]
    for name, newest in world.newest.items():
        calm_s = world.now_s - max(world.calm_since_s, world.since_s[name], *ends)
        near_window = newest.site == "south" and world.now_s % 3600 <= 2200
        waits = newest.state != "open" or name in suppressed or near_window
        if not waits and calm_s > INTERVAL_S + 31:
            assert "oncall" in heard[name], (name, newest.state, calm_s)


def _wants_ends(receiver: str) -> bool:
    return receiver != "quiet"

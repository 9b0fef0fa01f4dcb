"""The account of the promise: parts add up, paces and delays are right, nothing is overspent."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from detectors.votes import VOTES
from schemas.config import Budget as Promise
from schemas.config import Config, Model, Outage, Reference, Watch
from schemas.incident import Evidence, Incident
from schemas.oversight import OffLabel, Oversight
from schemas.study import Study
from streams import state
from streams.account import ShardPart, Statement, shard_part, spent, statement
from streams.budget import Account, Budget
from streams.series.account import SeriesAccount, delay_n, slowest
from tests.unit.builders import START, Shard, at, config

NOW = START + timedelta(days=40)
MINUTE_S = 60.0


def granted(settings: Config, paces: Sequence[Sequence[float]]) -> list[ShardPart]:
    """A shard for every site, with series of these paces."""
    parts = []
    for number, of_site in enumerate(paces):
        site, budget = f"site-{number}", Budget(settings)
        series = [
            SeriesAccount(
                site=site,
                model=None,
                subject=f"s-{place}",
                standing="watching",
                per_day=per_day,
                reference_n=2_000,
                days=(days := budget.grant(site)),
                part=settings.budget.per_days / days,
            )
            for place, per_day in enumerate(of_site)
        ]
        parts.append(ShardPart(None, {site: len(of_site)}, series))
    return parts


def stated(settings: Config, parts: Sequence[ShardPart]) -> Statement:
    return statement(settings, parts, [], NOW)


class TestPromise:
    @given(
        st.floats(0.01, 1_000),
        st.floats(0.5, 3_000),
        st.integers(1, 12),
        st.lists(st.lists(st.floats(0.01, 1e5), max_size=80), max_size=15),
    )
    def test_all_parts_together_are_at_most_the_promise(
        self, n: float, days: float, shared: int, paces: list[list[float]]
    ) -> None:
        settings = Config(budget=Promise(false_incidents=n, per_days=days, sites=shared))

        account = stated(settings, granted(settings, paces))

        parts = sum(one.part for one in account.series)
        assert parts <= account.given * (1 + 1e-9)
        assert account.of_series == pytest.approx(parts)
        assert account.given <= account.could_reach * (1 + 1e-9)
        assert account.sites_beyond == max(0, len(paces) - shared)
        if account.sites_beyond == 0:
            assert account.given <= n * (1 + 1e-9)
            assert account.could_reach == pytest.approx(n)
            assert account.warnings == []
        else:
            assert "more than the" in account.warnings[0]

    def test_sites_beyond_those_it_was_shared_by_are_told(self) -> None:
        settings = Config(budget=Promise(sites=2))

        account = stated(settings, granted(settings, [[100.0]] * 3))

        assert (account.sites_shared, account.sites_seen, account.sites_beyond) == (2, 3, 1)
        assert account.could_reach == pytest.approx(1.5)
        assert account.warnings == [
            "3 sites were seen, 1 more than the 2 that the promise was shared by: up to 1.5 false "
            "incidents in 30 days. Set budget.sites; series that are already watched keep their "
            "share"
        ]

    def test_a_series_that_can_promise_nothing_has_no_part_and_is_told(self) -> None:
        settings = Config(budget=Promise(sites=1))
        one = SeriesAccount("north", None, "s", "watching", 1.0, 500, notes=("not_promised",))

        account = stated(settings, [ShardPart(None, {"north": 0}, [one])])

        assert (account.given, account.of_series, account.sites[0].not_promised) == (0, 0, 1)

    def test_shares_of_others_than_series_are_given_away_as_well(self) -> None:
        settings = Config(budget=Promise(sites=1))

        account = stated(settings, [ShardPart(None, {"north": 16}, [])])

        assert (account.given, account.of_series) == (pytest.approx(0.5), 0)


class TestDelay:
    @pytest.mark.parametrize(
        ("arl", "shift_sd", "measured"),  # the slower of MeanSR and ADWIN, reference of 2,000
        [
            (1e5, 0.5, 85),
            (1e5, 1, 27),
            (1e7, 0.5, 129),
            (1e7, 1, 38),
            (3e8, 0.5, 163),
            (3e8, 1, 46),
        ],
    )
    def test_it_is_about_what_was_measured(
        self, arl: float, shift_sd: float, measured: float
    ) -> None:
        assert delay_n(arl, shift_sd) == pytest.approx(measured, rel=0.15)
        assert measured < 1.1 * delay_n(arl, shift_sd)


WATCHING = Config(
    reference=Reference(observations=100, max_days=60),
    watch=Watch(include=("acquisition.kvp",)),
    budget=Promise(sites=1),
)


class Kvp:
    """A scanner's kvp once a minute, and the account of the shard that watches it."""

    def __init__(self) -> None:
        self.shard = Shard(WATCHING)
        self.random = Random(1)
        self.n = 0

    def feed(self, n: int, level: float = 80, every_s: float = MINUTE_S) -> "Kvp":
        for _ in range(n):
            at_s = self.n * every_s
            kvp = self.random.gauss(level, 5)
            self.shard.send(
                Study(
                    site="north",
                    study=f"s-{self.n}",
                    at=at(at_s),
                    modality="DX",
                    acquisition={"kvp": kvp},
                )
            )
            self.n += 1
        return self

    def account(self) -> tuple[Statement, SeriesAccount]:
        self.shard.checkpoint()
        told = stated(WATCHING, [shard_part(WATCHING, self.shard.log.items())])
        (one,) = [one for one in told.series if one.subject == "acquisition.kvp"]
        return told, one


class TestSeries:
    def test_one_that_learns_says_how_far_it_is_and_when_it_is_ready(self) -> None:
        told, one = Kvp().feed(40).account()

        assert (one.standing, one.reference_n, one.needed_n) == ("learning", 40, 100)
        assert one.per_day == pytest.approx(1440)
        assert one.ready_in_days == pytest.approx(60 / 1440)
        assert (one.days, one.part, one.delays) == (None, 0, ())
        (site,) = told.sites
        assert (site.learning, site.learning_n, site.needed_n, site.given) == (1, 40, 100, 0)

    def test_a_rare_one_is_ready_by_age_with_fifty(self) -> None:
        _, one = Kvp().feed(20, every_s=2 * 86_400).account()

        assert one.ready_in_days == pytest.approx(30 * 2)  # to fifty; 60 days of age come before

    def test_of_a_first_observation_nothing_can_be_said(self) -> None:
        _, one = Kvp().feed(1).account()

        assert (one.per_day, one.ready_in_days) == (None, None)

    def test_where_days_may_have_levels_of_their_own_it_takes_a_little_longer(self) -> None:
        """Of days that are over there are three: they are taken to differ by little."""
        _, one = Kvp().feed(600, every_s=600).account()

        half, _ = one.delays
        independent_n = delay_n(30 * 32 * 144 / max(VOTES.values()), 0.5)
        assert 1.01 * independent_n < half.observations < 1.4 * independent_n

    def test_one_that_is_watched_has_its_part_and_its_delays(self) -> None:
        told, one = Kvp().feed(300).account()

        assert (one.standing, one.reference_n, one.needed_n) == ("watching", 100, None)
        assert one.days == pytest.approx(30 * 32)
        assert one.part == pytest.approx(1 / 32)
        half, whole = one.delays
        arl = 30 * 32 * 1440 / max(VOTES.values())
        assert half.observations == pytest.approx(delay_n(arl, 0.5), rel=0.01)
        assert half.hours == pytest.approx(half.observations / 60, rel=0.01)
        assert whole.observations < half.observations
        assert told.sites[0].watching == told.sites[0].shares_given
        assert told.proved_until is not None

    def test_one_that_moved_is_away_and_stays_so_with_its_new_level(self) -> None:
        kvp = Kvp().feed(200).feed(40, level=120)
        _, relearning = kvp.account()
        _, again = kvp.feed(200, level=120).account()

        assert (relearning.standing, relearning.delays) == ("away", ())
        assert again.standing == "away"
        assert len(again.delays) == 2

    def test_the_pace_falls_when_nothing_comes(self) -> None:
        kvp = Kvp().feed(240)
        _, before = kvp.account()
        kvp.shard.proved(240 * MINUTE_S * 4)
        _, after = kvp.account()

        assert before.per_day == pytest.approx(1440)
        assert after.per_day is not None
        assert after.per_day < 1440 / 3

    def test_the_slowest_come_first(self) -> None:
        _, one = Kvp().feed(300).account()
        half, whole = one.delays
        slow = SeriesAccount(
            "north",
            None,
            "slow",
            "watching",
            1.0,
            500,
            delays=(type(half)(0.5, half.observations, 1e6), whole),
        )
        learns = SeriesAccount("north", None, "learns", "learning", 1.0, 5, needed_n=9)

        assert slowest([one, learns, slow]) == [slow, one]

    def test_what_a_later_version_wrote_is_refused(self) -> None:
        with pytest.raises(state.UnreadableState):
            shard_part(WATCHING, [(b'["series/99"]', b"")])

    def test_an_account_is_read_from_the_state(self) -> None:
        key, value = state.write("account/1", ["north"], Account("north", 3))
        assert value is not None

        part = shard_part(WATCHING, [(key, value)])

        assert part == ShardPart(None, {"north": 3}, [])


def told(name: str, seq: int, state_: str, reason: str, day: float = 35, **more: str) -> Incident:
    opened = START + timedelta(days=day)
    plain = {"kind": "input_drift", "severity": "warning", "site": "north", "title": "moved"}
    return Incident(
        **plain | more,  # type: ignore[arg-type]
        incident=name,
        seq=seq,
        fingerprint=name,
        state=state_,  # type: ignore[arg-type]
        reason=reason,  # type: ignore[arg-type]
        opened_at=opened,
        last_seen=opened,
        at=opened,
        evidence=Evidence(),
    )


class TestSpent:
    def test_how_they_ended_is_counted(self) -> None:
        found = spent(
            Config(),
            [
                told("back", 1, "open", "opened"),
                told("back", 2, "resolving", "returned"),
                told("back", 3, "resolved", "recovered"),
                told("back", 4, "resolved", "noted"),
                told("back", 5, "closed", "retired"),
                told("accepted", 1, "open", "opened"),
                told("accepted", 2, "resolved", "accepted"),
                told("hand", 1, "open", "opened", kind="output_drift"),
                told("hand", 2, "resolved", "resolved_by_hand", kind="output_drift"),
                told("live", 1, "open", "opened"),
                told("live", 2, "resolving", "returned"),
            ],
            NOW,
        )

        assert (found.opened, found.went_back, found.by_person, found.live) == (4, 1, 2, 1)
        assert found.by_kind == {"input_drift": 3, "output_drift": 1}

    def test_a_repeated_transition_changes_nothing(self) -> None:
        opened = told("one", 1, "open", "opened")
        over = told("one", 2, "resolved", "accepted")

        assert spent(Config(), [opened, over, opened], NOW).by_person == 1

    def test_only_the_period_counts(self) -> None:
        days = (9.9, 10.1, 40, 40.1)
        opened = [told(f"i-{day}", 1, "open", "opened", day) for day in days]

        assert spent(Config(), opened, NOW).opened == 2

    def test_an_outage_counts_where_its_policy_has_a_share(self) -> None:
        ptx = Model(name="ptx", missing=Outage(policy="every"), failed=Outage(policy="rate"))
        incidents = [
            told("m", 1, "open", "opened", kind="missing_output", model="ptx"),
            told("f", 1, "open", "opened", kind="failed_output", model="ptx"),
            told("l", 1, "open", "opened", kind="latency", model="ptx"),
            told("x", 1, "open", "opened", kind="latency", model="unknown"),
            told("c", 1, "open", "opened", kind="clock_skew"),
        ]

        assert spent(config([ptx]), incidents, NOW).by_kind == {"failed_output": 1, "latency": 1}

    def test_monitors_that_have_a_share_count_and_what_needs_none_does_not(self) -> None:
        bets = ("silence", "partial_silence", "subgroup_gap", "version_disagreement", "off_label")
        incidents = [told(kind, 1, "open", "opened", kind=kind) for kind in bets]
        quality = told("stuck", 1, "open", "opened", kind="data_quality")
        stuck = replace(quality, evidence=Evidence(detector="repeats"))
        missing = replace(quality, incident="m", evidence=Evidence(detector="cat_sr"))
        not_promised = replace(missing, incident="n", severity="info")
        impossible = replace(quality, incident="i", evidence=Evidence(detector="limits"))
        unasked = [
            told(kind, 1, "open", "opened", kind=kind) for kind in ("version_change", "clock_skew")
        ]
        of_quality = [stuck, missing, not_promised, impossible]
        found = spent(Config(), [*incidents, *of_quality, *unasked], NOW)

        assert found.by_kind == dict.fromkeys(sorted(bets), 1) | {"data_quality": 2}

        none_tolerated = Oversight(off_label=OffLabel(tolerated_share=0))
        found = spent(Config(oversight=none_tolerated), incidents, NOW)

        assert "off_label" not in found.by_kind

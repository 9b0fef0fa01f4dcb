"""What the monitor says of its own eyes: wrong clocks, and being behind."""

import pytest

from schemas.config import Clock
from streams.finding import MONITOR_SITE
from tests.unit.builders import (
    Shard,
    command,
    config,
    outcomes,
    prediction,
    seconds,
    story,
    study,
    us,
)


class TestWrongClocks:
    def test_wild_stamps_are_one_incident_of_their_site_and_feed(self) -> None:
        north = Shard()
        for number in range(5):
            north.send(study(f"s{number}", 1e6), arrived_s=number)
        north.send(prediction("s0", 1e6), arrived_s=6)

        skews = north.incidents("clock_skew")
        assert [(i.site, i.subject, i.reason) for i in skews] == [
            ("north", "studies", "opened"),
            ("north", "predictions", "opened"),
        ]
        assert skews[0].evidence.statistic == 1e6
        assert "11.6 days in the future" in skews[0].title

    def test_a_good_stamp_ends_it_after_five_minutes_without_a_wild_one(self) -> None:
        north = Shard()

        north.send(study("a", 1e6), arrived_s=0)
        north.send(study("b", 299))
        still_open = story(north.incidents("clock_skew"))
        north.send(study("c", 300))
        north.proved(300)

        assert still_open == ["open: opened @0"]
        assert [i.title.split(":")[0] for i in north.incidents("clock_skew")] == [
            "A clock at north is wrong",
            "A clock at north was wrong",
            "A clock at north was wrong",
        ]
        assert story(north.incidents("clock_skew"))[1:] == [
            "resolving: recovering @300",
            "resolved: recovered @300",
        ]

    def test_wild_stamps_among_good_ones_are_one_incident_and_do_not_flap(self) -> None:
        north = Shard()
        for second in range(0, 200, 2):
            north.send(study(f"wild-{second}", 1e6), arrived_s=second)
            north.send(study(f"good-{second}", second + 1))

        assert {i.state for i in north.incidents("clock_skew")} == {"open"}
        assert {i.seq for i in north.incidents("clock_skew")} == {1}

    def test_silence_after_a_wild_stamp_ends_nothing(self) -> None:
        north = Shard()
        north.send(study("a", 1e6), arrived_s=0)

        north.proved(1e6)

        assert [i.state for i in north.incidents("clock_skew")] == ["open"]

    def test_a_good_stamp_of_another_feed_says_nothing_of_this_one(self) -> None:
        north = Shard()
        north.send(study("a", 1e6), arrived_s=0)

        north.send(prediction("a", 10), study("b", 10, site="south"))

        assert [i.state for i in north.incidents("clock_skew")] == ["open"]

    def test_it_is_known_after_a_restart_and_counted_anew_after_its_end(self) -> None:
        north = Shard()
        north.send(study("a", 1e6), study("b", 1e6), arrived_s=0)
        north.restart()
        north.send(study("c", 310))
        north.proved(310)
        north.restart()

        north.send(study("d", 1e6), arrived_s=400)

        last = north.incidents("clock_skew")[-1]
        assert (last.reason, last.seq, last.evidence.affected_count) == ("reopened", 4, 1)

    @pytest.mark.parametrize("ahead_s", [-1e7, 0, 300])
    def test_old_and_slightly_early_stamps_are_no_wrong_clock(self, ahead_s: float) -> None:
        north = Shard()

        north.send(study("a", ahead_s), arrived_s=0)

        assert north.incidents("clock_skew") == []

    def test_a_wild_command_is_dated_by_its_arrival(self) -> None:
        north = Shard()
        north.send(study("a", 0))
        north.proved(100)

        north.send(command("acknowledge", at_s=1e6, matchers={"model": "ptx"}), arrived_s=170)

        assert story(north.incidents("missing_output"))[-1] == "acknowledged: acknowledged @170"


class TestBeingBehind:
    def behind(self, at_s: float) -> Shard:
        shard = Shard(config(clock=Clock(lateness_s=60, stale_after_s=300)))
        shard.send(study("a", 0))
        shard.said += shard.pipeline.observe_lag(us(at_s))
        return shard

    def test_it_is_told_once_it_is_more_than_allowed(self) -> None:
        assert self.behind(300).incidents("monitor_stale") == []
        (stale,) = self.behind(301).incidents("monitor_stale")

        assert (stale.site, stale.subject, stale.severity) == (MONITOR_SITE, "partition-0", "error")
        assert seconds(stale.opened_at) == 300

    def test_meanwhile_nothing_is_missing(self) -> None:
        shard = self.behind(100_000)

        assert outcomes(shard.said) == []

    def test_it_ends_when_the_promise_is_kept_again(self) -> None:
        shard = self.behind(1_000)

        shard.send(study("b", 990))
        shard.said += shard.pipeline.observe_lag(us(1_010))

        assert story(shard.incidents("monitor_stale")) == [
            "open: opened @1000",
            "resolving: recovering @1010",
            "resolved: recovered @1010",
        ]
        behind, *over = [i.title for i in shard.incidents("monitor_stale")]
        assert behind.startswith("The monitor is 17 min behind on partition 0; ")
        assert over == ["The monitor sees again on partition 0"] * 2

    def test_while_it_lasts_it_is_told_at_most_every_five_minutes(self) -> None:
        shard = self.behind(1_000)

        for now_s in range(1_001, 1_700, 10):
            shard.said += shard.pipeline.observe_lag(us(now_s))

        assert len(shard.incidents("monitor_stale")) == 3

    def test_a_shard_that_has_seen_nothing_is_not_behind(self) -> None:
        assert Shard().pipeline.observe_lag(us(1e6)) == []

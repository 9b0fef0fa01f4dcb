"""Whether a worker counts as ready."""

from streams.standing import SILENT_S, Standing


class Watch:
    """A clock that is set by hand."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def standing() -> tuple[Standing, Watch]:
    watch = Watch()
    return Standing(300.0, watch), watch


def test_nothing_restored_is_not_ready() -> None:
    told, _ = standing()

    assert told.obstacles() == [
        "no partition is restored: waiting for the broker or for an assignment"
    ]


def test_a_restored_partition_is_ready() -> None:
    told, _ = standing()

    told.restored(2, 0.1, 10)

    assert told.obstacles() == []
    assert told.partitions == [2]


def test_a_partition_far_behind_is_not_ready_and_recovers() -> None:
    told, _ = standing()
    told.restored(2, 0.1, 10)

    told.behind(2, 9000, 412.0, 0)
    behind = told.obstacles()
    told.behind(2, 0, 0.5, 0)

    assert behind == ["partition 2 is 412 s behind"]
    assert told.obstacles() == []


def test_silence_is_not_ready() -> None:
    told, watch = standing()
    told.restored(2, 0.1, 10)

    watch.now_s = SILENT_S + 1

    assert told.obstacles() == ["partition 2 has proved nothing for 31 s"]


def test_a_released_partition_says_nothing_any_more() -> None:
    told, _ = standing()
    told.restored(2, 0.1, 10)
    told.restored(3, 0.1, 10)

    told.released(3)
    told.behind(3, 0, 500.0, 0)

    assert told.partitions == [2]
    assert told.obstacles() == []

"""Charts as small as a word: paths without axes, for a cell of a table. Pure."""

from collections.abc import Sequence

from streams.web.charts import Scale
from streams.web.view_outcomes import Counts
from streams.web.view_series import Point


def spark(hours: Sequence[Counts]) -> tuple[str, str]:
    """A day in small bars, 1 wide and 10 high: the path of what came on time, and of the rest."""
    most = max((one.due for one in hours), default=0)
    if not most:
        return "", ""
    good, bad = [], []
    for index, one in enumerate(hours):
        if one.due:
            high = max(1, round(10 * one.due / most))
            wrong = min(high, -(-high * (one.due - one.on_time) // one.due))
            if high > wrong:
                good.append(f"M{index} 10v-{high - wrong}")
            if wrong:
                bad.append(f"M{index} {10 - high + wrong}v-{wrong}")
    return "".join(good), "".join(bad)


def trace(points: Sequence[Point]) -> str:
    """The newest means as a small path, 100 wide and 20 high."""
    means = [point.mean for point in points[-60:]]
    if len(means) < 2:
        return ""
    y = Scale(min(means), max(means), down=True)
    step = 100 / (len(means) - 1)
    return "M" + "L".join(
        f"{i * step:.3g} {1 + y(mean) * 0.18:.3g}" for i, mean in enumerate(means)
    )

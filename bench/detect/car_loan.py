"""Performance estimated without labels, where its assumption holds: PEERS.md, section 4, F."""

from collections.abc import Iterator

from bench.detect.table import ALWAYS, NEVER, OURS, Asked, Figure, Row, Table, with_peers
from bench.detect.venvs import ask

TITLE = "performance without labels, on NannyML's own data"


def table(asked: Asked) -> Table:
    """See TITLE."""
    ours = [Row(OURS, "does not estimate performance without reports", {})]
    rows, skipped = with_peers(asked, ours, [_nannyml])
    protocol = (
        "load_synthetic_car_loan_dataset, chunks of 5,000. Alerts right: as the thresholds on "
        "the performance that was realised would have it. Mean absolute error of the estimate, and "
        "of the reference's own value as an estimate."
    )
    return Table(TITLE, protocol, rows, skipped)


def _nannyml() -> Iterator[Row]:
    answer = ask("nannyml", {"table": "car loan"})
    told, truth = answer.pop("alerts"), answer.pop("truth")
    nothing: dict[str, Figure] = {}
    for who, setting, alerts, figures in (
        ("nannyml CBPE", "as shipped", told, answer),
        (ALWAYS, "", [True] * len(truth), nothing),
        (NEVER, "", [False] * len(truth), nothing),
    ):
        right = sum(alert == real for alert, real in zip(alerts, truth, strict=True))
        yield Row(who, setting, {"alerts right": f"{right}/{len(truth)}", **figures})

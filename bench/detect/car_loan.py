"""Performance estimated without labels, where its assumption holds: PEERS.md, section 4, F."""

from collections.abc import Iterator

from bench.detect.table import ALWAYS, NEVER, OURS, Asked, Row, Table, with_peers
from bench.detect.venvs import ask

TITLE = "performance without labels, on NannyML's own data"


def table(asked: Asked) -> Table:
    """See TITLE."""
    rows, skipped = with_peers(asked, [], [_nannyml])
    rows.append(Row(OURS, "does not estimate performance without reports", {}))
    rows.append(Row(ALWAYS, "", {"alerts right": "5/10"}))
    rows.append(Row(NEVER, "", {"alerts right": "5/10"}))
    protocol = (
        "load_synthetic_car_loan_dataset, chunks of 5,000, ten of them analysed. Mean absolute "
        "error of the estimate, and of the reference's own value as an estimate. Five of the ten "
        "chunks have really changed, as nannyml's thresholds on real performance say."
    )
    return Table(TITLE, protocol, rows, skipped)


def _nannyml() -> Iterator[Row]:
    yield Row("nannyml CBPE", "as shipped", ask("nannyml", {"table": "car loan"}))

"""radvigil beside its peers: a file for each table, `TITLE` and `table(asked)` in it."""

from bench.detect import (
    blindness,
    car_loan,
    discrepancies,
    fleet,
    honesty,
    labels,
    outage,
    rates,
    scanner,
    scores,
    shifts,
    silent,
    unlike,
    windows,
)

TABLES = {
    "A": windows,
    "B": honesty,
    "C": rates,
    "D": scores,
    "E": blindness,
    "F": car_loan,
    "G": discrepancies,
    "H": unlike,
    "I": scanner,
    "J": outage,
    "S2": shifts,
    "S3": fleet,
    "S6": silent,
    "S8": labels,
}

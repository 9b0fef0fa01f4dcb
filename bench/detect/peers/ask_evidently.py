"""Runs inside evidently's own environment: the default drift preset on windows of columns.

    ask_evidently.py ARRAYS.npz '{"numbers": 7}'

The first columns are numbers, the others words; the answer is how many columns drifted in each of
`windows` against `reference`.
"""

import json
import sys
import warnings

import numpy as np
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset


def frame(rows, numbers_n):
    columns = {f"n{i}": rows[:, i] for i in range(numbers_n)}
    columns |= {
        f"w{i}": [f"v{int(v)}" for v in rows[:, i]] for i in range(numbers_n, rows.shape[1])
    }
    return pd.DataFrame(columns)


def drifted(metrics):
    for metric in metrics:
        if "DriftedColumnsCount" in str(metric.get("metric_id", "")) + str(
            metric.get("metric_name", "")
        ):
            return int(metric["value"]["count"])
    raise KeyError("DriftedColumnsCount")


def main():
    warnings.simplefilter("ignore")
    arrays, job = np.load(sys.argv[1]), json.loads(sys.argv[2])
    reference = frame(arrays["reference"], job["numbers"])
    names = list(reference.columns)
    definition = DataDefinition(
        numerical_columns=names[: job["numbers"]], categorical_columns=names[job["numbers"] :]
    )
    ref = Dataset.from_pandas(reference, data_definition=definition)
    counts = []
    for window in arrays["windows"]:
        current = Dataset.from_pandas(frame(window, job["numbers"]), data_definition=definition)
        report = Report([DataDriftPreset()]).run(current, ref)
        counts.append(drifted(report.dict()["metrics"]))
    print(json.dumps(counts))


main()

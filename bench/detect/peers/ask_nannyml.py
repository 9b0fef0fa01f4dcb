"""Runs inside nannyml's own environment: CBPE on given studies, or on its own data set.

    ask_nannyml.py ARRAYS.npz '{"table": "cbpe", "chunk": 1000}'
    ask_nannyml.py ARRAYS.npz '{"table": "car loan"}'

`reference` and `seen` have truth, call and score in their columns.
"""

import json
import sys
import warnings

import nannyml
import numpy as np
import pandas as pd

METRICS = ["roc_auc", "recall"]


def estimated(reference, seen, chunk, metrics, **names):
    cbpe = nannyml.CBPE(
        problem_type="classification_binary", metrics=metrics, chunk_size=chunk, **names
    )
    cbpe.fit(reference)
    return cbpe.estimate(seen).filter(period="analysis").to_df()


def realised(reference, seen, chunk, metrics, **names):
    real = nannyml.PerformanceCalculator(
        problem_type="classification_binary", metrics=metrics, chunk_size=chunk, **names
    )
    real.fit(reference)
    return real.calculate(seen).filter(period="analysis").to_df()


def blindness(arrays, job):
    names = ("y", "yhat", "p")
    reference, seen = (pd.DataFrame(arrays[k], columns=names) for k in ("reference", "seen"))
    columns = {"y_true": "y", "y_pred": "yhat", "y_pred_proba": "p"}
    told = estimated(reference, seen, job["chunk"], METRICS, **columns)
    chunks = [seen[i : i + job["chunk"]] for i in range(0, len(seen), job["chunk"])]
    return {
        "alert": [
            bool(any(row)) for row in zip(*(told[(m, "alert")] for m in METRICS), strict=True)
        ],
        "estimated recall": told[("recall", "value")].tolist(),
        "real recall": [float(c.yhat[c.y == 1].mean()) for c in chunks],
    }


def car_loan():
    reference, seen, labels = nannyml.load_synthetic_car_loan_dataset()
    seen = seen.merge(labels, left_index=True, right_index=True)
    columns = {"y_true": "repaid", "y_pred": "y_pred", "y_pred_proba": "y_pred_proba"}
    metrics = ["roc_auc", "accuracy"]
    told = estimated(reference, seen, 5000, metrics, **columns)
    real = realised(reference, seen, 5000, metrics, **columns)
    alerts = told[("roc_auc", "alert")].astype(bool).tolist()
    truth = real[("roc_auc", "alert")].astype(bool).tolist()
    figures = {"alerts": alerts, "truth": truth}
    for metric in metrics:
        error = np.abs(told[(metric, "value")] - real[(metric, "value")])
        known = realised(reference, reference, 5000, [metric], **columns)
        constant = np.abs(known[(metric, "value")].mean() - real[(metric, "value")])
        figures[f"{metric} error"] = round(float(error.mean()), 4)
        figures[f"{metric}, constant"] = round(float(constant.mean()), 4)
    return figures


def main():
    warnings.simplefilter("ignore")
    job = json.loads(sys.argv[2])
    found = car_loan() if job["table"] == "car loan" else blindness(np.load(sys.argv[1]), job)
    print(json.dumps(found))


main()

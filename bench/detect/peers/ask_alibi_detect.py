"""Runs inside alibi-detect's own environment: CVMDriftOnline on streams of one number.

    ask_alibi_detect.py ARRAYS.npz '{"ert": 1000, "window_sizes": [20, 50]}'

One detector is configured on the first row of `references`; it begins anew with each row of
`control` and `changed`, and after each alarm. The answer is the places of the alarms.
"""

import contextlib
import io
import json
import sys

import numpy as np
from alibi_detect.cd import CVMDriftOnline


def alarms(detector, seen):
    reset = getattr(detector, "reset_state", None) or detector.reset
    reset()
    found = []
    for place, value in enumerate(seen):
        if detector.predict(np.array([value], np.float32))["data"]["is_drift"]:
            found.append(place)
            reset()
    return found


def main():
    arrays, job = np.load(sys.argv[1]), json.loads(sys.argv[2])
    np.random.seed(0)
    with contextlib.redirect_stdout(io.StringIO()):
        detector = CVMDriftOnline(
            arrays["references"][0].astype(np.float32),
            ert=job["ert"],
            window_sizes=job["window_sizes"],
            n_bootstraps=5000,
        )
        found = {
            name: [alarms(detector, row) for row in arrays[name]] for name in ("control", "changed")
        }
    print(json.dumps(found))


main()

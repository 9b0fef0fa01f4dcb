"""Runs inside river's own environment: detectors as shipped or set, on streams in control or not.

    ask_river.py ARRAYS.npz '{"detector": "ADWIN", "settings": {"delta": 0.1}}'

Each row of `seen` is watched by a new detector that was fed the row of `references`; the answer is
the places of all alarms in it. With `groups` each value goes to the detector of its group.
"""

import json
import sys

import numpy as np
from river import drift

KINDS = {
    "ADWIN": drift.ADWIN,
    "PageHinkley": drift.PageHinkley,
    "KSWIN": drift.KSWIN,
    "DDM": drift.binary.DDM,
    "EDDM": drift.binary.EDDM,
    "HDDM_A": drift.binary.HDDM_A,
}


def alarms(job, reference, seen):
    detector = KINDS[job["detector"]](**job["settings"])
    for value in reference:
        detector.update(value)
    found = []
    for place, value in enumerate(seen):
        detector.update(value)
        if detector.drift_detected:
            found.append(place)
    return found


def of_groups(job, groups_n, groups, seen):
    """The groups' alarms as pairs of place and group."""
    watched = [KINDS[job["detector"]](**job["settings"]) for _ in range(groups_n)]
    found = []
    for place, (group, value) in enumerate(zip(groups, seen, strict=True)):
        watched[group].update(value)
        if watched[group].drift_detected:
            found.append((place, group))
    return found


def main():
    arrays, job = np.load(sys.argv[1]), json.loads(sys.argv[2])
    seen = arrays["seen"].tolist()
    if "groups" in arrays:
        groups = arrays["groups"].tolist()
        n = int(arrays["groups"].max()) + 1
        found = [of_groups(job, n, g, s) for g, s in zip(groups, seen, strict=True)]
    else:
        references = arrays["references"].tolist()
        found = [alarms(job, r, s) for r, s in zip(references, seen, strict=True)]
    print(json.dumps(found))


main()

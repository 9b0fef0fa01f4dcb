"""The benchmarks, one after the other: `make bench` runs those that need only this repository.

`python -m bench NAME...` runs some of them; each is also a program of its own, and what follows
the names of benchmarks goes to the last of them: `python -m bench detect C I --quick`.
"""

import subprocess
import sys
from itertools import takewhile

BENCHES = {
    "pipeline": "the core alone: events a second, replay, restore, memory",
    "decoding": "what strict decoding costs over a bare decoder",
    "detect_cost": "a score and its votes, hot and over 20,000 series",
    "detect": "beside river, alibi-detect, evidently and nannyml: 14 tables (an hour; --quick)",
    "real_data": "eleven real streams, one configuration; shuffled copies (half an hour)",
    "calibration": "false alarms against the promise, and delays (minutes)",
    "promise": "a thousand series through the real Detect, ten worlds (half an hour; --quick)",
    "hospital": "a realistic hospital: false incidents, and planted faults (15 minutes; --short)",
    "silence": "false alarms of silence on held-out feeds, and delays (minutes)",
    "performance": "faults found from delayed, partial reports, and false alarms (minutes)",
    "performance_sensitivity": "how soon a lost sensitivity could be told at all",
    "slices": "one scanner of twelve: delay, name, groups, cost (minutes)",
    "subgroups": "a group in which more is missed: delay, bound, false alarms (minutes)",
    "slices_inputs": "inputs and features of one scanner of twelve: named, and nobody else?",
    "slices_alone": "one scanner's calls alone: what takes how long",
    "few_values": "numbers of few values: what a greater part for CatSR costs",
    "weekends": "series whose weekends differ: false alarms, with and without a week learnt",
    "days": "series whose days have levels of their own: how soon a shift is found (minutes)",
    "silence_table": "the thresholds of silence, computed anew: a simulated year of many feeds",
    "labeller": "the report labeller: confusion tables, reports a second",
    "ingest": "each translator of hospital standards: messages a second",
    "web": "the live page with 50 sites, 20 models and 10,000 incidents",
    "kafka": "a durable worker on a real Kafka (Java and Maven)",
}
ASKED_FOR = (
    *("detect", "real_data"),
    *("performance_sensitivity", "slices_inputs", "slices_alone", "few_values", "silence_table"),
)
"""Run only by name: they install other tools, need data that are not here, or show one bound."""


def main() -> int:
    """Run them; the first failure ends it."""
    names = list(takewhile(BENCHES.__contains__, sys.argv[1:]))
    options = sys.argv[1 + len(names) :]
    if options and not names:
        told = "\n".join(f"  {name:24} {what}" for name, what in BENCHES.items())
        print(f"no benchmark {options[0]}; there are:\n{told}", file=sys.stderr)
        return 2
    for name in names or [name for name in BENCHES if name not in ASKED_FOR]:
        print(f"== bench.{name}: {BENCHES[name]}", file=sys.stderr, flush=True)
        passed = options if names and name == names[-1] else []
        status = subprocess.call([sys.executable, "-m", f"bench.{name}", *passed])
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""All benchmarks that need no more than this repository, one after the other: `make bench`.

`python -m bench NAME...` runs some of them; each is also a program of its own, with options.
"""

import subprocess
import sys

BENCHES = {
    "pipeline": "the core alone: events a second, replay, restore, memory",
    "decoding": "what strict decoding costs over a bare decoder",
    "detect_cost": "a score and its votes, hot and over 20,000 series",
    "calibration": "false alarms against the promise, and delays (minutes)",
    "silence": "false alarms of silence on held-out feeds, and delays (minutes)",
    "performance": "faults found from delayed, partial reports, and false alarms (minutes)",
    "slices": "one scanner of twelve: delay, name, groups, cost (minutes)",
    "labeller": "the report labeller: confusion tables, reports a second",
    "ingest": "each translator of hospital standards: messages a second",
    "web": "the live page with 50 sites, 20 models and 10,000 incidents",
    "kafka": "a durable worker on a real Kafka (Java and Maven)",
}


def main() -> int:
    """Run them; the first failure ends it."""
    unknown = [name for name in sys.argv[1:] if name not in BENCHES]
    if unknown:
        told = "\n".join(f"  {name:12} {what}" for name, what in BENCHES.items())
        print(f"no benchmark {', '.join(unknown)}; there are:\n{told}", file=sys.stderr)
        return 2
    for name in sys.argv[1:] or BENCHES:
        print(f"== bench.{name}: {BENCHES[name]}", flush=True)
        status = subprocess.call([sys.executable, "-m", f"bench.{name}"])
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())

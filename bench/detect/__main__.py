"""radvigil and its peers, table by table, with their false alarms beside their delays.

    python -m bench detect [TABLE...] [--quick] [--no-peers] [--json]
    python -m bench detect C I --quick
    python -m bench detect --list

Tables A to J are those of the comparison with peers, S2, S3, S6 and S8 those of the statistics
(docs/COMPARISON.md has what they said). Each peer runs in a virtual environment of its own, made
when it is first needed (.cache/peers, or RADVIGIL_PEERS; 0.2 to 2 GB each); where that cannot be,
its rows are left out with the reason. Seeds are fixed. `--quick` has few repetitions and asks no
peer. Who always alarms and who never does stand in each table: no figure counts without its
false alarms. Exit status: 0, or 2 for a table that does not exist.
"""

import argparse
import json
import sys
from time import process_time

from bench.detect import TABLES
from bench.detect.table import Asked, shown


def main() -> int:
    """The command."""
    command = argparse.ArgumentParser(
        prog="python -m bench detect",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("tables", metavar="TABLE", nargs="*", help="default: all")
    command.add_argument("--quick", action="store_true", help="few repetitions, no peers")
    command.add_argument("--no-peers", action="store_true", help="radvigil and the trivial alone")
    command.add_argument("--json", action="store_true", help="JSON instead of tables")
    command.add_argument("--list", action="store_true", help="the tables there are")
    chosen = command.parse_args()
    wanted = [name.upper() for name in chosen.tables] or list(TABLES)
    unknown = [name for name in wanted if name not in TABLES]
    if unknown or chosen.list:
        told = "\n".join(f"  {name:3} {module.TITLE}" for name, module in TABLES.items())
        head = f"no table {', '.join(unknown)}; there are:\n" if unknown else ""
        print(head + told, file=sys.stderr if unknown else sys.stdout)
        return 2 if unknown else 0
    asked = Asked(chosen.quick, peers=not (chosen.quick or chosen.no_peers))
    made = {}
    for name in wanted:
        begun = process_time()
        made[name] = table = TABLES[name].table(asked)
        if not chosen.json:
            print(shown(name, table), flush=True)
        print(f"{name}: {process_time() - begun:.0f} s of this process", file=sys.stderr)
    if chosen.json:
        tables = {
            name: table._asdict() | {"rows": [row._asdict() for row in table.rows]}
            for name, table in made.items()
        }
        print(json.dumps(tables, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What the report labeller gets right and wrong, finding by finding, and how fast it is.

    python -m bench.labeller [--errors]

On our own sentences (tests/golden/labeller), and on the few public ones, where the data folder has
them: the labelled reports and the phrases of others.
"""

import argparse
import csv
import os
import random
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from streams.ingest.labeller import Labeller, built_in

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden" / "labeller"
DATA = Path(os.environ.get("RADVIGIL_DATA", ROOT.parent / "shared" / "data")) / "report_labelling"
VALUES = ("present", "absent", "uncertain", "not mentioned")
_CELLS = {"1.0": "present", "0.0": "absent", "-1.0": "uncertain", "": "not mentioned"}
_OURS = ("line_malposition", "intracranial_hemorrhage", "pulmonary_embolism")


class Case(NamedTuple):
    """A text, and what a reader takes from it; `no_finding` only where that is asked."""

    text: str
    says: dict[str, str]


class Cell(NamedTuple):
    """One finding of one text."""

    finding: str
    expected: str
    found: str
    text: str


def own(name: str) -> list[Case]:
    """The frozen sentences of tests/golden/labeller/`name`.toml."""
    tree = tomllib.loads((GOLDEN / f"{name}.toml").read_text())
    return [Case(report["text"], report["says"]) for report in tree["report"]]


def labelled_reports() -> list[Case]:
    """The labelled reports that the CheXpert labeller is published with."""
    with (DATA / "chexpert-labeler" / "labeled_reports.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [
        Case(row.pop("Reports"), {_name(key): _CELLS[cell] for key, cell in row.items()})
        for row in rows
    ]


def _name(column: str) -> str:
    return column.lower().replace(" ", "_")


def cells(labeller: Labeller, cases: list[Case], findings: list[str]) -> Iterator[Cell]:
    """Every finding of every text; `no_finding` where the case says what it should be."""
    for text, says in cases:
        found = {label.finding: label.value for label in labeller.label(text)}
        for finding in findings:
            if finding != "no_finding" or finding in says:
                expected = says.get(finding, "not mentioned")
                yield Cell(finding, expected, found.get(finding, "not mentioned"), text)


def findings() -> list[str]:
    """All that become labels."""
    return [name for name, words in built_in("en").finding.items() if words.label]


def accuracy(measured: list[Cell]) -> float:
    """Right among those that are mentioned, by the reader or by the labeller."""
    mentioned = [c for c in measured if {c.expected, c.found} != {"not mentioned"}]
    return sum(c.expected == c.found for c in mentioned) / len(mentioned)


def print_confusion(title: str, measured: list[Cell], *, errors: bool) -> None:
    """Rows: finding and what it should be; columns: what was found."""
    right = sum(c.expected == c.found for c in measured)
    print(f"\n{title}: {accuracy(measured):.1%} of what is mentioned is right")
    print(f"({right} of {len(measured)} cells, most of them not mentioned)\n")
    print(f"{'finding':24} {'should be':14}" + "".join(f"{value:>15}" for value in VALUES))
    counts = Counter((c.finding, c.expected, c.found) for c in measured)
    for finding in dict.fromkeys(c.finding for c in measured):
        for expected in VALUES:
            row = [counts[finding, expected, found] for found in VALUES]
            if sum(row) and not (expected == "not mentioned" and sum(row) == row[-1]):
                print(f"{finding:24} {expected:14}" + "".join(f"{n:15}" for n in row))
    if errors:
        for c in measured:
            if c.expected != c.found:
                print(f"  {c.finding}: {c.expected} -> {c.found}: {c.text!r}")


def print_phrases(labeller: Labeller) -> None:
    """Of the phrases of others that name a finding, how many name it here."""
    print("\nphrases of the CheXpert labeller that are read as the finding\n")
    for part in ("mention", "unmention"):
        for path in sorted((DATA / "chexpert-labeler" / "phrases" / part).glob("*.txt")):
            phrases = [line.strip().strip("_") for line in path.read_text().splitlines()]
            if path.stem != "no_finding" and any(phrases):
                known = [p for p in phrases if p and _names(labeller, p, path.stem)]
                print(
                    f"{part:10} {path.stem:28} {len(known):3} of {len([p for p in phrases if p])}"
                )


def _names(labeller: Labeller, phrase: str, finding: str) -> bool:
    return any(label.finding == finding for label in labeller.label(phrase))


def print_spans(labeller: Labeller) -> None:
    """The two NegBio sample reports, whose findings are annotated; read by us for values."""
    for path in sorted((DATA / "negbio").glob("0*.txt")):
        told = ", ".join(f"{x.finding} {x.value}" for x in labeller.label(path.read_text()))
        print(f"\nNegBio sample {path.stem}: {told}")


def print_values(measured: list[Cell]) -> None:
    """The same by what the reader took from it, all findings together."""
    counts = Counter((c.expected, c.found) for c in measured)
    print(f"\n{'all findings':24} {'should be':14}" + "".join(f"{value:>15}" for value in VALUES))
    for expected in VALUES[:3]:
        row = [counts[expected, found] for found in VALUES]
        print(f"{'':24} {expected:14}" + "".join(f"{n:15}" for n in row))


def print_throughput(labeller: Labeller) -> None:
    """Reports of some 700 characters, each another mixture of sentences; and with every sentence
    changed by words put into it, so that hardly one is like another.
    """
    sentences = [case.text for case in own("developed") if "\n" not in case.text]
    draw = random.Random(7)
    for title, told in (("told before", str), ("never told so", lambda s: _changed(s, draw))):
        reports = list(_reports(sentences, told))
        started_s = time.process_time()
        for report in reports:
            labeller.label(report)
        took_s = time.process_time() - started_s
        mean = sum(map(len, reports)) / len(reports)
        rate = len(reports) / took_s
        print(f"\n{rate:,.0f} reports a CPU second of {mean:.0f} characters, sentences {title}")


def _reports(sentences: list[str], told: Callable[[str], str]) -> Iterator[str]:
    n = len(sentences)
    for i in range(2_000):
        findings = " ".join(told(sentences[(i * 7 + k * 13) % n]) for k in range(14))
        impression = " ".join(told(sentences[(i * 11 + k * 5) % n]) for k in range(3))
        yield f"FINDINGS: {findings}\nIMPRESSION: {impression}"


def _changed(sentence: str, draw: random.Random) -> str:
    words = sentence.split()
    for _ in range(4):
        words.insert(draw.randrange(len(words)), "thereof")
    return " ".join(words)


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--errors", action="store_true", help="print each text that is wrong")
    errors = parser.parse_args().errors
    labeller = Labeller()
    for name in ("held_out", "doubt", "developed"):
        measured = list(cells(labeller, own(name), findings()))
        print_confusion(name, measured, errors=errors)
        print_values(measured)
    german = Labeller([built_in("en"), built_in("de")])
    print_confusion("german", list(cells(german, own("german"), findings())), errors=errors)
    if DATA.is_dir():
        theirs = [name for name in findings() if name not in _OURS]
        measured = list(cells(labeller, labelled_reports(), theirs))
        print_confusion("labelled reports of others", measured, errors=errors)
        print_phrases(labeller)
        print_spans(labeller)
    else:
        print(f"\nno labelled reports of others: {DATA} is not there (RADVIGIL_DATA)")
    print_throughput(labeller)


if __name__ == "__main__":
    main()

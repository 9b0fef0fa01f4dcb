"""The comparison in its short form: radvigil alone, two tables, and what the runner says."""

import json
import subprocess
import sys

import numpy as np
import pytest

from bench.detect import TABLES, discrepancies, honesty, rates, venvs
from bench.detect.table import ALWAYS, NEVER, OURS, Asked, Row, Table, shown, with_peers
from bench.detect.watched import at_run_length, cusum
from bench.real_data import in_another_order
from bench.real_played import names, row_of
from bench.real_streams import _agreed

QUICK = Asked(quick=True, peers=False)


def figures(table: Table, who: str) -> list[dict[str, object]]:
    return [dict(row.figures) for row in table.rows if row.who == who]


def test_the_promised_run_length_is_kept_where_a_plug_in_chart_breaks_its_own() -> None:
    table = honesty.table(QUICK)

    assert all(row["overall"] >= row["promised"] for row in figures(table, OURS))
    assert all(row["overall"] < 0.6 * row["promised"] for row in figures(table, table.rows[0].who))


def test_a_share_that_doubles_is_found_beside_who_knows_it_and_who_always_alarms() -> None:
    table = rates.table(QUICK)
    (ours,), knowing = figures(table, OURS), figures(table, "CUSUM")

    assert ours["run length"] > 0.7 * rates.ARL
    assert knowing[1]["delay to 0.20"] < ours["delay to 0.20"] < 200
    assert figures(table, ALWAYS)[0]["run length"] == 1
    assert figures(table, NEVER)[0]["missed 0.15"] == "100%"


def test_a_rule_of_days_counts_days_in_a_row() -> None:
    above = np.array([[1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1]], dtype=bool)

    assert discrepancies._in_a_row(above) == [[14 * discrepancies.PER_DAY - 1]]


def test_a_threshold_is_found_for_a_run_length() -> None:
    ratios = np.random.default_rng(1).normal(size=(200, 2_000)) * 0.5 - 0.125

    h = at_run_length(lambda h: cusum(ratios, h), 2_000, 500, 0.5, 8)

    assert 200 * 2_000 / sum(map(len, cusum(ratios, h))) == pytest.approx(500, rel=0.1)


def test_a_peer_that_cannot_be_asked_is_left_out_with_the_reason() -> None:
    def absent() -> list[Row]:
        raise venvs.Absent("river cannot be installed: no network")

    rows, skipped = with_peers(Asked(False, peers=True), [Row(OURS, "", {"delay": 3})], [absent])
    told = shown("X", Table("title", "protocol", rows, skipped))

    assert "| radvigil |  | 3 |" in told
    assert "Left out: river cannot be installed: no network." in told


def test_a_peer_that_fails_once_is_not_installed_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    asked = []

    def refuse(command: list[str], **_: object) -> None:
        asked.append(command)
        raise subprocess.CalledProcessError(1, command, stderr="no such version\n")

    monkeypatch.setattr(venvs, "_FOLDER", tmp_path)
    monkeypatch.setattr("bench.detect.venvs.subprocess.run", refuse)
    monkeypatch.setattr(venvs, "_refused", {})
    for _ in range(2):
        with pytest.raises(venvs.Absent, match="river cannot be installed: no such version"):
            venvs.ask("river", {})

    assert len(asked) == 1


def test_the_runner_lists_its_tables_and_refuses_others() -> None:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "bench.detect", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    listed, unknown = run("--list"), run("Q")

    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(TABLES)
    assert (unknown.returncode, "no table Q" in unknown.stderr) == (2, True)
    assert list(json.loads(run("J", "--quick", "--json").stdout)) == ["J"]


def test_a_shuffled_copy_has_the_same_cases_at_the_same_times() -> None:
    events = [
        {"type": kind, "study": str(i), "at": at, "arrived_at": at, "value": i}
        for i in range(20)
        for kind, minutes in (("study", 0), ("report", 5))
        for at in [f"2024-01-01T{i:02}:{minutes:02}:00+00:00"]
    ]
    moved = in_another_order(events, seed=1)

    assert sorted(e["at"] for e in moved) == sorted(e["at"] for e in events)
    assert [e["study"] for e in moved[::2]] == [e["study"] for e in moved[1::2]]
    assert [e["study"] for e in moved] != [e["study"] for e in events]


def test_annotators_who_mark_rows_close_together_mean_one_change() -> None:
    assert list(_agreed([[119, 203], [], [120, 212], [208]])) == [(119, 120), (203, 212)]
    assert (names([]), row_of(None, [])) == ([], 0)  # type: ignore[arg-type]

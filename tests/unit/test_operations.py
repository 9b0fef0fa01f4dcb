"""Prometheus rules and Grafana dashboard: as built, about metrics that exist, read by promtool.

No Grafana is run here: the dashboard is checked as JSON, and its expressions by Prometheus' parser.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Histogram

from streams.delivery.service_metrics import DELIVERY
from streams.metric_list import METRICS
from streams.operations.__main__ import built
from streams.operations.alerts import ALERTS
from streams.operations.dashboard import SCHEMA_VERSION, WIDTH, dashboard, expressions
from streams.operations.rows import ROWS
from streams.operations.rules import RECORDS, Alert, Record, render
from streams.ticket_desk.telemetry import TICKETS
from streams.worklist.desk.telemetry import WORKLIST
from tests.unit.alert_cases import CASES, MINUTE

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
RULES = EXAMPLES / "prometheus-rules.yml"
KNOWN = (*METRICS, *DELIVERY, *TICKETS, *WORKLIST)
SUFFIXES = ("_bucket", "_count", "_sum")
NAMES = {one.name for one in KNOWN} | {
    one.name + suffix for one in KNOWN if one.kind is Histogram for suffix in SUFFIXES
}
LABELS = {label for one in KNOWN for label in one.labels} | {"instance"}
BOARD = dashboard(ROWS)
WRITTEN = {
    word
    for package in ("streams", "schemas")
    for path in (ROOT / package).rglob("*.py")
    if path.parent.name != "operations"
    for word in re.findall(r'"(?:dropped:)?(\w+)"', path.read_text())
}
EVERY = [*(one.expr for one in (*RECORDS, *ALERTS)), *expressions(BOARD)]


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        assert "CI" not in os.environ, "promtool is missing: apt-get install prometheus"
        pytest.skip("no promtool here: apt-get install prometheus")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", built())
def test_the_file_is_what_the_code_builds(name: str) -> None:
    assert (EXAMPLES / name).read_text() == built()[name], "python -m streams.operations"


def test_the_command_writes_them_and_puts_an_address_before_the_runbooks(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "streams.operations", "--out", str(tmp_path)]
    subprocess.run([*command, "--documents", "https://wiki.example/"], cwd=ROOT, check=True)

    assert {path.name for path in tmp_path.iterdir()} == set(built())
    assert "https://wiki.example/docs/OPERATIONS.md#bounds" in (tmp_path / RULES.name).read_text()


@pytest.mark.parametrize("expr", EVERY)
def test_every_metric_in_an_expression_is_ours(expr: str) -> None:
    recorded = set(re.findall(r"radvigil:[\w:]+", expr))
    named = set(re.findall(r"(?<![:\w])(?:radvigil|process)_\w+", expr))

    assert recorded | named | set(re.findall(r"ALERTS", expr))
    assert recorded <= {one.name for one in RECORDS}
    assert {name for name in named if name.startswith("radvigil")} <= NAMES


@pytest.mark.parametrize("expr", EVERY)
def test_every_label_in_an_expression_is_one_of_a_metric_in_it(expr: str) -> None:
    matched = set(re.findall(r"(\w+)(?:=~|!=|=)\"", expr))
    grouped = {
        label.strip()
        for group in re.findall(r"(?:by|on) \(([^)]*)\)", expr)
        for label in group.split(",")
        if label.strip()
    }

    assert matched | grouped <= LABELS | {"le", "monitor", "alertstate", "severity"}


@pytest.mark.parametrize("expr", EVERY)
def test_every_label_value_is_one_that_the_code_writes(expr: str) -> None:
    said = re.findall(r'(\w+)(?:=~|!=|=)"([^"]*)"', expr)
    theirs = {"monitor", "alertstate", "severity"}
    values = {v for label, some in said if label not in theirs for v in some.split("|")}
    plain = {value for value in values if re.fullmatch(r"\w+", value)}

    assert {value for value in plain if value not in WRITTEN} == set()


def heading_anchors(path: Path) -> set[str]:
    """As GitHub makes them: lower case, spaces to hyphens, no punctuation."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda one: one.name)
def test_an_alert_says_what_it_is_and_where_to_read_on(alert: Alert) -> None:
    document, _, anchor = alert.runbook.partition("#")
    shown = re.findall(r"\$labels\.(\w+)", alert.summary + alert.description)

    assert anchor in heading_anchors(ROOT / document)
    assert alert.summary
    assert alert.description.endswith(".")
    assert alert.why.endswith(".")
    assert ("`for:`" in alert.why) == (alert.wait == "0s"), "a wait, or its absence, has a reason"
    assert set(shown) <= {"instance", "partition", "site", "type", "reason"} | {
        "receiver",
        "origin",
        "tracker",
        "worklist",
    }


def test_names_are_given_once_and_only_the_watchdog_disturbs_nobody() -> None:
    names = [one.name for one in (*RECORDS, *ALERTS)]

    assert len(set(names)) == len(names)
    assert [one.name for one in ALERTS if one.severity == "none"] == ["RadvigilWatchdog"]


def test_every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    assert {(one.alert, one.fires) for one in CASES} == {
        (one.name, fires) for one in ALERTS for fires in (True, False)
    }


def test_promtool_takes_the_rules() -> None:
    checked = promtool("check", "rules", RULES)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(RECORDS) + len(ALERTS)} rules found" in checked.stdout


def test_promtool_takes_the_configuration() -> None:
    checked = promtool("check", "config", EXAMPLES / "prometheus.yml")

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("alert", "interval"), sorted({(case.alert, case.interval) for case in CASES})
)
def test_alerts_fire_when_they_should_and_only_then(
    tmp_path: Path, alert: str, interval: str
) -> None:
    cases = [one for one in CASES if (one.alert, one.interval) == (alert, interval)]
    tests = [
        {
            "name": f"{case.alert}: {case.situation}",
            "interval": interval,
            "input_series": [{"series": s, "values": v} for s, v in case.series.items()],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{case.alert}", alertstate="firing"}})',
                    "eval_time": case.at,
                    "exp_samples": [{"labels": "{}", "value": 1}] if case.fires else [],
                }
            ],
        }
        for case in cases
    ]
    ran = rules_tested(tmp_path, tests, interval, alert)

    assert ran.returncode == 0, ran.stdout + ran.stderr


def recorded_for(expr: str) -> list[Record]:
    """The recorded series that an expression reads, and those that they are made of."""
    read = {one.name for one in RECORDS if re.search(rf"{one.name}\b", expr)}
    for one in reversed(RECORDS):  # what one is made of stands before it
        if one.name in read:
            read |= {before.name for before in RECORDS if before.name in one.expr}
    return [one for one in RECORDS if one.name in read]


def rules_tested(
    tmp_path: Path, tests: list[dict[str, Any]], interval: str, looked_at: str
) -> subprocess.CompletedProcess[str]:
    """Only with the alert that is looked at and what is recorded for it: a week of all of them
    takes promtool a minute."""
    (alert,) = (one for one in ALERTS if one.name == looked_at)
    rules = tmp_path / "rules.yml"
    rules.write_text(render(recorded_for(alert.expr), [alert]))
    file = tmp_path / "tests.json"
    content = {"rule_files": [str(rules)], "evaluation_interval": interval, "tests": tests}
    file.write_text(json.dumps(content))
    return promtool("test", "rules", file)


def test_what_an_alert_says_has_its_labels_and_numbers(tmp_path: Path) -> None:
    (alert,) = (one for one in ALERTS if one.name == "RadvigilStale")
    series = {"series": 'radvigil_lag_seconds{partition="4", instance="a"}', "values": "0 400x20"}
    expected = {
        "exp_labels": {"partition": "4", "severity": "critical", "monitor": "radvigil"},
        "exp_annotations": {
            "summary": "Partition 4 is 6m 40s behind its promise",
            "description": alert.description,
            "runbook_url": "docs/OPERATIONS.md#monitor_stale",
        },
    }
    test = {
        "interval": MINUTE,
        "input_series": [series],
        "alert_rule_test": [
            {"eval_time": "10m", "alertname": alert.name, "exp_alerts": [expected]}
        ],
    }
    ran = rules_tested(tmp_path, [test], MINUTE, alert.name)

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_promtool_would_notice_an_alert_that_does_not_fire(tmp_path: Path) -> None:
    test = {
        "interval": MINUTE,
        "input_series": [],
        "promql_expr_test": [
            {
                "expr": 'count(ALERTS{alertname="RadvigilStale"})',
                "eval_time": "5m",
                "exp_samples": [{"labels": "{}", "value": 1}],
            }
        ],
    }

    assert rules_tested(tmp_path, [test], MINUTE, "RadvigilStale").returncode == 1


def test_promtool_takes_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{n}", "expr": expr} for n, expr in enumerate(expressions(BOARD))]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    checked = promtool("check", "rules", file)

    assert len(rules) > 40
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_dashboard_is_what_grafana_needs() -> None:
    panels = BOARD["panels"]
    ids = [one["id"] for one in panels]
    (source, *choices) = BOARD["templating"]["list"]

    assert BOARD["schemaVersion"] == SCHEMA_VERSION
    assert BOARD["uid"]
    assert len(set(ids)) == len(ids)
    assert source["type"] == "datasource"
    assert source["query"] == "prometheus"
    chosen = "${" + source["name"] + "}"
    assert {one["datasource"]["uid"] for one in choices} == {chosen}
    targets = [target for one in panels for target in one.get("targets", ())]
    assert {target["datasource"]["uid"] for target in targets} == {chosen}
    assert all(one["description"] for one in panels if one["type"] != "row")
    assert [one["title"] for one in panels if one["type"] == "row"] == [
        row.question for row in ROWS
    ]


def test_panels_lie_in_the_grid_and_none_on_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        x, y, w, h = (panel["gridPos"][side] for side in "xywh")
        cells = {(column, line) for column in range(x, x + w) for line in range(y, y + h)}

        assert x + w <= WIDTH
        assert not cells & taken, panel["title"]
        taken |= cells


def test_lines_of_a_panel_are_told_apart() -> None:
    for panel in BOARD["panels"]:
        names = [target["refId"] for target in panel.get("targets", ())]
        assert len(set(names)) == len(names)
    steps = [
        one["fieldConfig"]["defaults"]["thresholds"]["steps"]
        for one in BOARD["panels"]
        if "fieldConfig" in one
    ]
    assert all(first["value"] is None for first, *_ in steps)
    for _, *others in steps:
        values = [one["value"] for one in others]
        assert values == sorted(values)

"""The Grafana dashboard: its JSON, made from rows and panels.

The model is Grafana's own (Dashboard JSON model, schema version 39, Grafana 10.4 and newer).
"""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

SCHEMA_VERSION = 39
WIDTH = 24
"""Columns of Grafana's grid."""
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}

Kind = Literal["stat", "timeseries", "table", "text"]


class Panel(NamedTuple):
    """One panel; `lines` are (expression, legend), `limits` the values from which it turns red."""

    title: str
    meaning: str
    lines: tuple[tuple[str, str], ...]
    kind: Kind = "timeseries"
    unit: str = "short"
    width: int = 8
    warn: float | None = None
    bad: float | None = None
    low_is_bad: bool = False
    text: str = ""


class Row(NamedTuple):
    """A question, and the panels that answer it."""

    question: str
    panels: tuple[Panel, ...]


def dashboard(rows: Iterable[Row]) -> dict[str, Any]:
    """What Grafana imports or is provisioned with."""
    return {
        "uid": "radvigil",
        "title": "radvigil",
        "description": "The monitor of clinical AI. Made by `python -m streams.operations`.",
        "tags": ["radvigil"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": [_alerts()]},
        "templating": {"list": [_datasource(), _choice("site"), _choice("model")]},
        "panels": _placed(rows),
    }


def expressions(built: dict[str, Any]) -> list[str]:
    """Every PromQL expression of a dashboard, with what is chosen replaced by everything."""
    panels = [target["expr"] for one in built["panels"] for target in one.get("targets", ())]
    notes = [one["expr"] for one in built["annotations"]["list"]]
    return [
        one.replace("$__rate_interval", "5m").replace("$site", ".*").replace("$model", ".*")
        for one in (*panels, *notes)
    ]


def _placed(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Left to right, top to bottom; panel ids count up, so that they are told apart."""
    placed: list[dict[str, Any]] = []
    y = 0
    for row in rows:
        placed.append(_row(row.question, len(placed) + 1, y))
        x, y, deepest = 0, y + 1, 0
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y, deepest = 0, y + deepest, 0
            height = 4 if panel.kind == "stat" else 8
            place = {"x": x, "y": y, "w": panel.width, "h": height}
            placed.append(_panel(panel, len(placed) + 1, place))
            x, deepest = x + panel.width, max(deepest, height)
        y += deepest
    return placed


def _row(question: str, number: int, y: int) -> dict[str, Any]:
    place = {"x": 0, "y": y, "w": WIDTH, "h": 1}
    return {
        "type": "row",
        "id": number,
        "title": question,
        "collapsed": False,
        "panels": [],
        "gridPos": place,
    }


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    built: dict[str, Any] = {
        "type": panel.kind,
        "id": number,
        "title": panel.title,
        "description": panel.meaning,
        "gridPos": place,
    }
    if panel.kind == "text":
        return built | {"options": {"mode": "markdown", "content": panel.text}}
    return (
        built
        | {
            "datasource": _SOURCE,
            "targets": [
                {
                    "refId": chr(ord("A") + n),
                    "datasource": _SOURCE,
                    "expr": expr,
                    "legendFormat": legend,
                    "instant": panel.kind != "timeseries",
                    "range": panel.kind == "timeseries",
                    "format": "table" if panel.kind == "table" else "time_series",
                }
                for n, (expr, legend) in enumerate(panel.lines)
            ],
            "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
            "options": _options(panel.kind),
        }
        | ({"transformations": _TABLE} if panel.kind == "table" else {})
    )


def _defaults(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "noValue": "-",
        "thresholds": {"mode": "absolute", "steps": _steps(panel)},
    }
    if panel.kind == "timeseries":
        limited = panel.warn is not None or panel.bad is not None
        return defaults | {
            "min": 0,
            "color": {"mode": "palette-classic"},
            "custom": {
                "lineWidth": 2,
                "fillOpacity": 8,
                "spanNulls": False,
                "thresholdsStyle": {"mode": "dashed" if limited else "off"},
            },
        }
    return defaults | {"color": {"mode": "thresholds"}}


def _steps(panel: Panel) -> list[dict[str, Any]]:
    """From the lowest: Grafana wants the first to have no value."""
    if panel.low_is_bad:
        limits = [(None, "red"), (panel.bad, "orange"), (panel.warn, "green")]
    else:
        limits = [(None, "green"), (panel.warn, "orange"), (panel.bad, "red")]
    first, *others = limits
    return [
        {"value": first[0], "color": first[1]},
        *({"value": value, "color": color} for value, color in others if value is not None),
    ]


def _options(kind: Kind) -> dict[str, Any]:
    if kind == "timeseries":
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    if kind == "stat":
        return {
            "colorMode": "background",
            "graphMode": "none",
            "textMode": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        }
    return {"showHeader": True, "cellHeight": "sm", "footer": {"show": False}}


_TABLE = [
    {"id": "merge", "options": {}},
    {"id": "organize", "options": {"excludeByName": {"Time": True}}},
]


def _datasource() -> dict[str, Any]:
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Prometheus",
        "query": "prometheus",
        "current": {},
        "hide": 0,
        "refresh": 1,
        "regex": "",
    }


def _choice(label: str) -> dict[str, Any]:
    query = f"label_values(radvigil_outcomes_total, {label})"
    return {
        "type": "query",
        "name": label,
        "label": label,
        "datasource": _SOURCE,
        "definition": query,
        "query": {"query": query, "refId": label},
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
        "hide": 0,
        "refresh": 2,
        "sort": 1,
        "regex": "",
    }


def _alerts() -> dict[str, Any]:
    return {
        "name": "alerts about the monitor",
        "datasource": _SOURCE,
        "enable": True,
        "hide": False,
        "iconColor": "red",
        "expr": 'ALERTS{monitor="radvigil", alertstate="firing", severity!="none"}',
        "titleFormat": "{{alertname}}",
        "textFormat": "{{severity}}",
        "step": "60s",
    }

"""What is shipped to run radvigil: compose file, image, Prometheus rules, each checked offline."""

import json
import re
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from schemas.config_file import load
from streams.cli import parser

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def compose_schema() -> jsonschema_rs.Validator:
    """The compose specification's own schema, as check-jsonschema ships it."""
    found = find_spec("check_jsonschema")
    assert found is not None
    assert found.submodule_search_locations is not None
    folder = Path(found.submodule_search_locations[0]) / "builtin_schemas" / "vendor"
    return jsonschema_rs.validator_for(json.loads((folder / "compose-spec.json").read_text()))


def test_the_compose_file_is_one() -> None:
    compose_schema().validate(COMPOSE)


def test_the_schema_would_notice() -> None:
    wrong = {"services": {"kafka": {"image": "apache/kafka", "portz": []}}}

    with pytest.raises(jsonschema_rs.ValidationError, match="portz"):
        compose_schema().validate(wrong)


@pytest.mark.parametrize("service", ["topics", "worker", "incidents"])
def test_every_command_in_it_can_be_parsed(service: str) -> None:
    command = COMPOSE["services"][service]["command"]

    parser(command[0]).parse_args(command)


def test_two_workers_wait_for_the_topics() -> None:
    worker = COMPOSE["services"]["worker"]

    assert worker["deploy"]["replicas"] == 2
    assert worker["depends_on"]["topics"]["condition"] == "service_completed_successfully"


def test_what_is_mounted_is_here() -> None:
    volumes = [v for s in COMPOSE["services"].values() for v in s.get("volumes", ())]
    files = [volume.split(":")[0] for volume in volumes if volume.startswith("./")]

    assert len(files) >= 3
    assert [file for file in files if not (ROOT / file).is_file()] == []


def test_its_configuration_can_be_used() -> None:
    config = load(ROOT / "examples" / "compose.toml")

    inside, _, _ = COMPOSE["services"]["kafka"]["environment"][
        "KAFKA_ADVERTISED_LISTENERS"
    ].partition(",")
    assert f"INSIDE://{config.broker}" == inside


def test_the_image_copies_every_package_and_runs_as_nobody() -> None:
    docker = (ROOT / "Dockerfile").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for package in packages:
        assert f"COPY {package} ./{package}" in docker
        assert f"!{package}" in ignored
    assert re.search(r"^USER [1-9]\d*$", docker, re.MULTILINE)


def test_prometheus_reads_the_rules_that_are_mounted() -> None:
    settings = yaml.safe_load((ROOT / "examples" / "prometheus.yml").read_text())
    mounted = COMPOSE["services"]["prometheus"]["volumes"]

    assert settings["rule_files"] == ["prometheus-rules.yml"]
    assert "./examples/prometheus-rules.yml:/etc/prometheus/prometheus-rules.yml:ro" in mounted


def provisioned(name: str) -> Any:
    return yaml.safe_load((ROOT / "examples" / "grafana" / name).read_text())


def test_grafana_is_given_its_source_and_its_dashboard() -> None:
    grafana = COMPOSE["services"]["grafana"]
    mounts = dict(volume.split(":")[:2] for volume in grafana["volumes"])
    (source,) = provisioned("datasources.yml")["datasources"]
    (provider,) = provisioned("dashboards.yml")["providers"]
    boards = provider["options"]["path"]

    assert source["type"] == "prometheus"
    assert source["isDefault"] is True
    assert source["url"] == "http://prometheus:9090"
    assert mounts["./examples/grafana-dashboard.json"] == f"{boards}/radvigil.json"
    assert (
        grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
        == mounts["./examples/grafana-dashboard.json"]
    )
    for kind in ("datasources", "dashboards"):
        place = f"/etc/grafana/provisioning/{kind}/radvigil.yml"
        assert mounts[f"./examples/grafana/{kind}.yml"] == place


def test_nobody_gets_in_with_a_password_that_everybody_knows() -> None:
    environment = COMPOSE["services"]["grafana"]["environment"]

    assert environment["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"


def test_images_are_pinned_ports_are_on_loopback_and_files_are_read_only() -> None:
    services = COMPOSE["services"].values()
    images = [one["image"] for one in services]
    ports = [port for one in services for port in one.get("ports", ())]
    files = [v for one in services for v in one.get("volumes", ()) if v.startswith("./")]

    assert [i for i in images if not re.search(r":(v?\d+\.\d+\.\d+|local)$", i)] == []
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    assert [file for file in files if not file.endswith(":ro")] == []

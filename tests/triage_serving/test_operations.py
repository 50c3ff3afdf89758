"""Dashboard, alerts and deployment files speak of what is really there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from asking import wait_until
from fakes import FakeRegistry
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from triage_ml.settings import Settings
from triage_ml.store import SOURCES
from triage_serving.commands import app
from triage_serving.metrics import Metrics
from triage_serving.routes import health

SERVING = Path(__file__).parents[2] / "serving"


def expressions() -> Iterator[Any]:
    for panel in json.loads((SERVING / "grafana" / "triage.json").read_text())["panels"]:
        for target in panel["targets"]:
            yield pytest.param(target["expr"], id=f"panel {panel['title']}: {target['legendFormat']}")
    for group in yaml.safe_load((SERVING / "prometheus" / "alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            yield pytest.param(rule["expr"], id=f"alert {rule['alert']}")


@pytest.fixture(scope="module")
def labels_of() -> dict[str, set[str]]:
    """Sample name -> its labels, for everything that the service measures."""
    found = {}
    for collector, names in Metrics()._registry._collector_to_names.items():
        for name in names:
            found[name] = set(collector._labelnames) | ({"le"} if name.endswith("_bucket") else set())
    return found


@pytest.mark.parametrize("expression", list(expressions()))
def test_what_is_asked_for_is_measured(expression: str, labels_of: dict[str, set[str]]) -> None:
    names = set(re.findall(r"\btriage_\w+", expression))
    assert names
    assert names <= labels_of.keys()
    known = set.intersection(*(labels_of[name] for name in names))
    for grouping in re.findall(r"\bby \(([^)]*)\)", expression):
        assert set(re.split(r",\s*", grouping)) <= known
    for name, selector in re.findall(r"(triage_\w+)\{([^}]*)\}", expression):
        assert set(re.findall(r"(\w+)=~?\"", selector)) <= labels_of[name]


def test_every_measurement_is_shown_or_watched(labels_of: dict[str, set[str]]) -> None:
    asked = " ".join(param.values[0] for param in expressions())
    families = {re.sub(r"_(total|bucket|count|sum|created)$", "", name) for name in labels_of}
    assert {family for family in families if family not in asked} == set()


def samples(client: TestClient) -> dict[str, float]:
    """What Prometheus reads of a running app: each series with its value."""
    lines = client.get("/metrics").text.splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_the_version_that_answers_is_shown_and_no_other(client: TestClient, registry: FakeRegistry) -> None:
    loaded = "triage_model_loaded"
    assert {name: value for name, value in samples(client).items() if loaded in name} == {f'{loaded}{{version="1"}}': 1}
    registry.register("2")
    wait_until(lambda: samples(client).get(f'{loaded}{{version="2"}}') == 1)
    assert samples(client)[f'{loaded}{{version="1"}}'] == 0


def test_what_alerts_count_is_there_before_the_first_event(client: TestClient) -> None:
    """A counter that appears with its first event has not increased, as far as Prometheus can tell."""
    seen = samples(client)
    for result in ("refused", "unreachable", "challenger_refused"):
        assert seen[f'triage_reloads_total{{result="{result}"}}'] == 0
    for source in SOURCES:
        assert seen[f'triage_outcomes_total{{source="{source}"}}'] == 0
    for result in ("scored", "failed", "dropped"):
        assert seen[f'triage_shadow_tickets_total{{result="{result}"}}'] == 0


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((SERVING / name).read_text()))


def variables() -> Iterator[str]:
    for name in ("Dockerfile", "compose.yaml", "systemd/triage.service", "kubernetes/triage.yaml"):
        yield from re.findall(r"\bTRIAGE_\w+__\w+", (SERVING / name).read_text())


@pytest.mark.parametrize("variable", sorted(set(variables())))
def test_every_variable_is_a_setting(variable: str) -> None:
    section, key = variable.removeprefix("TRIAGE_").lower().split("__")
    assert key in getattr(Settings(), section).__class__.model_fields


def container() -> dict[str, Any]:
    deployment = documents("kubernetes/triage.yaml")[0]
    return deployment["spec"]["template"]["spec"]["containers"][0]


def test_probes_ask_addresses_that_are_there() -> None:
    probes = {container()[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert probes == {"/livez", "/readyz"}
    assert probes <= {route.path for route in health.router.routes}


def docker_command() -> list[str]:
    command = re.search(r"^CMD (\[.*\])$", (SERVING / "Dockerfile").read_text(), re.MULTILINE)
    assert command is not None
    return json.loads(command[1])


@pytest.mark.parametrize("command", [container()["args"], docker_command()], ids=["kubernetes", "docker"])
def test_the_command_is_one_that_triage_takes(command: list[str]) -> None:
    assert CliRunner().invoke(app, [*command, "--help"]).exit_code == 0


def test_nothing_runs_as_root_or_writes_where_it_should_not() -> None:
    spec = documents("kubernetes/triage.yaml")[0]["spec"]["template"]["spec"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container()["securityContext"]["readOnlyRootFilesystem"] is True
    assert documents("compose.yaml")[0]["services"]["triage"]["read_only"] is True
    assert "USER 10001" in (SERVING / "Dockerfile").read_text()


def test_compiled_code_is_kept_where_it_can_be_written() -> None:
    dockerfile = (SERVING / "Dockerfile").read_text()
    home, cache = (re.search(rf"{name}=(\S+)", dockerfile)[1] for name in ("TRIAGE_PATHS__HOME", "NUMBA_CACHE_DIR"))  # type: ignore[index]
    assert cache.startswith(home + "/")
    assert f"VOLUME {home}" in dockerfile
    assert home in {mount["mountPath"] for mount in container()["volumeMounts"]}
    unit = (SERVING / "systemd" / "triage.service").read_text()
    assert "CacheDirectory=triage" in unit
    assert "NUMBA_CACHE_DIR=/var/cache/triage" in unit


def test_the_service_may_finish_what_is_in_flight() -> None:
    serving = Settings().serving
    given = {one["name"]: one.get("value") for one in container()["env"]}
    unready = float(given["TRIAGE_SERVING__UNREADY_SECONDS"])
    probe = container()["readinessProbe"]
    assert unready > probe["periodSeconds"] + probe["timeoutSeconds"], "it must be seen before the socket closes"
    pod = documents("kubernetes/triage.yaml")[0]["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > unready + serving.drain_seconds
    least = serving.unready_seconds + serving.drain_seconds
    assert int(documents("compose.yaml")[0]["services"]["triage"]["stop_grace_period"].rstrip("s")) > least
    unit = (SERVING / "systemd" / "triage.service").read_text()
    assert int(re.search(r"TimeoutStopSec=(\d+)", unit)[1]) > least  # type: ignore[index]

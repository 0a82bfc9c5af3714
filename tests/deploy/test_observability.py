"""Prometheus and Grafana: what the dashboard and the alerts ask for is what the services really tell."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from services.kit.settings import Settings
from services.parts import opened
from services.separate.events import events_app
from services.separate.gateway import graphql_app
from services.separate.projections import projections_app
from tests.serving import serving

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy/observability"
DASHBOARD = json.loads((FOLDER / "grafana/dashboards/exemplar.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
ALERTS = [rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
JOBS = {job["job_name"]: job for job in yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]}
WATCHERS = ("prometheus", "grafana")
OF_PROMETHEUS = {"up"}
OF_PROMETHEUS_LABELS = {"job", "instance"}
OUTCOMES = {"answered", "refused", "internal", "unavailable", "not_yet", "forbidden", "bad_user_input"}
ACT = {
    "specversion": "1.0",
    "id": "1",
    "source": "/crm",
    "type": "exemplar.contact.made.v1",
    "subject": "c-1",
    "time": "2026-01-05T09:00:00Z",
    "data": {"rep": "r-1", "channel": "call", "purpose": "introduce"},
}

Told = Mapping[str, Mapping[str, set[str]]]  # by name of a sample: the values of each of its labels


def queries() -> Iterator[tuple[str, str]]:
    """Every PromQL expression, with what it is for."""
    for panel in PANELS:
        for target in panel["targets"]:
            yield f"panel {panel['title']}", target["expr"].replace("$__rate_interval", "1m")
    for rule in ALERTS:
        yield f"alert {rule['alert']}", rule["expr"]


QUERIES = list(queries())


class Selectors:
    """The selectors in an expression: names of samples, their matchers, and the labels it is grouped by."""

    def __init__(self, expression: str) -> None:
        self.names: set[str] = set()
        self.matchers: list[tuple[str, promql_parser.Matcher]] = []
        self.groups: set[str] = set()
        promql_parser.walk(promql_parser.parse(expression), self._note)

    def _note(self, node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.MatrixSelector):
            node = node.vector_selector
        if isinstance(node, promql_parser.VectorSelector):
            assert node.name is not None
            self.names.add(node.name)
            self.matchers += [(node.name, matcher) for matcher in node.matchers.matchers]
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            self.groups.update(node.modifier.labels)


def told_by(page: str) -> Told:
    """What a `/metrics` page tells."""
    found: dict[str, dict[str, set[str]]] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            labels = found.setdefault(sample.name, {})
            for name, value in sample.labels.items():
                labels.setdefault(name, set()).add(value)
    return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What a running server tells that took an act, folded it and was asked about it."""
    with serving(tmp_path_factory.mktemp("data")) as server:
        position = server.post(ACT).json()["position"]
        assert server.query("{ viewer { key } }", wait_for=position)["data"]
        return told_by(server.ask("GET", "/metrics").body.decode())


@pytest.fixture(scope="module")
def told_by_service(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Told]:
    """What each of the three services tells by itself, after somebody without a key has asked it."""
    found = {}
    with opened(Settings(data_dir=tmp_path_factory.mktemp("data"))) as parts:
        for job, make in (
            ("events", events_app),
            ("projections", projections_app),
            ("graphql", graphql_app),
        ):
            with make(parts) as app, TestClient(app) as client:
                client.post("/v1/events", json=ACT)
                client.post("/graphql", json={"query": "{ viewer { key } }"})
                found[job] = told_by(client.get("/metrics").text)
    return found


@pytest.mark.parametrize(("what", "expression"), QUERIES, ids=[what for what, _ in QUERIES])
def test_what_is_asked_is_told(told: Told, what: str, expression: str) -> None:
    """Every query parses, and the metrics and labels in it are exported by a running server."""
    asked = Selectors(expression)
    assert asked.names, what
    for name in asked.names - OF_PROMETHEUS:
        assert name in told, f"{what}: nobody tells {name}"
    labels = {label for name in asked.names - OF_PROMETHEUS for label in told[name]} | OF_PROMETHEUS_LABELS
    assert asked.groups <= labels, what
    for name, matcher in asked.matchers:
        assert matcher.name in OF_PROMETHEUS_LABELS or matcher.name in told[name], (
            f"{what}: {name} has no {matcher.name}"
        )


@pytest.mark.parametrize(
    ("name", "label", "value"),
    [
        ("exemplar_events_total", "outcome", "accepted"),
        ("exemplar_event_posts_total", "status", "202"),
        ("exemplar_fold_records_total", "outcome", "unreadable"),
        ("exemplar_fold_records_total", "outcome", "conflict"),
        ("exemplar_dead_letters", "kind", "unreadable"),
        ("exemplar_query_seconds_count", "outcome", "answered"),
    ],
)
def test_labels_have_the_values_that_are_asked_for(told: Told, name: str, label: str, value: str) -> None:
    """The values that queries select by are those that are told."""
    assert value in told[name][label]


def test_selected_values_are_known() -> None:
    """No query selects by a job, an outcome or a kind that there is not."""
    known = {
        "job": set(JOBS),
        "outcome": OUTCOMES | {"accepted", "duplicate", "refused", "act", "conflict", "unreadable"},
        "kind": {"unreadable", "conflict"},
        "status": {"202", "5.."},
    }
    for what, expression in QUERIES:
        for _name, matcher in Selectors(expression).matchers:
            assert set(matcher.value.split("|")) <= known[matcher.name], what


def test_each_service_tells_its_part(told_by_service: Mapping[str, Told]) -> None:
    """Ingest is the events service's, fold, audit tree and the log's losses the projections', queries the gateway's."""
    topics = {
        job: {name.split("_")[1].rstrip("s") for name in told if name.startswith("exemplar_")}
        for job, told in told_by_service.items()
    }
    assert topics == {
        "events": {"event", "ready"},
        "projections": {"fold", "dead", "audit", "log", "ready"},
        "graphql": {"live", "query", "ready"},
    }
    for job, told in told_by_service.items():
        assert {"process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"} <= told.keys(), job


def test_every_metric_is_documented(told: Told) -> None:
    """The table of docs/operating.md names each metric that a running server tells, and no other."""
    manual = (ROOT / "docs/operating.md").read_text()
    named = set(re.findall(r"`((?:exemplar|process)_[a-z_]+)`", manual.split("## Monitoring")[1]))
    assert named == {re.sub(r"_(bucket|count|sum)$", "", name) for name in told if not name.endswith("_created")}


def test_every_alert_is_documented() -> None:
    """The table of docs/operating.md names each alert, and no other."""
    manual = (ROOT / "docs/operating.md").read_text()
    assert set(re.findall(r"`(Exemplar[A-Z]\w+)`", manual)) == {rule["alert"] for rule in ALERTS}


def test_panels_are_complete() -> None:
    """Each panel has an id and a place of its own, a title, a description, a unit, and says what its lines are."""
    every = DASHBOARD["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in every:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    for panel in PANELS:
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert all(target["legendFormat"] for target in panel["targets"])
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        for part in (panel, *panel["targets"]):
            assert part["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]


def test_what_alerts_go_by_can_be_seen() -> None:
    """Each metric of ours that an alert is about has its line on the dashboard, so that who is told can look at it."""
    shown = {name for what, expression in QUERIES if what.startswith("panel") for name in Selectors(expression).names}
    for rule in ALERTS:
        assert {name for name in Selectors(rule["expr"]).names if name.startswith("exemplar")} <= shown, rule["alert"]


def test_the_dashboard_is_found() -> None:
    """Grafana is given the dashboard and its data source: the names and paths in the provisioning fit together."""
    provisioning = FOLDER / "grafana/provisioning"
    source = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"][0]
    variable = DASHBOARD["templating"]["list"][0]
    assert (variable["name"], variable["query"]) == ("datasource", source["type"])
    assert variable["current"]["value"] == source["uid"]
    assert source["url"] == "http://prometheus:9090"
    provider = yaml.safe_load((provisioning / "dashboards/exemplar.yml").read_text())["providers"][0]
    mounts = dict(volume.split(":")[:2] for volume in COMPOSE["grafana"]["volumes"])
    assert mounts["./deploy/observability/grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./deploy/observability/grafana/provisioning"] == "/etc/grafana/provisioning"


def test_alerts_say_what_to_do() -> None:
    """Each alert has a severity, a summary and a description of its own."""
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description"}


def test_every_service_is_scraped_under_its_name() -> None:
    """Each job is a service of docker-compose.yml, at the port on which its container listens."""
    assert set(JOBS) == {"events", "projections", "graphql"} <= set(COMPOSE)
    for name, job in JOBS.items():
        found = job["dns_sd_configs"][0]
        assert (found["names"], found["port"]) == ([name], 8000)


@pytest.mark.parametrize("watcher", WATCHERS)
def test_watchers_have_few_rights(watcher: str) -> None:
    """Prometheus and Grafana start only when asked for, at a pinned version, without rights, on loopback."""
    service = COMPOSE[watcher]
    assert service["profiles"] == ["observability"]
    assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+\.\d+", service["image"])
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert not service["user"].startswith(("0", "root"))
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    for source in (volume.split(":")[0] for volume in service["volumes"] if volume.startswith("./")):
        assert (ROOT / source).exists()


def test_grafana_lets_nobody_in_without_a_password() -> None:
    """There is no anonymous access, no sign-up and no password that comes with it."""
    environment = COMPOSE["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ENABLED"] == environment["GF_USERS_ALLOW_SIGN_UP"] == "false"
    assert environment["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/secrets/grafana-password"
    assert not (FOLDER / "grafana-password").is_symlink()
    assert "deploy/observability/grafana-password" in (ROOT / ".gitignore").read_text().splitlines()


def test_compose_takes_the_profile(docker_engine: None) -> None:
    """Docker reads the file, with the profile and without it; without it, nothing of it is started."""
    for profile, watched in (([], False), (["--profile", "observability"], True)):
        done = subprocess.run(
            ["docker", "compose", *profile, "config", "--services"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert (set(WATCHERS) <= set(done.stdout.split())) is watched


def test_alerts_fire_when_they_should(promtool: str) -> None:
    """Prometheus's own test of the rules: silent while all is well, each one firing at its cause."""
    done = subprocess.run(
        [promtool, "test", "rules", "alerts_test.yml"], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr

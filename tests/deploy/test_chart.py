"""The Helm chart: what it renders is valid, fits together, and fits the services that it runs."""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import SecretStr
from starlette.routing import Mount, Route

from services.cli import COMMANDS
from services.kit.running import GIVE_UP_SECONDS
from services.kit.settings import PREFIX, Settings
from services.parts import opened
from services.separate.events import events_app
from services.separate.gateway import graphql_app
from tests.serving import run

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/exemplar"
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
SERVICES = ("events", "projections", "graphql")
OF_THE_CHART = {"data_dir", "host", "port", "policy_file", "vault_key_file", "audit_key_file", "erasures_dir"}
SECRET = {
    "database_url",
    "vault_url",
    *(n for n, f in Settings.model_fields.items() if f.annotation == SecretStr | None),
}
KUBERNETES = ("1.31", "1.37")
PEER = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "somewhere"}}}

LEAST: dict[str, Any] = {"settings": {"log_url": "kafka://broker:9092/exemplar"}, "existingSecret": "mine"}
MOST: dict[str, Any] = {
    **LEAST,
    "image": {
        "repository": "registry.example/exemplar",
        "digest": "sha256:" + "0" * 64,
        "pullSecrets": [{"name": "p"}],
    },
    "settings": {
        "log_url": "kafka://one:9092,two:9092/exemplar",
        "max_request_bytes": 8388608,
        "request_seconds": 2.5,
        "introspection": False,
        "jwt_issuer": "https://sign-in.example",
        "jwt_audience": "exemplar",
        "jwt_jwks_url": "https://sign-in.example:8443/keys?tenant=ours",
        "kafka_security_protocol": "SASL_SSL",
        "kafka_sasl_mechanism": "SCRAM-SHA-512",
        "kafka_sasl_username": "exemplar",
        "kafka_ssl_cafile": "/etc/exemplar/secrets/ca.crt",
    },
    "policy": 'name = "ours"\n[figures]\n',
    "erasures": {"claim": "erasures"},
    "events": {"autoscaling": {"enabled": True, "minReplicas": 6}},
    "graphql": {"autoscaling": {"enabled": True}},
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
    "serviceAccount": {"annotations": {"example.com/role": "exemplar"}},
    "networkPolicy": {
        "clients": [PEER],
        "monitoring": [PEER],
        "kafka": {"peers": [{"ipBlock": {"cidr": "10.0.0.0/8"}}], "ports": [9093]},
        "extraEgress": [{"ports": [{"port": 443, "protocol": "TCP"}]}],
    },
    "ingress": {"enabled": True, "className": "public", "host": "exemplar.example", "tlsSecret": "certificate"},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
}
OTHER: dict[str, Any] = {
    **LEAST,
    "settings": {
        "log_url": "kafka://[2001:db8::1]:9092/Exemplar_1.log",
        "events_url": "",
        "jwt_issuer": "",
        "kafka_security_protocol": "SSL",
        "kafka_sasl_mechanism": "",
    },
    "fullnameOverride": "a-name-that-is-as-long-as-anybody-would-ever-want-to-have-it",
    "networkPolicy": {"enabled": False},
    "projections": {"replicas": 1},
}
VALUES = {"least": LEAST, "most": MOST, "other": OTHER}

# What no process starts with, whose probes fail, or whose ConfigMap says something else; with what is complained about.
BREAKING: list[tuple[dict[str, Any], str]] = [
    *(
        ({"log_url": url}, "/settings/log_url")
        for url in (
            "kafka://broker/exemplar",
            "kafka://broker:9092/exemplar/more",
            "kafka://broker:9092",
            "kafka://broker:9092/",
            "kafka://:9092/exemplar",
            "kafka://broker:9092,/exemplar",
            "kafka://broker:9092,other/exemplar",
            "kafka://broker:123456/exemplar",
            "kafka://user@broker:9092/exemplar",
            "kafka://bro ker:9092/exemplar",
            "kafka://broker:9092/exem plar",
            "kafka://broker:9092/" + "x" * 250,
            "KAFKA://broker:9092/exemplar",
        )
    ),
    ({"host": "127.0.0.1"}, "host"),
    ({"erasures_dir": "/tmp/erasures"}, "erasures_dir"),
    ({"kafka_security_protocol": "SASL_SSL", "kafka_sasl_username": "u"}, "kafka_sasl_mechanism"),
    ({"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_sasl_mechanism": "PLAIN"}, "kafka_sasl_username"),
    (
        {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_username": "u", "kafka_sasl_mechanism": ""},
        "/settings/kafka_sasl_mechanism",
    ),
    ({"jwt_issuer": "https://i.example", "jwt_audience": "exemplar"}, "jwt_jwks_url"),
    ({"jwt_issuer": "https://i.example", "jwt_jwks_url": "https://i.example/keys"}, "jwt_audience"),
    ({"jwt_audience": "exemplar", "jwt_jwks_url": "https://i.example/keys"}, "jwt_issuer"),
    ({"jwt_issuer": "", "jwt_audience": "exemplar", "jwt_jwks_url": "https://i.example/keys"}, "/settings/jwt_issuer"),
    *(
        ({"jwt_issuer": "i", "jwt_audience": "a", "jwt_jwks_url": url}, "/settings/jwt_jwks_url")
        for url in ("http://i.example/keys", "i.example/keys", "https://u@i.example/", "https://i:x/", "https://i:0/")
    ),
    *(
        ({"events_url": url}, "/settings/events_url")
        for url in ("events:8000", "http://", "http://events:x", "http://u@events", "http://events/?a")
    ),
    ({"proxy_token_header": "X Token"}, "/settings/proxy_token_header"),
    ({"audit_origin": "example.com/a+b"}, "/settings/audit_origin"),
    ({"queries_per_second": 1e20}, "/settings/queries_per_second"),
    ({"max_requests": 1e20}, "/settings/max_requests"),
]

Resource = Mapping[str, Any]


class OnceOnly(yaml.SafeLoader):
    """Reads YAML as Kubernetes' strict decoding does: no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The mapping. Fails if it has a key twice."""
        keys = [key.value for key, _ in node.value]
        assert len(keys) == len(set(keys)), sorted(keys)
        return super().construct_mapping(node, deep)


class Rendered(list[Resource]):
    """The resources that the chart makes of some values."""

    def of(self, kind: str) -> dict[str, Resource]:
        """Those of a kind, by name."""
        return {each["metadata"]["name"]: each for each in self if each["kind"] == kind}

    def pods(self) -> dict[str, Resource]:
        """The pod templates, by the name of what makes them."""
        makers = self.of("Deployment") | self.of("Job")
        return {name: maker["spec"]["template"] for name, maker in makers.items()}

    def selected(self, labels: Mapping[str, str]) -> set[str]:
        """The components of the pods that these labels select."""
        found = [pod["metadata"]["labels"] for pod in self.pods().values()]
        return {own["app.kubernetes.io/component"] for own in found if labels.items() <= own.items()}


def call(helm: str, command: str, values: Resource, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of helm on the chart and values."""
    return subprocess.run(
        [helm, *command.split(), str(CHART), "--values", "-", *options],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def render(helm: str, values: Resource) -> Rendered:
    """Render the chart."""
    done = call(helm, "template acme", values, "--kube-version", "1.31.0", "--namespace", "sales")
    assert done.returncode == 0, done.stderr
    return Rendered(each for each in yaml.load_all(done.stdout, OnceOnly) if each)


@pytest.fixture(scope="module", params=sorted(VALUES))
def rendered(helm: str, request: pytest.FixtureRequest) -> Rendered:
    """The chart rendered with each set of values in turn."""
    return render(helm, VALUES[request.param])


@pytest.fixture(scope="module")
def fullest(helm: str) -> Rendered:
    """The chart with everything in it."""
    return render(helm, MOST)


# ---- without Helm ---------------------------------------------------------------------------------------------------


def test_the_schema_knows_every_setting() -> None:
    """Every setting can be given but those that are secret or the chart's own."""
    assert set(SCHEMA["properties"]["settings"]["properties"]) == set(Settings.model_fields) - OF_THE_CHART - SECRET


@pytest.mark.parametrize("values", VALUES.values(), ids=list(VALUES))
def test_the_schema_takes_good_values(values: Resource) -> None:
    """The defaults, and each set of values, are what the schema says."""
    Draft202012Validator.check_schema(SCHEMA)
    for each in (yaml.safe_load((CHART / "values.yaml").read_text()), values):
        Draft202012Validator(SCHEMA).validate(each)


def objects(schema: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every schema of an object in a schema, with where it is."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield at, schema
        for name, inner in schema.items():
            yield from objects(inner, f"{at}/{name}")


def test_the_schema_refuses_what_it_does_not_know() -> None:
    """No object with named members takes others."""
    assert [at for at, each in objects(SCHEMA) if each.get("additionalProperties") is not False] == []


def test_the_schema_is_as_strict_as_the_settings() -> None:
    """What a setting says of its type, form and bounds, the schema says too; it may ask for more where that breaks."""
    of_settings = Settings.model_json_schema()["properties"]
    for name, of_chart in SCHEMA["properties"]["settings"]["properties"].items():
        own = of_settings[name]
        assert of_chart["type"] == own.get("type", "string"), name
        for bound in ("pattern", "minimum", "exclusiveMinimum"):
            assert bound not in own or of_chart[bound] == own[bound], name
        assert of_chart.get("maximum", 0) <= own.get("maximum", of_chart.get("maximum", 0)), name


def numbers(schema: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every schema of nothing but a number in a schema, with where it is."""
    if isinstance(schema, dict):
        if schema.get("type") in ("integer", "number"):
            yield at, schema
        for name, inner in schema.items():
            yield from numbers(inner, f"{at}/{name}")


def test_every_number_has_an_end() -> None:
    """No number is taken that cannot be written out as it is."""
    assert [at for at, each in numbers(SCHEMA) if each.get("maximum", 2**53) >= 2**53] == []


@pytest.mark.parametrize(("settings", "told"), BREAKING, ids=lambda each: str(each)[:60])
def test_the_schema_refuses_settings_that_break(settings: Resource, told: str) -> None:
    """Settings with which the services would not run are refused, whatever reads the schema; what is wrong is named."""
    values = {**LEAST, "settings": {**LEAST["settings"], **settings}}
    errors = list(Draft202012Validator(SCHEMA).iter_errors(values))
    assert any(told in f"{error.json_path.replace('$', '').replace('.', '/')} {error.message}" for error in errors)


def test_the_chart_is_of_this_version() -> None:
    """The image that the chart runs by default is that of the code beside it."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == version


# ---- rendered -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", VALUES.values(), ids=list(VALUES))
def test_helm_finds_nothing_to_complain_about(helm: str, values: Resource) -> None:
    """`helm lint --strict` passes."""
    done = call(helm, "lint --strict", values)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "existingSecret|settings.log_url"),
        ({**LEAST, "settings": {}}, "settings.log_url"),
        ({**LEAST, "existingSecret": ""}, "existingSecret"),
        ({**LEAST, "settings": {"log_urls": "kafka://broker/exemplar"}}, "log_urls"),
        ({**LEAST, "settings": {"log_url": "sqlite:///log.sqlite"}}, "/settings/log_url"),
        ({**LEAST, "settings": {**LEAST["settings"], "database_url": "postgresql://u:p@d/x"}}, "database_url"),
        ({**LEAST, "events": {"replica": 3}}, "replica"),
        ({**LEAST, "image": {"tag": "latest"}}, "/image/tag"),
        ({**LEAST, "networkPolicy": {"clients": [{"nameSpaceSelector": {}}]}}, "nameSpaceSelector"),
        ({**LEAST, "ingress": {"enabled": True}}, "ingress.host"),
        ({**LEAST, "events": {"autoscaling": {"enabled": True, "minReplicas": 7}}}, "events.autoscaling: minReplicas"),
        ({**LEAST, "graphql": {"autoscaling": {"enabled": True, "maxReplicas": 1}}}, "graphql.autoscaling: minReplica"),
        ({**LEAST, "events": {"replicas": 1e20}}, "/events/replicas"),
    ],
)
def test_helm_refuses_bad_values(helm: str, values: Resource, told: str) -> None:
    """What is missing or misspelt is named, and nothing is installed."""
    done = call(helm, "template acme", values, "--kube-version", "1.31.0")
    assert done.returncode != 0
    assert re.search(told, done.stderr), done.stderr


def test_helm_reads_the_schema_alike(helm: str) -> None:
    """Helm's own patterns and conditions refuse the same settings, when linting too, and name what is wrong."""
    for settings, told in BREAKING:
        done = call(helm, "lint --strict", {**LEAST, "settings": {**LEAST["settings"], **settings}})
        assert done.returncode != 0, settings
        assert told in done.stdout + done.stderr, (settings, done.stdout, done.stderr)


@pytest.mark.parametrize("version", KUBERNETES)
def test_resources_are_valid(rendered: Rendered, version: str) -> None:
    """Kubernetes knows every field of every resource; the operator's own kind aside."""
    for each in rendered:
        if each["kind"] != "ServiceMonitor":
            kubernetes_validate.validate(each, version, strict=True)


def test_what_is_there(rendered: Rendered) -> None:
    """Each service has a Deployment, a Service and a disruption budget; no store and no secret is bundled."""
    for kind in ("Deployment", "Service", "PodDisruptionBudget"):
        assert {name.rsplit("-", 1)[1] for name in rendered.of(kind)} == set(SERVICES), kind
    assert not {each["kind"] for each in rendered} & {"StatefulSet", "Secret", "PersistentVolumeClaim", "Role"}
    assert len({(each["kind"], each["metadata"]["name"]) for each in rendered}) == len(rendered)
    assert all(len(each["metadata"]["name"]) <= 63 for each in rendered)


def test_pods_have_few_rights(rendered: Rendered) -> None:
    """No pod runs as root, writes to its file system, gains privileges, or speaks to Kubernetes."""
    user = re.search(r"--uid (\d+)", DOCKERFILE)
    assert user is not None
    for name, pod in rendered.pods().items():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["enableServiceLinks"] is False, name  # EXEMPLAR_PORT of a Service would be taken for the setting
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["runAsUser"] == int(user[1]), name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert "hostNetwork" not in spec, name
        for container in spec["containers"]:
            rights = container["securityContext"]
            assert rights["readOnlyRootFilesystem"], name
            assert rights["allowPrivilegeEscalation"] is False, name
            assert rights["capabilities"] == {"drop": ["ALL"]}, name
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys(), name
            assert "memory" in container["resources"]["limits"], name


def test_pods_run_a_command_of_a_pinned_image(rendered: Rendered) -> None:
    """Each container runs a command that there is, of an image with a version or a digest."""
    for name, pod in rendered.pods().items():
        (container,) = pod["spec"]["containers"]
        assert container["args"] == [pod["metadata"]["labels"]["app.kubernetes.io/component"]]
        assert container["args"][0] in COMMANDS, name
        assert re.search(r":\d[\w.]*$|@sha256:[0-9a-f]{64}$", container["image"]), name


def test_services_are_asked_how_they_are(rendered: Rendered) -> None:
    """Each service has the three probes, at paths it has and the port it listens on, and time to stop."""
    assert "EXPOSE 8000" in DOCKERFILE
    assert "EXEMPLAR_HOST=0.0.0.0" in DOCKERFILE
    for name, deployment in rendered.of("Deployment").items():
        spec = deployment["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        assert container["ports"] == [{"name": "http", "containerPort": 8000}], name
        paths = {probe: container[f"{probe}Probe"]["httpGet"]["path"] for probe in ("startup", "liveness", "readiness")}
        assert paths == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}, name
        assert all(container[f"{probe}Probe"]["httpGet"]["port"] == "http" for probe in paths), name
        assert spec["terminationGracePeriodSeconds"] >= max(15, GIVE_UP_SECONDS), name


def test_settings_are_settings(rendered: Rendered) -> None:
    """Every variable that a pod is given is a setting, with a value that it takes."""
    for pod in rendered.pods().values():
        (container,) = pod["spec"]["containers"]
        (source,) = container["envFrom"]
        given = rendered.of("ConfigMap")[source["configMapRef"]["name"]]["data"]
        read = {name.removeprefix(PREFIX).lower(): value for name, value in given.items()}
        assert read.pop("secrets_dir") == "/etc/exemplar/secrets"
        assert read.keys() <= Settings.model_fields.keys()
        Settings(**read)


def test_numbers_are_written_out(fullest: Rendered) -> None:
    """A large whole number stays one, a fraction a fraction, and a switch a switch."""
    data = fullest.of("ConfigMap")["acme-exemplar"]["data"]
    written = [data[f"{PREFIX}{name}"] for name in ("MAX_REQUEST_BYTES", "REQUEST_SECONDS", "INTROSPECTION")]
    assert written == ["8388608", "2.5", "false"]


def test_what_is_mounted_is_there(rendered: Rendered) -> None:
    """Each volume of a ConfigMap is one that the chart makes; files that settings name lie in what is mounted."""
    for name, pod in rendered.pods().items():
        spec = pod["spec"]
        (container,) = spec["containers"]
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert set(mounts.values()) == set(volumes), name
        assert volumes[mounts["/etc/exemplar/secrets"]]["secret"]["secretName"] == "mine"
        assert mounts[re.search(r"EXEMPLAR_DATA_DIR=(\S+)", DOCKERFILE)[1]] == "data"  # type: ignore[index]  # it is there
        data = rendered.of("ConfigMap")[container["envFrom"][0]["configMapRef"]["name"]]["data"]
        for variable in ("EXEMPLAR_VAULT_KEY_FILE", "EXEMPLAR_POLICY_FILE"):
            assert variable not in data or str(Path(data[variable]).parent) in mounts, name
        for volume in volumes.values():
            if "configMap" in volume:
                assert volume["configMap"]["name"] in rendered.of("ConfigMap"), name


def test_a_secret_is_read_as_kubernetes_mounts_it(tmp_path: Path) -> None:
    """Files that are links into a hidden folder serve as settings and key, and migrating again changes nothing."""
    hidden = tmp_path / "secrets/..data"
    hidden.mkdir(parents=True)
    database = tmp_path / "elsewhere.sqlite"
    for name, content in (("vault.key", "0" * 64), ("exemplar_database_url", f"sqlite:///{database}")):
        (hidden / name).write_text(content)
        (hidden.parent / name).symlink_to(hidden / name)
    settings = {"secrets_dir": str(hidden.parent), "vault_key_file": str(hidden.parent / "vault.key")}
    for _ in range(2):
        done = run(tmp_path / "data", ["migrate"], **settings)
        assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("elsewhere.*.sqlite"))


def test_the_policy_is_passed_on_as_it_is(fullest: Rendered) -> None:
    """The policy file holds what was given."""
    assert fullest.of("ConfigMap")["acme-exemplar-policy"]["data"] == {"policy.toml": MOST["policy"]}


def test_the_erasure_ledger_stays(fullest: Rendered) -> None:
    """Every pod, also the one that migrates, has the claim of the ledger where its setting says."""
    for name, pod in fullest.pods().items():
        (container,) = pod["spec"]["containers"]
        config = fullest.of("ConfigMap")[container["envFrom"][0]["configMapRef"]["name"]]["data"]
        mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
        assert "readOnly" not in mounts[config["EXEMPLAR_ERASURES_DIR"]], name
        volumes = [each for each in pod["spec"]["volumes"] if each["name"] == "erasures"]
        assert volumes == [{"name": "erasures", "persistentVolumeClaim": {"claimName": "erasures"}}], name


def test_the_migration_comes_first(rendered: Rendered) -> None:
    """It runs before installation and upgrade, when only other hooks are there: it needs nothing else of the chart."""
    (job,) = rendered.of("Job").values()
    hooks = {name: each["metadata"].get("annotations", {}) for name, each in rendered.of("ConfigMap").items()}
    own = job["metadata"]["annotations"]
    assert own["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert own["helm.sh/hook-delete-policy"] == "before-hook-creation"
    spec = job["spec"]["template"]["spec"]
    assert "serviceAccountName" not in spec
    needed = [spec["containers"][0]["envFrom"][0]["configMapRef"]["name"]]
    needed += [volume["configMap"]["name"] for volume in spec["volumes"] if "configMap" in volume]
    for name in needed:
        assert hooks[name]["helm.sh/hook"] == own["helm.sh/hook"], name
        assert int(hooks[name]["helm.sh/hook-weight"]) < int(own["helm.sh/hook-weight"]), name
    for deployment in rendered.of("Deployment").values():
        used = deployment["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"]
        assert "helm.sh/hook" not in hooks[used]


def test_selectors_select(rendered: Rendered) -> None:
    """Deployments, Services and disruption budgets select the pods of their own service, and no others."""
    for kind, path in (("Deployment", "matchLabels"), ("PodDisruptionBudget", "matchLabels"), ("Service", "")):
        for name, each in rendered.of(kind).items():
            selector = each["spec"]["selector"]
            assert rendered.selected(selector[path] if path else selector) == {name.rsplit("-", 1)[1]}, (kind, name)


def test_nothing_else_comes_in_or_goes_out(rendered: Rendered) -> None:
    """With network policies every pod is denied what is not named: ingress is to the services' port alone."""
    policies = rendered.of("NetworkPolicy")
    if not policies:
        assert OTHER["networkPolicy"] == {"enabled": False}
        return
    denying = policies.pop("acme-exemplar")["spec"]
    assert denying["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in denying
    assert rendered.selected(denying["podSelector"]["matchLabels"]) == {*SERVICES, "migrate"}
    assert all(rule["ports"] for rule in denying["egress"])
    for name, policy in policies.items():
        assert rendered.selected(policy["spec"]["podSelector"]["matchLabels"]) == {name.rsplit("-", 1)[1]}
        assert [rule["ports"] for rule in policy["spec"]["ingress"]] == [[{"port": "http", "protocol": "TCP"}]]


def test_peers_are_those_named(fullest: Rendered) -> None:
    """Clients and monitoring reach what is theirs; the brokers are reached at their addresses and port."""
    policies = fullest.of("NetworkPolicy")
    rules: dict[str, list[Any]] = {
        name: policy["spec"]["ingress"][0]["from"] for name, policy in policies.items() if "ingress" in policy["spec"]
    }
    gateway = rules["acme-exemplar-events"].pop()["podSelector"]["matchLabels"]
    assert fullest.selected(gateway) == {"graphql"}
    assert rules == {
        "acme-exemplar-events": [PEER, PEER],
        "acme-exemplar-graphql": [PEER, PEER],
        "acme-exemplar-projections": [PEER],
    }
    egress = policies["acme-exemplar"]["spec"]["egress"]
    assert {"ports": [{"port": 9093, "protocol": "TCP"}], "to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]} in egress
    assert MOST["networkPolicy"]["extraEgress"][0] in egress


def test_the_gateway_reaches_the_events_service(fullest: Rendered) -> None:
    """Disputes go to the Service of the events service, at its port; nothing else in the namespace is open to it."""
    (config, *_) = fullest.of("ConfigMap").values()
    service, port = config["data"]["EXEMPLAR_EVENTS_URL"].removeprefix("http://").split(":")
    found = fullest.of("Service")[service]["spec"]
    assert int(port) in [one["port"] for one in found["ports"]]
    (rule,) = fullest.of("NetworkPolicy")["acme-exemplar-graphql"]["spec"]["egress"]
    assert rule["ports"] == [{"port": "http", "protocol": "TCP"}]
    assert [fullest.selected(peer["podSelector"]["matchLabels"]) for peer in rule["to"]] == [{"events"}]


def test_autoscaling_has_the_last_word(fullest: Rendered) -> None:
    """What is scaled by load has no number of its own, and what scales it names a Deployment that there is."""
    deployments = fullest.of("Deployment")
    for scaler in fullest.of("HorizontalPodAutoscaler").values():
        assert "replicas" not in deployments[scaler["spec"]["scaleTargetRef"]["name"]]["spec"]
    assert len(fullest.of("HorizontalPodAutoscaler")) == 2
    assert deployments["acme-exemplar-projections"]["spec"]["replicas"] == 2


def test_monitoring_finds_every_service(fullest: Rendered) -> None:
    """The operator's monitor selects all three Services, and names the jobs as the alerts do."""
    (monitor,) = fullest.of("ServiceMonitor").values()
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    labels = [service["metadata"]["labels"] for service in fullest.of("Service").values()]
    assert all(wanted <= own.items() for own in labels)
    assert {own[monitor["spec"]["jobLabel"]] for own in labels} == set(SERVICES)


def test_the_outside_reaches_what_is_for_it(fullest: Rendered, tmp_path: Path) -> None:
    """Every path of the events service and the gateway can be reached from outside but metrics and probes."""
    (ingress,) = fullest.of("Ingress").values()
    (rule,) = ingress["spec"]["rules"]
    reached: dict[str, list[tuple[str, str]]] = {}
    for path in rule["http"]["paths"]:
        service = path["backend"]["service"]["name"]
        assert service in fullest.of("Service")
        reached.setdefault(service.removeprefix("acme-exemplar-"), []).append((path["path"], path["pathType"]))
    with opened(Settings(data_dir=tmp_path)) as parts:
        for service, make in (("events", events_app), ("graphql", graphql_app)):
            with make(parts) as app:
                paths = {route.path for route in app.routes if isinstance(route, Route | Mount)}
            inside = {path for path in paths if not any(_covers(at, kind, path) for at, kind in reached[service])}
            assert inside == {"/livez", "/readyz", "/metrics"}, service


def _covers(at: str, kind: str, path: str) -> bool:
    return path == at or (kind == "Prefix" and path.startswith(f"{at}/"))

"""The Helm chart renders what Kubernetes takes, and is secure as it comes."""

import json
from typing import Any

import helm_python
import kubernetes_validate
import pytest
import yaml

from app import __version__
from app.host.settings import Settings
from app.host.tuning import CLOSE_SECONDS, DRAIN_SECONDS
from tests.acceptance.services import ROOT
from tests.charts import ALL_OPTIONS, NEEDED, Manifest, chart, rendered

VERSIONS = ("1.29", "1.37")
ROLES = ("commands", "queries", "projector")


def found(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    """The manifest of that kind and name."""
    [only] = [
        each
        for each in manifests
        if (each["kind"], each["metadata"]["name"]) == (kind, f"diptych-{name}")
    ]
    return only


def pods(manifests: list[Manifest]) -> dict[str, Any]:
    """What the pods of deployments and jobs are, by name."""
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in manifests
        if each["kind"] in {"Deployment", "Job"}
    }


def variables(manifests: list[Manifest], name: str) -> dict[str, Any]:
    """The environment of a pod's process: values, or where they come from."""
    [container] = pods(manifests)[f"diptych-{name}"]["containers"]
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_what_is_rendered(version):
    """By the schemas of the oldest and of the newest version that the chart is for."""
    manifests = rendered(ALL_OPTIONS)
    for each in manifests:
        if each["apiVersion"] != "monitoring.coreos.com/v1":  # Prometheus Operator's
            kubernetes_validate.validate(each, version, strict=True)
    assert {each["kind"] for each in manifests} == {
        "ConfigMap",
        "Deployment",
        "HorizontalPodAutoscaler",
        "Ingress",
        "Job",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "PodMonitor",
        "PrometheusRule",
        "Service",
    }


def test_it_installs_the_version_of_this_checkout():
    """The image's tag is the version, unless values say otherwise."""
    assert chart().metadata["appVersion"] == chart().version == __version__
    assert {
        each["containers"][0]["image"]
        for name, each in pods(rendered(NEEDED)).items()
        if name != "diptych-front"
    } == {f"registry.example.com/diptych:{__version__}"}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"auth": {}}, "auth"),
        ({"auth": {"issuers": ["https://login.example.com"]}}, "audiences"),
        ({"auth": {"keysOnly": True, **NEEDED["auth"]}}, "auth"),
        ({"settings": {"AUTH": "none-anywhere"}}, "AUTH"),
        ({"settings": {"DATABASE_URL": "postgresql://diptych:secret@db/"}}, "DATABASE_URL"),
        ({"hosts": []}, "hosts"),
        ({"database": {}}, "secret"),
        ({"commands": {"replica": 3}}, "replica"),
        ({"podMonitor": {"enabled": True}}, "keySecret"),
    ],
)
def test_values_that_cannot_be_used_are_refused(wrong, named):
    """Before anything is installed, and what is missing or too much is named."""
    with pytest.raises(helm_python.HelmError, match=named):
        rendered({**NEEDED, **wrong})


def test_api_keys_alone_are_enough():
    """Where there is no issuer of tokens."""
    environment = variables(rendered({**NEEDED, "auth": {"keysOnly": True}}), "queries")
    assert environment["AUTH"] == "keys"
    assert "AUTH_ISSUERS" not in environment


def test_each_process_gets_what_its_role_needs_and_no_more():
    """Its databases' URLs from the Secret; and all names are those of settings."""
    manifests = rendered(ALL_OPTIONS)
    environments = {each: variables(manifests, each) for each in (*ROLES, "previous-projector")}
    urls = {each: set(environments[each]) & {"DATABASE_URL", "MONGODB_URL"} for each in ROLES}
    assert urls == {
        "commands": {"DATABASE_URL"},
        "queries": {"MONGODB_URL"},
        "projector": {"DATABASE_URL", "MONGODB_URL"},
    }
    assert {each: it["ROLES"] for each, it in environments.items()} == {
        **{each: each for each in ROLES},
        "previous-projector": "projector",
    }
    names = {name.lower() for each in environments.values() for name in each} - {"pod_ip"}
    assert names <= set(Settings.model_fields)
    assert environments["commands"]["RATE_LIMIT"] == "6000"
    assert "secretKeyRef" in environments["commands"]["DATABASE_URL"]


def test_no_pod_has_more_rights_than_it_needs():
    """No root, no capability, no file to write, no token of the cluster."""
    for name, pod in pods(rendered(ALL_OPTIONS)).items():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["limits"]["memory"], name


def test_roles_are_reached_by_nginx_and_prometheus_alone():
    """And they reach the ports of their databases, DNS and issuers."""
    manifests = rendered(NEEDED)
    for role, ports in {
        "commands": [5432, 443],
        "queries": [27017, 443],
        "projector": [5432, 27017, 443],
    }.items():
        policy = found(manifests, "NetworkPolicy", role)["spec"]
        [ingress] = policy["ingress"]
        [only] = ingress["from"]
        assert only["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "front"
        assert [each["port"] for each in policy["egress"][1]["ports"]] == ports


def test_nginx_sends_requests_to_the_services_of_the_roles():
    """The configuration is the tested one, and names services that there are."""
    manifests = rendered(NEEDED)
    configuration = found(manifests, "ConfigMap", "front")["data"]["default.conf"]
    for role in ROLES:
        service = found(manifests, "Service", role)
        [port] = service["spec"]["ports"]
        assert f"server {service['metadata']['name']}:{port['port']};" in configuration
        deployment = found(manifests, "Deployment", role)["spec"]
        assert service["spec"]["selector"] == deployment["selector"]["matchLabels"]
        assert (
            service["spec"]["selector"].items()
            <= deployment["template"]["metadata"]["labels"].items()
        )
    assert "${" not in "\n".join(
        each for each in configuration.splitlines() if not each.startswith("#")
    )


def test_a_stop_has_the_time_that_it_takes():
    """Longer than the delay, the requests under way and the closing of connections."""
    for delay in (0, 10, 300):
        manifests = rendered({**NEEDED, "stopDelaySeconds": delay})
        for role in ROLES:
            spec = pods(manifests)[f"diptych-{role}"]
            assert variables(manifests, role)["STOP_DELAY"] == str(delay)
            assert spec["terminationGracePeriodSeconds"] > delay + DRAIN_SECONDS + CLOSE_SECONDS


def test_replicas_are_left_to_the_autoscaler():
    """Else each upgrade would set them back."""
    scaled = rendered(ALL_OPTIONS)
    assert "replicas" not in found(scaled, "Deployment", "queries")["spec"]
    assert found(scaled, "HorizontalPodAutoscaler", "queries")["spec"]["maxReplicas"] == 6
    assert found(rendered(NEEDED), "Deployment", "queries")["spec"]["replicas"] == 2


def test_the_schema_comes_first():
    """The migration is a hook before installs and upgrades."""
    job = found(rendered(NEEDED), "Job", "migration")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert container["args"] == ["migrate"]


def test_operators_reach_a_projector_that_is_not_ready():
    """One with a stopped projection is where it is seen to."""
    service = found(rendered(NEEDED), "Service", "projector")
    assert service["spec"]["publishNotReadyAddresses"] is True


def test_alerts_and_dashboard_are_those_of_this_checkout():
    """The chart has links to them, and their braces are no templates of its own."""
    manifests = rendered(ALL_OPTIONS)
    [rule] = [each for each in manifests if each["kind"] == "PrometheusRule"]
    assert rule["spec"] == yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text("utf-8"))
    dashboard = found(manifests, "ConfigMap", "dashboard")["data"]["diptych.json"]
    source = (ROOT / "deploy/grafana/dashboard.json").read_text("utf-8")
    assert json.loads(dashboard) == json.loads(source)
    assert not [each for each in rendered(NEEDED) if each["kind"].startswith(("Prom", "PodM"))]

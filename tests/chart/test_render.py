"""What the chart makes of its values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from study_operator.edge.check import RIGHTS
from study_operator.operator import main

from tests.chart.chart import (
    CHART,
    EVERYTHING,
    ROOT,
    VERSION,
    container,
    helm,
    names,
    of_kind,
    only,
    pod_spec,
    render,
    template,
)

OPTIONAL = {"PodDisruptionBudget", "NetworkPolicy", "PodMonitor", "PrometheusRule", "ConfigMap"}
CLUSTER_ROLES = {"ClusterRole", "ClusterRoleBinding"}


def test_lint_is_content() -> None:
    for values in ({}, EVERYTHING, {"watchNamespaces": ["team"]}):
        assert "1 chart(s) linted, 0 chart(s) failed" in helm("lint", "--strict", str(CHART), values=values).stdout


def test_rendering_is_deterministic() -> None:
    assert template(EVERYTHING) == template(EVERYTHING)


def test_by_default_there_is_what_is_needed_and_no_more() -> None:
    kinds = {document["kind"] for document in render()}
    assert kinds & OPTIONAL == set()
    assert {"Deployment", "ServiceAccount", "ValidatingAdmissionPolicy", "CustomResourceDefinition"} <= kinds
    assert {document["kind"] for document in render(EVERYTHING)} >= OPTIONAL


def test_the_custom_resource_definitions_are_those_of_the_repository() -> None:
    for name in ("studies.yaml", "trials.yaml"):
        assert (CHART / "files" / "crds" / name).read_bytes() == (ROOT / "crds" / name).read_bytes()
    rendered = of_kind(render({"crds": {"keep": False}}), "CustomResourceDefinition")
    assert rendered == [yaml.safe_load((ROOT / "crds" / name).read_text()) for name in ("studies.yaml", "trials.yaml")]


def test_the_custom_resource_definitions_outlive_the_release_unless_told_otherwise() -> None:
    kept = of_kind(render(), "CustomResourceDefinition")
    assert [crd["metadata"]["annotations"] for crd in kept] == [{"helm.sh/resource-policy": "keep"}] * 2
    assert of_kind(render({"crds": {"enabled": False}}), "CustomResourceDefinition") == []


def test_a_release_for_some_namespaces_has_roles_there_and_none_of_the_cluster() -> None:
    objects = render({"watchNamespaces": ["blue", "green"]})
    assert of_kind(objects, *CLUSTER_ROLES) == []
    assert [role["metadata"]["namespace"] for role in of_kind(objects, "Role")] == ["blue", "green", "blue"]
    assert [role["metadata"]["namespace"] for role in of_kind(objects, "RoleBinding")] == ["blue", "green", "blue"]
    assert container(objects)["args"][:2] == ["--namespace=blue", "--namespace=green"]
    selector = only(objects, "ValidatingAdmissionPolicyBinding")["spec"]["matchResources"]["namespaceSelector"]
    assert selector["matchExpressions"][0]["values"] == ["blue", "green"]


def test_where_the_policy_does_not_apply_can_be_said() -> None:
    objects = render({"admissionPolicy": {"exemptNamespaces": ["infra"], "serviceAccounts": ["*"]}})
    selector = only(objects, "ValidatingAdmissionPolicyBinding")["spec"]["matchResources"]["namespaceSelector"]
    [exempt] = selector["matchExpressions"]
    assert exempt == {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["infra"]}
    policy, default = (json.dumps(only(each, "ValidatingAdmissionPolicy")) for each in (objects, render()))
    assert "not under" in default and "not under" not in policy and "impersonate" in policy


def test_a_release_without_rights_on_the_cluster_can_be_installed() -> None:
    objects = render({"watchNamespaces": ["blue"], "crds": {"enabled": False}, "admissionPolicy": {"enabled": False}})
    assert all(document["metadata"].get("namespace") for document in objects), names(objects)


def test_releases_for_some_namespaces_do_not_collide() -> None:
    ours, theirs = (
        {
            (document["kind"], document["metadata"].get("namespace"), document["metadata"]["name"])
            for document in render(
                {"watchNamespaces": [team], "crds": {"enabled": False}}, namespace=f"operator-{team}"
            )
        }
        for team in ("blue", "green")
    )
    assert ours & theirs == set()


def test_releases_for_all_namespaces_share_their_lease() -> None:
    leases = {
        argument
        for release, namespace in (("one", "first"), ("two", "second"))
        for argument in container(render(release=release, namespace=namespace))["args"]
        if argument.startswith(("--lease-name", "--lease-namespace"))
    }
    assert leases == {"--lease-namespace=kube-system", "--lease-name=study-operator"}


def test_the_rights_are_those_that_the_operator_checks() -> None:
    [role] = [role for role in of_kind(render(), "ClusterRole") if role["metadata"]["name"] == "study-operator"]
    granted = {
        (group, resource): tuple(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        if not resource.endswith("/finalizers")
    }
    assert granted == dict(RIGHTS)


@pytest.mark.parametrize("values", [{}, EVERYTHING], ids=["default", "everything"])
def test_the_pods_meet_the_restricted_standard(values: dict[str, Any]) -> None:
    objects = render(values)
    for spec in (pod_spec(objects), only(objects, "Pod")["spec"]):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for each in spec["containers"]:
            assert each["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
        assert all({"emptyDir", "projected"} & volume.keys() for volume in spec["volumes"])


def test_secrets_are_mounted_and_never_options() -> None:
    objects = render(EVERYTHING)
    folder = "/etc/study-operator/prometheus"
    arguments = container(objects)["args"]
    assert f"--prometheus-bearer-token-file={folder}/bearer-token" in arguments
    assert f"--prometheus-header=X-Key=@{folder}/headers/X-Key" in arguments
    assert {"name": "prometheus", "mountPath": folder, "readOnly": True} in container(objects)["volumeMounts"]
    [volume] = [volume for volume in pod_spec(objects)["volumes"] if volume["name"] == "prometheus"]
    paths = [item["path"] for source in volume["projected"]["sources"] for item in source["secret"]["items"]]
    assert paths == ["bearer-token", "ca.crt", "tls.crt", "tls.key", "headers/X-Key"]
    assert "env" not in container(render()) and "secretKeyRef" not in template(EVERYTHING)


@pytest.mark.parametrize("values", [{}, EVERYTHING, {"leaderElection": {"enabled": False}}])
def test_the_operator_takes_the_options(values: dict[str, Any], tmp_path: Path) -> None:
    """Each is one of its command line's; files are looked for on this machine."""
    arguments = [
        argument.replace("/etc/study-operator/prometheus", str(tmp_path))
        for argument in container(render(values))["args"]
    ]
    (tmp_path / "headers").mkdir()
    for name in ("bearer-token", "ca.crt", "tls.crt", "tls.key", "headers/X-Key"):
        (tmp_path / name).write_text("secret")
    context = main.make_context("study-operator", arguments)
    assert context.params["http_port"] == 8080
    assert CliRunner().invoke(main, ["--no-such-option"]).exit_code == 2


def test_every_field_of_the_pod_that_one_sets_arrives() -> None:
    objects = render(EVERYTHING)
    spec, deployment = pod_spec(objects), only(objects, "Deployment")
    for name in (
        "affinity", "tolerations", "nodeSelector", "priorityClassName", "schedulerName", "runtimeClassName",
        "imagePullSecrets", "dnsPolicy", "dnsConfig", "hostAliases", "terminationGracePeriodSeconds",
    ):  # fmt: skip
        assert spec[name] == EVERYTHING[name]
    assert deployment["spec"]["revisionHistoryLimit"] == 1
    assert deployment["metadata"]["annotations"] == {"note": "deployment"}
    assert deployment["spec"]["template"]["metadata"]["annotations"]["note"] == "pod"
    assert deployment["spec"]["template"]["metadata"]["labels"]["tier"] == "platform"
    assert container(objects)["env"] == EVERYTHING["extraEnv"]
    assert {"name": "more", "mountPath": "/more"} in container(objects)["volumeMounts"]
    assert {"name": "more", "emptyDir": {}} in spec["volumes"]
    [spread] = spec["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"] == deployment["spec"]["selector"]["matchLabels"]
    account = next(each for each in of_kind(objects, "ServiceAccount") if each["metadata"]["name"] == "study-operator")
    assert account["metadata"]["annotations"] == {"note": "account"}
    assert account["metadata"]["labels"]["note"] == "account"


def test_a_spread_that_says_which_pods_it_is_of_is_of_these() -> None:
    spread = {**EVERYTHING["topologySpreadConstraints"][0], "labelSelector": {"matchLabels": {"tier": "platform"}}}
    assert pod_spec(render({"topologySpreadConstraints": [spread]}))["topologySpreadConstraints"] == [spread]


def test_common_labels_are_on_everything_but_the_custom_resource_definitions() -> None:
    labels = [each["metadata"]["labels"] for each in render(EVERYTHING) if each["kind"] != "CustomResourceDefinition"]
    assert all(each["team"] == "ml" for each in labels)


def test_what_one_object_is_given_goes_before_what_all_have() -> None:
    given = {"enabled": True, "labels": {"release": "stack"}}
    objects = render(
        {
            "commonLabels": {"release": "study-operator"},
            "podAnnotations": {"kubectl.kubernetes.io/default-container": "more"},
            "podMonitor": {**given, "trials": given},
            "prometheusRule": given,
            "grafanaDashboard": given,
        }
    )
    selected = of_kind(objects, "PodMonitor", "PrometheusRule", "ConfigMap")
    assert [each["metadata"]["labels"]["release"] for each in selected] == ["stack"] * 4
    annotations = only(objects, "Deployment")["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {"kubectl.kubernetes.io/default-container": "more"}


def test_the_selector_is_of_labels_that_no_value_changes() -> None:
    name = "app.kubernetes.io/name"
    changed = {"commonLabels": {"a": "b", name: "x"}, "podLabels": {"c": "d", name: "y"}, "image": {"tag": "2"}}
    ours, theirs = (only(render(values), "Deployment")["spec"] for values in ({}, changed))
    assert ours["selector"] == theirs["selector"]
    pod_labels = theirs["template"]["metadata"]["labels"]
    assert pod_labels | theirs["selector"]["matchLabels"] == pod_labels


def test_the_pod_of_helm_test_is_none_of_the_deployments() -> None:
    objects = render(EVERYTHING)
    labels = only(objects, "Pod")["metadata"]["labels"]
    assert labels | only(objects, "Deployment")["spec"]["selector"]["matchLabels"] != labels


@pytest.mark.parametrize(
    ("values", "image"),
    [
        ({}, f"study-operator:{VERSION}"),
        ({"image": {"repository": "registry:5000/ml/operator", "tag": "1"}}, "registry:5000/ml/operator:1"),
        ({"image": {"registry": "mirror:5000/ml"}}, f"mirror:5000/ml/study-operator:{VERSION}"),
        ({"image": {"registry": "ours"}, "global": {"imageRegistry": "theirs"}}, f"theirs/study-operator:{VERSION}"),
        ({"image": {"digest": f"sha256:{0:064}"}}, f"study-operator:{VERSION}@sha256:{0:064}"),
    ],
)
def test_the_image_is_from_where_one_says(values: dict[str, Any], image: str) -> None:
    assert container(render(values))["image"] == image


def test_pull_secrets_of_the_chart_and_of_the_one_that_it_is_part_of_are_used_together() -> None:
    ours, theirs = {"name": "ours"}, {"name": "theirs"}
    values = {"imagePullSecrets": [ours], "global": {"imagePullSecrets": [theirs, ours]}}
    assert pod_spec(render(values))["imagePullSecrets"] == [ours, theirs]


def test_a_chart_that_this_one_is_part_of_can_leave_it_out(tmp_path: Path) -> None:
    dependency = {"name": CHART.name, "version": VERSION, "condition": f"{CHART.name}.enabled"}
    about = {"apiVersion": "v2", "name": "platform", "version": "1.0.0", "dependencies": [dependency]}
    (tmp_path / "Chart.yaml").write_text(json.dumps(about))
    (tmp_path / "charts").mkdir()
    (tmp_path / "charts" / CHART.name).symlink_to(CHART)
    for enabled in (True, False):
        rendered = helm("template", "platform", str(tmp_path), values={CHART.name: {"enabled": enabled}}).stdout
        assert ("kind: Deployment" in rendered) is enabled


def test_a_service_account_that_is_there_can_be_used() -> None:
    objects = render({"serviceAccount": {"create": False, "name": "ours"}})
    assert of_kind(objects, "ServiceAccount") == []
    assert pod_spec(objects)["serviceAccountName"] == "ours"
    bindings = of_kind(objects, "ClusterRoleBinding", "RoleBinding")
    assert [binding["subjects"][0]["name"] for binding in bindings] == ["ours", "ours"]


def test_names_can_be_replaced() -> None:
    assert only(render({"nameOverride": "studies"}, release="x"), "Deployment")["metadata"]["name"] == "x-studies"
    objects = render({"fullnameOverride": "tuner"}, release="x")
    named = {each["metadata"]["name"] for each in objects if each["kind"] != "CustomResourceDefinition"}
    assert all("tuner" in name for name in named), named


def test_names_that_look_like_something_else_stay_names() -> None:
    """YAML takes some for numbers or booleans."""
    pod = {"priorityClassName": "1000", "runtimeClassName": "0", "schedulerName": "off"}
    for values in ({"nameOverride": "12"}, {"fullnameOverride": "34", "watchNamespaces": ["no"]}):
        objects = render(
            {**EVERYTHING, **pod, "serviceAccount": {"name": "7"}, **values}, release="123", namespace="2024"
        )
        for each in of_kind(objects, *{each["kind"] for each in objects} - {"CustomResourceDefinition"}):
            metadata = each["metadata"]
            named = {metadata["name"], metadata.get("namespace", ""), *metadata["labels"].values()}
            assert all(isinstance(name, str) for name in named), metadata
        spec = pod_spec(objects)
        assert spec == spec | pod and spec["serviceAccountName"] == "7"
        assert {binding["subjects"][0]["namespace"] for binding in of_kind(objects, "RoleBinding")} == {"2024"}


def test_a_users_name_is_taken_as_it_is() -> None:
    basic = {"username": "vision: team #1", "passwordSecretName": "password"}
    arguments = container(render({"prometheus": {"url": "http://prometheus", "basicAuth": basic}}))["args"]
    assert "--prometheus-username=vision: team #1" in arguments


def test_more_objects_are_templates() -> None:
    [more] = [each for each in render(EVERYTHING) if each["metadata"]["name"] == "more"]
    assert more["metadata"]["namespace"] == "study-operator"


def test_who_may_read_the_metrics_can_be_said() -> None:
    def ingress(**network_policy: Any) -> Any:
        values = {"networkPolicy": {"enabled": True, **network_policy}}
        return only(render(values), "NetworkPolicy")["spec"]["ingress"]

    monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    assert ingress() == [{"ports": [{"port": "http"}]}]
    assert ingress(metricsFrom=[monitoring]) == [{"ports": [{"port": "http"}], "from": [monitoring]}]


def test_without_the_lease_an_update_stops_the_old_replica_first() -> None:
    objects = render({"leaderElection": {"enabled": False}})
    assert only(objects, "Deployment")["spec"]["strategy"] == {"type": "Recreate"}
    assert "--no-leader-election" in container(objects)["args"]
    assert not any("leases" in json.dumps(role) for role in of_kind(objects, "Role"))


def test_the_trials_are_scraped_by_the_identity_of_their_pods() -> None:
    [_, trials] = of_kind(render(EVERYTHING), "PodMonitor")
    [endpoint] = trials["spec"]["podMetricsEndpoints"]
    assert (endpoint["honorLabels"], endpoint["honorTimestamps"], endpoint["port"]) == (False, True, "metrics")
    assert trials["spec"]["namespaceSelector"] == {"any": True}
    assert (trials["spec"]["bodySizeLimit"], trials["spec"]["sampleLimit"]) == ("16MB", 500_000)


def test_the_trials_can_be_scraped_at_the_interval_of_prometheus_itself() -> None:
    [trials] = of_kind(render({"podMonitor": {"trials": {"enabled": True, "interval": ""}}}), "PodMonitor")
    assert "interval" not in trials["spec"]["podMetricsEndpoints"][0]

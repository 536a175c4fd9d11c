"""The chart, rendered by the real helm."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.binaries import find_or_build

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "study-operator"
NAMESPACE = "study-operator"
VERSION: str = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]

Object = dict[str, Any]
Values = Mapping[str, Any]

EVERYTHING: Values = {
    "replicas": 2,
    "imagePullSecrets": [{"name": "registry"}],
    "prometheus": {
        "url": "https://prometheus.monitoring:9090/prefix",
        "bearerToken": {"secretName": "token"},
        "tls": {"caSecretName": "authority", "clientCertificateSecretName": "client"},
        "headers": {"X-Scope-OrgID": "team"},
        "secretHeaders": [{"name": "X-Key", "secretName": "keys", "key": "prometheus"}],
    },
    "podDisruptionBudget": {"enabled": True},
    "networkPolicy": {"enabled": True, "metricsFrom": [{"namespaceSelector": {}}]},
    "podMonitor": {
        "enabled": True,
        "interval": "30s",
        "relabelings": [{"targetLabel": "cluster", "replacement": "blue"}],
        "metricRelabelings": [{"sourceLabels": ["__name__"], "regex": "python_.*", "action": "drop"}],
        "trials": {
            "enabled": True,
            "labels": {"release": "stack"},
            "relabelings": [{"targetLabel": "cluster", "replacement": "blue"}],
            "metricRelabelings": [{"regex": "shard", "action": "labeldrop"}],
            "bodySizeLimit": "16MB",
            "sampleLimit": 500_000,
        },
    },
    "prometheusRule": {"enabled": True, "alertLabels": {"team": "ml"}, "runbookUrlPrefix": "https://wiki/"},
    "grafanaDashboard": {"enabled": True, "namespace": "default"},
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
    ],
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
    "extraVolumes": [{"name": "more", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
    "extraObjects": [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "more", "namespace": "{{ .Release.Namespace }}", "labels": {"team": "ml"}},
        }
    ],
    "affinity": {"nodeAffinity": {}},
    "tolerations": [{"key": "infra", "operator": "Exists"}],
    "nodeSelector": {"pool": "infra"},
    "priorityClassName": "infra",
    "schedulerName": "bin-packing",
    "runtimeClassName": "kata",
    "dnsPolicy": "None",
    "dnsConfig": {"nameservers": ["10.0.0.10"], "options": [{"name": "ndots", "value": "2"}]},
    "hostAliases": [{"ip": "10.1.2.3", "hostnames": ["prometheus.example.com"]}],
    "revisionHistoryLimit": 1,
    "terminationGracePeriodSeconds": 20,
    "serviceAccount": {"annotations": {"note": "account"}, "labels": {"note": "account"}},
    "podAnnotations": {"note": "pod"},
    "podLabels": {"tier": "platform"},
    "deploymentAnnotations": {"note": "deployment"},
    "commonLabels": {"team": "ml"},
}
"""Values that turn on all there is."""


def helm(*arguments: str, values: Mapping[str, Any] = {}, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run helm; ``values`` go in as a file."""
    command = [str(find_or_build("helm")), *arguments, *(["--values=/dev/stdin"] if values else [])]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True)
    assert not (check and done.returncode), done.stderr
    return done


def template(
    values: Mapping[str, Any] = {}, *arguments: str, release: str = "study-operator", namespace: str = NAMESPACE
) -> str:
    """What ``helm template`` prints."""
    return helm("template", release, str(CHART), f"--namespace={namespace}", *arguments, values=values).stdout


def render(
    values: Mapping[str, Any] = {}, *arguments: str, release: str = "study-operator", namespace: str = NAMESPACE
) -> list[Object]:
    """The objects of the release."""
    return _parsed(template(values, *arguments, release=release, namespace=namespace))


@cache
def _parsed(text: str) -> list[Object]:
    return [document for document in yaml.load_all(text, _Loader) if document]


class _Loader(yaml.SafeLoader):
    """Refuses a key that a map has twice, as kustomize and Flux do; helm takes the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        made = super().construct_mapping(node, deep)
        assert len(made) == len(node.value), f"a key is there twice: {node.start_mark}"
        return made


def refusal(values: Values) -> str:
    """What helm says as it refuses the values."""
    done = helm("template", "study-operator", str(CHART), values=values, check=False)
    assert done.returncode, "the values were not refused"
    return done.stderr


def of_kind(objects: Iterable[Object], *kinds: str) -> list[Object]:
    return [document for document in objects if document["kind"] in kinds]


def only(objects: Iterable[Object], kind: str) -> Object:
    [found] = of_kind(objects, kind)
    return found


def pod_spec(objects: Iterable[Object]) -> Object:
    spec: Object = only(objects, "Deployment")["spec"]["template"]["spec"]
    return spec


def container(objects: Iterable[Object]) -> Object:
    [found] = pod_spec(objects)["containers"]
    assert isinstance(found, dict)
    return found


def names(objects: Iterable[Object]) -> Sequence[tuple[str, str]]:
    return [(document["kind"], document["metadata"]["name"]) for document in objects]

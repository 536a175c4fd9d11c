"""The values: documented, and refused where they cannot work."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from tests.chart.chart import CHART, ROOT, refusal, render


def test_the_readme_is_up_to_date_and_every_value_is_explained() -> None:
    done = subprocess.run([sys.executable, ROOT / "charts" / "reference.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = [line for line in (CHART / "README.md").read_text().splitlines() if line.startswith("| `")]
    assert len(rows) > 70 and not [row for row in rows if row.endswith("|  |")]


def test_the_schema_knows_exactly_the_values_that_there_are() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())

    def compare(values: dict[str, Any], node: dict[str, Any], path: str) -> None:
        if not values or node.get("additionalProperties") is not False:
            return
        ours = set(node["properties"]) - {"claims"}
        assert ours == set(values), path
        for name, value in values.items():
            if isinstance(value, dict):
                compare(value, node["properties"][name], f"{path}.{name}")

    compare(yaml.safe_load((CHART / "values.yaml").read_text()), schema, "")


def test_every_value_that_the_documentation_names_is_there() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    named = {
        path
        for page in (ROOT / "docs").glob("*.md")
        for path in re.findall(r"`([a-zA-Z]+(?:\.[a-zA-Z]+)+)[:`]", page.read_text())
        if path.split(".")[0] in values.keys() - {"resources"}  # a pod has those too
    }
    assert len(named) > 20
    for path in named:
        node: Any = values
        for name in path.split("."):
            assert name in node, path
            node = node[name]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"replica": 2}, "replica"),
        ({"replicas": "two"}, "/replicas"),
        ({"watchNamespaces": "team"}, "/watchNamespaces"),
        ({"watchNamespaces": ["Team A"]}, "/watchNamespaces/0"),
        ({"prometheus": {"url": "prometheus:9090"}}, "/prometheus/url"),
        ({"prometheus": {"url": "http://user:password@prometheus"}}, "/prometheus/url"),
        ({"prometheus": {"headers": {"no header": "x"}}}, "at '/prometheus/headers': additional properties"),
        ({"prometheus": {"headers": {"authorization": "Bearer x"}}}, "prometheus.headers.authorization: its value is"),
        ({"prometheus": {"basicAuth": {"username": "ann"}}}, "prometheus.basicAuth: username and passwordSecretName"),
        ({"prometheus": {"tls": {"caSecretName": "a", "caConfigMapName": "b"}}}, "prometheus.tls: caSecretName and"),
        ({"prometheus": {"bearerToken": {"secretName": "t"}}}, "prometheus.url: it is empty"),
        (
            {
                "prometheus": {
                    "basicAuth": {"username": "ann", "passwordSecretName": "p"},
                    "bearerToken": {"secretName": "t"},
                }
            },
            "prometheus: bearerToken and basicAuth are both set",
        ),
        ({"admissionPolicy": {"validationActions": ["Deny", "Warn"]}}, "/admissionPolicy/validationActions"),
        ({"admissionPolicy": {"serviceAccounts": []}}, "/admissionPolicy/serviceAccounts"),
        ({"log": {"level": "loud"}}, "/log/level"),
        ({"extraArgs": ["prometheus"]}, "/extraArgs/0"),
        ({"image": {"digest": "sha256:abc"}}, "/image/digest"),
        ({"image": {"repository": "registry/operator:1"}}, "/image/repository"),
        ({"prometheusRule": {"disabledAlerts": ["Stalled"]}}, "/prometheusRule/disabledAlerts/0"),
        ({"serviceAccount": {"create": False}}, "serviceAccount.name: name the ServiceAccount"),
        ({"hostAliases": [{"hostnames": ["a"]}]}, "/hostAliases/0"),
        ({"replicas": 2, "leaderElection": {"enabled": False}}, "more than one replica needs leaderElection.enabled"),
    ],
)
def test_what_cannot_work_is_refused_with_its_place(values: dict[str, Any], said: str) -> None:
    assert said in refusal(values)


def test_another_kubernetes_than_it_is_made_for_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"chart requires kubeVersion: >=1\.30"):
        render({}, "--kube-version=1.29.0")

"""The alerts and the dashboard, by Prometheus' own tools and over the metrics that the operator has."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest
from study_operator.backends.port import StudyKey
from study_operator.edge.telemetry import OperatorTelemetry

from tests.chart.chart import CHART, EVERYTHING, ROOT, only, render
from tests.chart.conftest import Cluster
from tests.cluster.binaries import find_or_build
from tests.cluster.prometheus import PrometheusServer, fixed_targets
from tests.cluster.waiting import eventually
from tests.end_to_end.studies import RECORD
from tests.kubernetes.conftest import manifest

BEST = 'study_operator_study_best_objective{namespace="$namespace",study="$study"}'
METRIC = re.compile(r"\b(?:study_operator|process)_\w+")

STUDY = 'namespace="team", study="bert"'
OVERLOADED = {
    'study_operator_queue_depth{job="operator", instance="a"}': "300x60",
    'study_operator_reconcile_seconds_count{job="operator", instance="a", outcome="ok"}': "0+120x60",
}
"""Two passes a second, and 300 studies before each: a study waits for 150 seconds."""
CASES: Mapping[str, tuple[dict[str, str], dict[str, str]]] = {
    "StudyStalled": (
        {f'study_operator_study_condition{{{STUDY}, condition="Stalled"}}': "1x60"},
        {"severity": "warning", "namespace": "team", "study": "bert"},
    ),
    "StudyMetricsMissing": (
        {
            f'study_operator_study_condition{{{STUDY}, condition="MetricsAvailable"}}': "0x60",
            f'study_operator_study_condition{{{STUDY}, condition="Finished"}}': "0x60",
        },
        {"severity": "warning", "namespace": "team", "study": "bert"},
    ),
    "StudyOperatorMetricsSourceFailing": (
        {'study_operator_metrics_failures_total{job="operator"}': "0+1x60"},
        {"severity": "warning", "job": "operator"},
    ),
    "StudyOperatorReconcileErrors": (
        {'study_operator_reconcile_seconds_count{job="operator", outcome="error"}': "0+1x60"},
        {"severity": "critical", "job": "operator"},
    ),
    "StudyOperatorQueueStuck": (
        {
            'study_operator_queue_depth{job="operator", instance="a"}': "3x60",
            'study_operator_reconcile_seconds_count{job="operator", instance="a", outcome="ok"}': "9x60",
        },
        {"severity": "critical", "job": "operator", "instance": "a"},
    ),
    "StudyOperatorApiRequestsFailing": (
        {
            'study_operator_api_requests_total{job="operator", code="403", verb="patch"}': "0+3x60",
            'study_operator_api_requests_total{job="operator", code="200", verb="get"}': "0+7x60",
        },
        {"severity": "warning", "job": "operator"},
    ),
    "StudyOperatorDown": ({'study_operator_leading{instance="b"}': "0x60"}, {"severity": "critical"}),
}
FINISHED = {
    f'study_operator_study_condition{{{STUDY}, condition="MetricsAvailable"}}': "0x60",
    f'study_operator_study_condition{{{STUDY}, condition="Finished"}}': "1x60",
}
"""Nobody can give a finished study its curves any more."""
WELL = {
    f'study_operator_study_condition{{{STUDY}, condition="Finished"}}': "0x60",
    f'study_operator_study_condition{{{STUDY}, condition="Stalled"}}': "0x60",
    f'study_operator_study_condition{{{STUDY}, condition="MetricsAvailable"}}': "1x60",
    'study_operator_reconcile_seconds_count{job="operator", instance="a", outcome="ok"}': "0+5x60",
    'study_operator_queue_depth{job="operator", instance="a"}': "1x60",
    'study_operator_metrics_failures_total{job="operator"}': "0x60",
    'study_operator_api_requests_total{job="operator", code="200", verb="get"}': "0+7x60",
    'study_operator_api_requests_total{job="operator", code="409", verb="create"}': "0+3x60",
    'study_operator_leading{instance="a"}': "1x60",
    'study_operator_leading{instance="b"}': "0x60",
}
"""A cluster in which all is well: a standby replica, and a study that runs."""


def alerts() -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["rules"]
    return rules


def promtool(tmp_path: Path, tests: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "study-operator", "rules": alerts()}]}))
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(document))
    return subprocess.run(
        [find_or_build("promtool"), "test", "rules", "tests.yaml"], cwd=tmp_path, capture_output=True, text=True
    )


def _case(series: Mapping[str, str], alert: str, expected: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"alertname": alert, "eval_time": "40m", "exp_alerts": expected}],
    }


def _expected(alert: str, labels: Mapping[str, str]) -> dict[str, Any]:
    [rule] = [rule for rule in alerts() if rule["alert"] == alert]
    filled = {
        name: re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda match: labels[match[1]], text)
        for name, text in rule["annotations"].items()
    }
    return {"exp_labels": dict(labels), "exp_annotations": filled}


def test_each_alert_rings_for_its_cause_and_is_silent_where_all_is_well(tmp_path: Path) -> None:
    ringing = [_case(series, alert, [_expected(alert, labels)]) for alert, (series, labels) in CASES.items()]
    stuck = "StudyOperatorQueueStuck"
    ringing.append(_case(OVERLOADED, stuck, [_expected(stuck, CASES[stuck][1])]))
    silent = [_case(WELL, alert, []) for alert in CASES]
    silent.append(_case(FINISHED, "StudyMetricsMissing", []))
    done = promtool(tmp_path, ringing + silent)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested_and_has_its_runbook_and_its_place_in_the_documentation() -> None:
    operations = (ROOT / "docs" / "operations.md").read_text()
    assert [rule["alert"] for rule in alerts()] == list(CASES)
    for rule in alerts():
        assert len(rule["annotations"]["runbook"]) > 60
        annotations, begins = rule["annotations"], f"### {rule['alert']}\n"
        [section] = re.findall(rf"{begins}(.*?)(?=\n### |\Z)", operations, re.DOTALL)
        assert _as_documented(annotations["runbook"]) in section
        assert f"`{rule['labels']['severity']}`, after {rule['for']}" in section


def _as_documented(text: str) -> str:
    return re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda label: label[1].upper(), text)


def test_an_alert_can_be_left_out_and_its_severity_replaced() -> None:
    values = {"enabled": True, "disabledAlerts": ["StudyStalled"], "alertLabels": {"severity": "info"}}
    [group] = only(render({"prometheusRule": values}), "PrometheusRule")["spec"]["groups"]
    assert [rule["alert"] for rule in group["rules"]] == [name for name in CASES if name != "StudyStalled"]
    assert {rule["labels"]["severity"] for rule in group["rules"]} == {"info"}
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert schema["properties"]["prometheusRule"]["properties"]["disabledAlerts"]["items"]["enum"] == list(CASES)


def test_the_rule_of_the_release_is_the_alerts_with_the_releases_labels() -> None:
    [group] = only(render(EVERYTHING), "PrometheusRule")["spec"]["groups"]
    assert [rule["expr"] for rule in group["rules"]] == [rule["expr"] for rule in alerts()]
    assert all(rule["labels"]["team"] == "ml" for rule in group["rules"])
    assert group["rules"][0]["annotations"]["runbook_url"] == "https://wiki/studystalled"
    assert "{{ $labels.study }}" in group["rules"][0]["annotations"]["summary"]


@pytest.fixture(scope="module")
def exposed() -> set[str]:
    """The names of the operator's samples, in a process that has seen each of them."""
    telemetry = OperatorTelemetry(lambda: 0.0)
    conditions = [{"type": "Stalled", "status": "True"}]
    trials = {"running": 1, "confirmation": {"running": 1}}
    status = {"trials": trials, "best": {"objective": "1"}, "conditions": conditions}
    telemetry.study_status(StudyKey("team", "bert"), status)
    telemetry.reconciled(0.1, "ok")
    telemetry.requested("get", "200")
    lines = generate_latest(telemetry.registry).decode().splitlines()
    return {re.split(r"[ {]", line)[0] for line in lines if not line.startswith("#")}


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(only(render(EVERYTHING), "ConfigMap")["data"]["study-operator.json"])
    return found


def expressions() -> list[str]:
    panels = dashboard()["panels"]
    targets = [target["expr"] for panel in panels for target in panel.get("targets", ())]
    return targets + [rule["expr"] for rule in alerts()]


@pytest.mark.parametrize("expression", expressions())
def test_every_expression_is_of_metrics_that_there_are(expression: str, exposed: set[str]) -> None:
    named = set(METRIC.findall(expression))
    assert named and named <= exposed


def test_every_panel_shows_what_a_real_prometheus_has_of_a_real_operator(
    installed: Cluster, namespace: str, tmp_path: Path
) -> None:
    installed.control.apply(manifest("bert", namespace, ["sh", "-c", RECORD]))
    [pod] = installed.pods()
    scraped = fixed_targets(f"{pod['status']['podIP']}:8080", labels={"job": "study-operator"})
    filled = {"$namespace": namespace, "$study": "bert"}

    def shown(expression: str) -> list[dict[str, Any]]:
        return prometheus.query(re.sub(r"\$(namespace|study)", lambda name: filled[name[0]], expression))

    with PrometheusServer(tmp_path, [scraped]) as prometheus:
        eventually(lambda: shown(BEST), bool)
        eventually(lambda: shown("rate(process_cpu_seconds_total[5m])"), bool)
        for panel in dashboard()["panels"]:
            for target in panel.get("targets", ()):
                series = shown(target["expr"])
                assert series, panel["title"]
                for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
                    assert all(label in each["metric"] for each in series), panel["title"]
        for variable in dashboard()["templating"]["list"]:
            if variable["type"] == "query":
                selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"]).groups()
                assert filled[f"${label}"] in {each["metric"][label] for each in shown(selector)}


def test_every_expression_of_the_dashboard_is_valid(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$namespace", ".*").replace("$study", ".*")}
        for number, expression in enumerate(expressions())
    ]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(
        [find_or_build("promtool"), "check", "rules", "--lint=none", "rules.yaml"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboards_panels_do_not_overlap() -> None:
    cells = [
        (x, y)
        for panel in dashboard()["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) < 24

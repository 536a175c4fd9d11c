"""The cluster refuses what the operator needs: it says so in the study, asks little, and goes on once it may.

A quota of zero is in tests/end_to_end/test_stuck.py, a value of the wrong type in tests/chart/test_values.py, and a
second release in tests/chart/test_install.py.
"""

from __future__ import annotations

import json

import pytest

from tests.cluster.server import free_port
from tests.end_to_end.place import Place, eventually
from tests.end_to_end.studies import RECORD, SLEEP, begun_trials, once_each, sh, study
from tests.faults.conftest import OPERATOR, Starter, log_has, requests_a_minute

BOUND = 200
"""Requests a minute that are no spin: the slowest of the operator's loops makes one every few seconds."""


def webhook(namespace: str) -> dict[str, object]:
    """An admission webhook for Jobs that nobody answers for."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": f"down-{namespace}"},
        "webhooks": [
            {
                "name": "jobs.example.com",
                "clientConfig": {"url": f"https://127.0.0.1:{free_port()}/validate"},
                "rules": [
                    {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}
                ],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "failurePolicy": "Fail",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
                "timeoutSeconds": 2,
            }
        ],
    }


def conditions(place: Place, name: str) -> str:
    return json.dumps(place.status(name).get("conditions", []))


def test_a_webhook_that_does_not_answer_is_told_and_waited_for(place: Place, start: Starter) -> None:
    start()
    place.plane.apply(webhook(place.namespace))
    try:
        place.apply(study("hooked", sh(RECORD)))
        eventually(lambda: conditions(place, "hooked"), lambda text: "jobs.example.com" in text)
        assert requests_a_minute(place.plane) < BOUND
    finally:
        place.kubectl("delete", "validatingwebhookconfiguration", f"down-{place.namespace}")
    assert place.finishes("hooked")["trials"]["succeeded"] == 4
    assert "jobs.example.com" not in conditions(place, "hooked")


def test_an_operator_that_may_not_write_statuses_says_so_and_goes_on_once_it_may(place: Place, start: Starter) -> None:
    process = start()
    role = json.loads(place.kubectl("get", "clusterrole", "study-operator", "--output=json"))
    crippled = {**role, "rules": [rule for rule in role["rules"] if "studies/status" not in rule["resources"]]}
    place.kubectl("replace", "--filename=-", input=json.dumps(crippled))
    try:
        place.apply(study("mute", sh(RECORD)))
        eventually(lambda: log_has(process, "studies/status") or log_has(process, "is forbidden"), bool)
        assert requests_a_minute(place.plane) < BOUND
    finally:
        fresh = json.loads(place.kubectl("get", "clusterrole", "study-operator", "--output=json"))
        place.kubectl("replace", "--filename=-", input=json.dumps({**fresh, "rules": role["rules"]}))
    assert place.finishes("mute")["trials"]["succeeded"] == 4


def test_a_namespace_that_is_being_deleted_is_left_in_peace(place: Place, start: Starter) -> None:
    doomed = Place(place.plane, f"{place.namespace}-doomed")
    place.plane.kubectl("create", "namespace", doomed.namespace)
    doomed.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=30s")
    process = start(f"--namespace={doomed.namespace}")
    doomed.apply(study("doomed", sh(SLEEP), trials=20, parallelism=4))
    doomed.running_pod("doomed-0")
    doomed.kubectl("delete", "namespace", doomed.namespace, "--wait=false")
    eventually(lambda: doomed.read("studies").get("items"), lambda items: not items)
    assert requests_a_minute(place.plane) < BOUND
    assert not [record for record in process.records if record["level"] in ("ERROR", "CRITICAL")]
    place.apply(study("alive", sh(RECORD)))
    assert place.finishes("alive")["trials"]["succeeded"] == 4


def test_two_operators_over_one_namespace_lose_and_duplicate_nothing(place: Place, start: Starter) -> None:
    """Nobody should do that; the names are deterministic, so each adopts what the other has made."""
    begun = place.plane.folder / f"{place.namespace}.txt"
    start()
    start()
    place.apply(study("shared", sh(RECORD), begun=begun, trials=12, parallelism=4))
    status = place.finishes("shared")
    assert status["trials"]["succeeded"] == 12
    assert begun_trials(begun) == once_each("shared", 12)
    assert requests_a_minute(place.plane) < 2 * BOUND


@pytest.mark.parametrize("answer", ["nobody", "somebody else"])
def test_a_wrong_address_of_prometheus_is_told_and_asked_seldom(place: Place, start: Starter, answer: str) -> None:
    url = f"http://127.0.0.1:{free_port()}" if answer == "nobody" else f"{place.plane.access.url}"
    start(f"--prometheus-url={url}")
    place.apply(study("blind", sh(RECORD)))
    told = place.becomes("blind", "MetricsAvailable", "False", "SourceUnavailable")
    assert url in told["message"]
    assert place.status("blind")["trials"]["awaitingMetrics"] > 0
    assert requests_a_minute(place.plane) < BOUND


def test_the_user_is_the_one_that_is_counted(place: Place, start: Starter) -> None:
    """The bounds above mean something only if the operator's requests are found in the audit log."""
    start()
    place.apply(study("counted", sh(RECORD)))
    place.finishes("counted")
    assert OPERATOR in place.plane.audit_log.read_text()

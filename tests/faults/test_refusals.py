"""The cluster refuses what the operator needs: it says so in the study, asks little, and goes on once it may.

A value of the wrong type is in tests/chart/test_values.py, and a second release in tests/chart/test_install.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cluster.waiting import eventually
from tests.end_to_end.place import Place
from tests.end_to_end.studies import RECORD, SLEEP, begun_trials, once_each, sh, study
from tests.faults.conftest import Starter, assert_asks_less_than, log_has
from tests.faults.webhook import NAME, Webhook

BOUND = 200
"""Requests a minute that are no spin: the slowest of the operator's loops makes one every few seconds."""


def conditions(place: Place, name: str) -> str:
    return json.dumps(place.status(name).get("conditions", []))


@pytest.mark.parametrize("answer", ["no answer", "a refusal"])
def test_a_webhook_that_is_in_the_way_is_told_and_waited_for(
    place: Place, start: Starter, tmp_path: Path, answer: str
) -> None:
    start()
    with Webhook(tmp_path) as webhook:
        if answer == "a refusal":
            webhook.answer("no GPU hours are left this month")
        place.plane.apply(webhook.configuration(place.namespace))
        try:
            place.apply(study("hooked", sh(RECORD)))
            told = eventually(lambda: conditions(place, "hooked"), lambda text: NAME in text)
            if answer == "a refusal":
                assert "no GPU hours are left this month" in told
                assert place.condition("hooked", "Stalled")["reason"] == "Refused"
            assert_asks_less_than(BOUND, place.plane, f"a webhook with {answer}")
            webhook.answer()
            assert place.finishes("hooked")["trials"]["succeeded"] == 4
        finally:
            place.kubectl("delete", "validatingwebhookconfiguration", f"jobs-{place.namespace}")
    assert NAME not in conditions(place, "hooked")


def test_a_quota_of_zero_is_told_and_waited_for(place: Place, start: Starter) -> None:
    start()
    place.kubectl("create", "quota", "none", "--hard=count/jobs.batch=0")
    place.kubectl("wait", "--for=jsonpath={.status.hard}", "resourcequota/none")
    place.apply(study("squeezed", sh(RECORD)))
    eventually(lambda: place.condition("squeezed", "Ready").get("message", ""), lambda told: "QuotaExceeded" in told)
    assert_asks_less_than(BOUND, place.plane, "a quota of zero")
    place.kubectl("delete", "quota", "none")
    assert place.finishes("squeezed")["trials"]["succeeded"] == 4


def test_an_operator_that_may_not_write_statuses_says_so_and_goes_on_once_it_may(place: Place, start: Starter) -> None:
    process = start()
    role = json.loads(place.kubectl("get", "clusterrole", "study-operator", "--output=json"))
    crippled = {**role, "rules": [rule for rule in role["rules"] if "studies/status" not in rule["resources"]]}
    place.kubectl("replace", "--filename=-", input=json.dumps(crippled))
    try:
        place.apply(study("mute", sh(RECORD)))
        eventually(lambda: log_has(process, "studies/status") or log_has(process, "is forbidden"), bool)
        assert_asks_less_than(2 * BOUND, place.plane, "no right to write statuses")
    finally:
        fresh = json.loads(place.kubectl("get", "clusterrole", "study-operator", "--output=json"))
        place.kubectl("replace", "--filename=-", input=json.dumps({**fresh, "rules": role["rules"]}))
    assert place.finishes("mute")["trials"]["succeeded"] == 4


def test_a_namespace_that_is_being_deleted_is_left_in_peace_and_a_new_one_of_its_name_is_served(
    place: Place, start: Starter
) -> None:
    """Something keeps it dying, as a volume or another operator's finalizer does; what is in it goes."""
    doomed = Place(place.plane, f"{place.namespace}-doomed")
    make_namespace(doomed)
    process = start(f"--namespace={doomed.namespace}")
    doomed.apply(study("doomed", sh(SLEEP), trials=20, parallelism=4))
    doomed.running_pod("doomed-0")
    held = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "held", "finalizers": ["example.com/held"]}}
    doomed.kubectl("create", "--filename=-", input=json.dumps(held))
    doomed.kubectl("delete", "namespace", doomed.namespace, "--wait=false")
    eventually(lambda: doomed.read("studies").get("items"), lambda items: not items)
    assert_asks_less_than(BOUND, place.plane, "a namespace that is being deleted")
    assert not [record for record in process.records if record["level"] in ("ERROR", "CRITICAL")]
    assert log_has(process, f"study {doomed.namespace}/doomed is gone")
    doomed.kubectl("patch", "configmap", "held", "--type=merge", '--patch={"metadata":{"finalizers":null}}')
    doomed.kubectl("wait", "--for=delete", f"namespace/{doomed.namespace}", "--timeout=60s")
    make_namespace(doomed)
    doomed.apply(study("doomed", sh(RECORD)))
    assert doomed.finishes("doomed")["trials"]["succeeded"] == 4
    doomed.kubectl("delete", "namespace", doomed.namespace, "--wait=false")


def make_namespace(place: Place) -> None:
    place.plane.kubectl("create", "namespace", place.namespace)
    place.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=30s")


def test_two_operators_over_one_namespace_lose_and_duplicate_nothing(place: Place, start: Starter) -> None:
    """Nobody should do that; the names are deterministic, so each adopts what the other has made."""
    begun = place.plane.folder / f"{place.namespace}.txt"
    start()
    start()
    place.apply(study("shared", sh(RECORD), begun=begun, trials=12, parallelism=4))
    status = place.finishes("shared")
    assert status["trials"]["succeeded"] == 12
    assert begun_trials(begun) == once_each("shared", 12)
    assert_asks_less_than(2 * BOUND, place.plane, "two operators over one namespace")

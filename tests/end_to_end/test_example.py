"""The example study, from kubectl apply to its ranked result, with every number followed back to the trainer."""

import json
from datetime import datetime
from pathlib import Path

import yaml

from tests.cluster.operator_process import OperatorProcess
from tests.cluster.prometheus import PrometheusServer
from tests.end_to_end.place import Place
from tests.end_to_end.studies import RECORD, sh, study

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "digits-optimizer.yaml"
TRIALS, STEPS = 8, 120


def test_the_example_finishes_and_its_best_is_what_the_trainer_computed(
    place: Place, operator: OperatorProcess, prometheus: PrometheusServer
) -> None:
    manifest = yaml.safe_load(EXAMPLE.read_text())
    manifest["spec"]["budget"]["trials"] = TRIALS
    manifest["spec"]["training"]["steps"] = STEPS
    name = manifest["metadata"]["name"]
    place.apply(manifest)
    status = place.finishes(name)
    trials = place.trials(name)
    print(place.kubectl("get", "studies,trials"))

    assert status["trials"] | {"planned": TRIALS, "running": 0, "queued": 0, "awaitingMetrics": 0} == status["trials"]
    succeeded = [trial for trial in trials.values() if trial["status"]["state"] == "Succeeded"]
    assert len(succeeded) == status["trials"]["succeeded"] >= TRIALS // 2
    objectives = [float(ranked["objective"]) for ranked in status["ranking"]]
    assert objectives == sorted(objectives) and len(objectives) == len(succeeded)
    assert status["best"]["objective"] == status["ranking"][0]["objective"]
    assert [arm["label"] for arm in status["arms"]] == ["optimizer=nesterov", "optimizer=adam"]

    for trial in succeeded:
        told = trial["status"]
        [pod] = place.pods_of(trial["metadata"]["name"])
        ended = pod["status"]["containerStatuses"][0]["state"]["terminated"]
        record = json.loads(ended["message"])["metrics"]["validation_error"]
        step, value = record["minimum"]
        assert told["objective"] == {"step": step, "value": repr(value)}
        assert told["metrics"]["validation_error"]["count"] == record["count"]
        assert told["metrics"]["validation_error"]["final"]["value"] == repr(record["final"][1])
        assert told["source"] == "Prometheus" and not told.get("incomplete")
        assert list(told["curves"]) and set(told["curves"]) == set(told["metrics"])
        [series] = prometheus.query(f'validation_error{{pod="{pod["metadata"]["name"]}"}}[1h]')
        scraped = [float(sample) for _, sample in series["values"]]
        assert (min(scraped), len(scraped)) == (value, record["count"])
    best = trials[int(status["best"]["trial"].rpartition("-")[2])]
    assert best["status"]["objective"]["value"] == status["best"]["objective"]
    assert best["status"]["checkpoint"]["path"] == status["best"]["checkpoint"]
    assert status["best"]["parameters"] == best["spec"]["parameters"]


def test_the_list_of_studies_and_trials_tells_the_story(place: Place, operator: OperatorProcess) -> None:
    place.apply(study("story", sh(RECORD), trials=2))
    status = place.finishes("story")
    header, row = place.kubectl("get", "studies").splitlines()
    assert header.split() == ["NAME", "STATE", "TRIALS", "BEST", "ARM", "AGE"]
    assert row.split()[:5] == ["story", "Finished", "2/2", status["best"]["objective"], "all"]
    header, *rows = place.kubectl("get", "trials").splitlines()
    assert header.split() == ["NAME", "STUDY", "STATE", "REASON", "OBJECTIVE", "STEP", "AGE"]
    assert [row.split()[:4] for row in rows] == [[f"story-{i}", "story", "Succeeded", "Completed"] for i in range(2)]
    assert datetime.fromisoformat(status["startTime"]) <= datetime.fromisoformat(status["completionTime"])

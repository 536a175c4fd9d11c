"""What the operator tells those who run it, and those who wait for a study."""

import requests

from tests.cluster.operator_process import OperatorProcess
from tests.cluster.waiting import eventually
from tests.end_to_end.place import Place
from tests.end_to_end.studies import RECORD, sh, study


def test_events_tell_the_turns_of_a_study(place: Place, operator: OperatorProcess) -> None:
    fails_once = f'[ "$STUDY_TRIAL" = eventful-2 ] && exit 3; {RECORD}'
    place.apply(study("eventful", sh(fails_once), trials=4, parallelism=1))
    place.finishes("eventful")
    reasons = eventually(lambda: turns(place, "eventful"), lambda reasons: "Finished" in reasons)
    assert sorted(reasons) == ["Accepted", "Finished", "TrialFailed"]
    told = place.kubectl("describe", "study", "eventful")
    assert "Trial eventful-2: The trainer exited with code 3." in told
    place.change("eventful", budget={"trials": 5}, suspend=True)
    eventually(lambda: turns(place, "eventful"), lambda reasons: {"BudgetChanged", "Suspended"} <= set(reasons))
    place.change("eventful", suspend=False)
    reasons = eventually(lambda: turns(place, "eventful"), lambda reasons: reasons.count("Finished") == 2)
    assert "Resumed" in reasons


def test_a_confirmed_study_tells_of_its_reruns_and_of_its_conclusion(place: Place, operator: OperatorProcess) -> None:
    place.apply(study("confirmed", sh(RECORD), confirmation={"top": 1, "reruns": 2}))
    place.finishes("confirmed")
    reasons = eventually(lambda: turns(place, "confirmed"), lambda reasons: "Concluded" in reasons)
    assert {"Accepted", "Finished"} <= set(reasons)
    reruns = operator.metrics("study_operator_study_reruns")
    mine = {state: count for (namespace, state, name), count in reruns.items() if name == "confirmed"}
    assert (mine["Planned"], mine["Succeeded"]) == (2, 2)
    assert [record for record in operator.records if record["level"] == "ERROR"] == []


def test_probes_and_metrics_tell_of_the_process_and_of_each_study(place: Place, operator: OperatorProcess) -> None:
    for path, text in (("healthz", "ok"), ("readyz", "acting")):
        answer = requests.get(f"{operator.url}/{path}", timeout=5)
        assert (answer.status_code, answer.text.strip()) == (200, text)
    place.apply(study("measured", sh(RECORD), trials=3))
    status = place.finishes("measured")
    mine = (place.namespace, "measured")
    trials = eventually(
        lambda: operator.metrics("study_operator_study_trials"),
        lambda found: found.get((*mine[:1], "Succeeded", mine[1])) == 3,
    )
    assert trials[place.namespace, "Planned", "measured"] == 3
    best = operator.metrics("study_operator_study_best_objective")
    assert best[mine] == float(status["best"]["objective"])
    assert operator.metrics("study_operator_queue_depth")
    assert operator.metrics("study_operator_reconcile_seconds_count")["ok",] > 0
    codes = operator.metrics("study_operator_api_requests_total")
    assert codes["201", "create"] >= 6
    place.kubectl("delete", "study", "measured")
    eventually(lambda: operator.metrics("study_operator_study_best_objective"), lambda found: mine not in found)


def test_the_log_is_one_json_object_a_line(place: Place, operator: OperatorProcess) -> None:
    place.apply(study("logged", sh(RECORD), trials=1))
    place.finishes("logged")
    assert operator.records
    assert all({"time", "level", "logger", "message"} <= record.keys() for record in operator.records)


def turns(place: Place, name: str) -> list[str]:
    """The reasons of the study's Events, in the order in which they came."""
    events = [event for event in place.read("events")["items"] if event["involvedObject"]["name"] == name]
    return [event["reason"] for event in sorted(events, key=lambda event: event["metadata"]["name"])]

"""What the cluster does to a trial says nothing about its point: the same point runs again, up to a limit."""

import json
from pathlib import Path

from tests.cluster.node_agent import NodeAgent
from tests.cluster.operator_process import OperatorProcess
from tests.cluster.waiting import eventually
from tests.end_to_end.place import Place
from tests.end_to_end.studies import RECORD, SLEEP, begun_trials, expected_trials, sh, study

FIRST_TIME_ONLY = '[ "$(grep -c "^$STUDY_TRIAL$" {begun})" -gt {times} ] && {{ {record}; exit 0; }}; {sleep}'
"""Waits to be ended for so many times, and finishes after that."""


def test_an_evicted_and_a_preempted_trial_run_again_at_the_same_point(
    place: Place, operator: OperatorProcess, node_agent: NodeAgent, begun: Path
) -> None:
    script = FIRST_TIME_ONLY.format(begun=begun, times=1, record=RECORD, sleep=SLEEP)
    manifest = study("moved", sh(script), begun=begun, trials=3, parallelism=3)
    place.apply(manifest)
    node_agent.evict(place.namespace, place.running_pod("moved-0"))
    node_agent.evict_under_pressure(place.namespace, place.running_pod("moved-1"))
    place.kubectl("delete", "pod", place.running_pod("moved-2"), "--wait=false")
    status = place.finishes("moved")
    assert (status["trials"]["succeeded"], status["trials"]["failed"]) == (3, 0)
    assert set(begun_trials(begun).values()) == {2}
    for index, trial in place.trials("moved").items():
        assert trial["status"]["attempts"] == 2
        assert trial["spec"] | expected_trials(manifest)[index] == trial["spec"]
    assert "TrialRetried" in {event["reason"] for event in place.read("events")["items"]}


def test_a_trial_that_is_disrupted_again_and_again_is_given_up(
    place: Place, operator: OperatorProcess, node_agent: NodeAgent
) -> None:
    place.apply(study("doomed", sh(SLEEP), trials=1))
    for attempt in range(1, 5):
        eventually(lambda: place.trial_status("doomed", 0).get("attempts"), lambda told, now=attempt: told == now)
        node_agent.evict_under_pressure(place.namespace, place.running_pod("doomed-0"))
    place.becomes("doomed", "Finished", reason="NoResult")
    told = place.trial_status("doomed", 0)
    assert (told["state"], told["reason"], told["attempts"]) == ("Failed", "Infrastructure", 4)
    assert "Given up after 4 runs" in told["message"]


def test_a_job_that_somebody_deletes_runs_again(place: Place, operator: OperatorProcess, begun: Path) -> None:
    script = FIRST_TIME_ONLY.format(begun=begun, times=1, record=RECORD, sleep=SLEEP)
    place.apply(study("robbed", sh(script), begun=begun, trials=1))
    place.running_pod("robbed-0")
    place.kubectl("delete", "job", "robbed-0")
    assert place.finishes("robbed")["trials"]["succeeded"] == 1
    assert place.trial_status("robbed", 0)["attempts"] == 2


def test_a_trial_that_somebody_deletes_is_computed_anew(place: Place, operator: OperatorProcess, begun: Path) -> None:
    manifest = study("pruned", sh(RECORD), begun=begun, trials=2)
    place.apply(manifest)
    first = place.finishes("pruned")
    place.kubectl("delete", "trial", "pruned-1")
    place.kubectl("annotate", "study", "pruned", f"note={json.dumps('look again')}")
    operator.stop()
    operator.start()
    eventually(lambda: begun_trials(begun)["pruned-1"], lambda times: times == 2)
    again = eventually(lambda: place.status("pruned"), lambda status: status.get("ranking") == first["ranking"])
    assert again["state"] == "Finished"

"""Replicas that die, stand by, take over and start again: no trial is lost, and none runs twice."""

import random
import time
from pathlib import Path
from typing import Any

from tests.cluster.operator_process import OperatorProcess
from tests.cluster.waiting import eventually
from tests.end_to_end.conftest import OperatorStarter
from tests.end_to_end.place import Place
from tests.end_to_end.studies import (
    RECORD,
    begun_trials,
    expected_ranking,
    expected_trials,
    once_each,
    ranking,
    sh,
    study,
    trainer,
)

KILLS = 20


def test_kill_9_at_any_moment_loses_and_duplicates_nothing(
    place: Place, start_operator: OperatorStarter, begun: Path
) -> None:
    trials, moments = 60, random.Random(20)
    manifest = study("hardy", sh(f"sleep 1; {RECORD}"), begun=begun, trials=trials, parallelism=3)
    operator = start_operator("--no-leader-election")
    place.apply(manifest)
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.0, 1.5))
        operator.kill()
        operator.start()
        if moments.random() < 0.7:
            operator.wait_until(lambda: operator.stage == "acting")
    assert place.status("hardy").get("completionTime") is None, "the study was over before the last kill"
    status = place.finishes("hardy")
    assert begun_trials(begun) == once_each("hardy", trials)
    found = [trial["spec"] for trial in place.trials("hardy").values()]
    assert [spec | expected for spec, expected in zip(found, expected_trials(manifest), strict=True)] == found
    assert {trial["status"]["attempts"] for trial in place.trials("hardy").values()} == {1}
    assert status["trials"]["succeeded"] == trials
    assert ranking(status) == expected_ranking(manifest)


def test_another_replica_takes_over_from_a_killed_one(
    place: Place, start_operator: OperatorStarter, begun: Path
) -> None:
    manifest = study("shared", sh(f"sleep 1; {RECORD}"), begun=begun, trials=24, parallelism=2)
    leader = start_operator()
    other = start_operator(stage="standing by")
    place.apply(manifest)
    place.becomes("shared", "Ready", reason="Running")
    assert (leading(leader), leading(other)) == (1, 0)
    leader.kill()
    other.wait_until(lambda: other.stage == "acting")
    status = place.finishes("shared")
    assert begun_trials(begun) == once_each("shared", 24)
    assert ranking(status) == expected_ranking(manifest)


def test_a_leader_that_is_asked_to_end_hands_over_and_exits_with_0(
    place: Place, start_operator: OperatorStarter, begun: Path
) -> None:
    manifest = study("handed", trainer("sdk", 10, 0.1), begun=begun, trials=12)
    leader = start_operator()
    other = start_operator(stage="standing by")
    place.apply(manifest)
    place.becomes("handed", "Ready", reason="Running")
    process = leader._process
    leader.stop()
    assert process and process.returncode == 0
    other.wait_until(lambda: other.stage == "acting")
    assert place.finishes("handed")["trials"]["succeeded"] == 12
    assert begun_trials(begun) == once_each("handed", 12)
    assert {trial["status"]["source"] for trial in place.trials("handed").values()} == {"Prometheus"}


def test_a_restart_after_the_end_changes_nothing(place: Place, start_operator: OperatorStarter, begun: Path) -> None:
    place.apply(study("done", sh(RECORD), begun=begun, trials=3))
    operator = start_operator("--no-leader-election")
    place.finishes("done")
    before = written(place)
    operator.kill()
    operator.start_and_wait()
    eventually(
        lambda: operator.metrics("study_operator_reconcile_seconds_count").get(("ok",), 0), lambda passes: passes
    )
    place.apply(study("next", sh(RECORD), trials=1))
    place.finishes("next")
    after = written(place)
    assert {name: after[name] for name in before} == before


def test_an_operator_of_one_namespace_leaves_the_others_alone(place: Place, start_operator: OperatorStarter) -> None:
    other = Place(place.plane, "default")
    start_operator(f"--namespace={place.namespace}")
    try:
        other.apply(study("unserved", sh(RECORD)))
        place.apply(study("served", sh(RECORD)))
        place.finishes("served")
        assert other.status("unserved") == {"observedGeneration": -1}
    finally:
        other.kubectl("delete", "study", "unserved")


def test_a_study_whose_first_trials_all_fail_stalls_and_goes_on_at_the_resync_after_they_are_deleted(
    place: Place, start_operator: OperatorStarter, tmp_path: Path
) -> None:
    start_operator("--resync=2")
    mended = tmp_path / "mended"
    place.apply(study("unlucky", sh(f"[ -e {mended} ] || exit 1; {RECORD}"), trials=8))
    stalled = place.becomes("unlucky", "Stalled", reason="TrialsFailing")
    assert "exited with code 1" in stalled["message"] and "delete the failed trials" in stalled["message"]
    failed = [name for name in place.names("trials") if place.read("trials", name)["status"]["state"] == "Failed"]
    assert len(failed) < 8
    mended.touch()
    place.kubectl("delete", "trials", *failed)
    assert place.finishes("unlucky")["trials"]["succeeded"] == 8


def written(place: Place) -> dict[str, Any]:
    """The studies and trials as the operator has written them."""
    return {
        f"{kind}/{item['metadata']['name']}": (item["metadata"]["resourceVersion"], item["status"])
        for kind in ("studies", "trials")
        for item in place.read(kind)["items"]
    }


def leading(operator: OperatorProcess) -> float:
    return operator.metrics("study_operator_leading")[()]

"""How a run stands, from raw Jobs and pods."""

from __future__ import annotations

from typing import Any

import pytest
from study_operator.backends.kubernetes.projections import PodView, project_job, project_pod
from study_operator.backends.kubernetes.runs import run_of
from study_operator.backends.port import Run, RunPhase, Trouble
from study_operator.results.taxonomy import RunEnd

from tests.kubernetes.objects import AT, STUDY, complete, ended, failed, job, pod, running, waiting

QUEUED, RUNNING, ENDED = RunPhase.QUEUED, RunPhase.RUNNING, RunPhase.ENDED
INDEXED: dict[str, Any] = {"completionMode": "Indexed", "completions": 2, "parallelism": 2}
EVICTED = {"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "it was evicted"}


def views(*pods: dict[str, Any]) -> list[PodView]:
    return [view for view in map(project_pod, pods) if view is not None]


def look(raw_job: dict[str, Any], *pods: dict[str, Any], certain: bool = False) -> Run | None:
    view = project_job(raw_job)
    assert view is not None
    return run_of(view, views(*pods), certain=certain)


def end(raw_job: dict[str, Any], *pods: dict[str, Any]) -> RunEnd:
    run = look(raw_job, *pods, certain=True)
    assert run is not None and run.end is not None
    return run.end


class TestPhase:
    @pytest.mark.parametrize(
        ("raw_job", "pods", "phase"),
        [
            (job(), [], QUEUED),
            (job(suspend=True), [], QUEUED),
            (job(), [pod()], QUEUED),
            (job(), [pod(state=waiting("ContainerCreating"))], QUEUED),
            (job(), [pod("Running", running())], RUNNING),
            (job(), [pod("Succeeded", ended(0))], ENDED),
            (job(), [pod("Failed", ended(1))], ENDED),
            (complete(), [pod("Succeeded", ended(0))], ENDED),
        ],
    )
    def test_follows_from_the_pod(self, raw_job: dict[str, Any], pods: list[dict[str, Any]], phase: RunPhase) -> None:
        run = look(raw_job, *pods)
        assert run is not None and run.phase is phase

    def test_a_job_of_several_tries_has_the_last_word(self) -> None:
        run = look(job(backoffLimit=2), pod("Failed", ended(1)))
        assert run is not None and run.phase is QUEUED

    def test_a_pod_that_somebody_deleted_does_not_end_the_run(self) -> None:
        for grace in (1, 0):  # before and after the kubelet's last word
            run = look(job(), pod("Failed", ended(143), deleted=AT.format(6), grace=grace))
            assert run is not None and run.phase is QUEUED

    def test_a_pod_that_was_deleted_after_its_end_ends_it(self) -> None:
        run = look(job(), pod("Failed", ended(1), deleted=AT.format(7)))
        assert run is not None and run.end == RunEnd(1, "Error")

    def test_the_newest_of_several_pods_counts(self) -> None:
        old = pod("Failed", ended(1), uid="a", created=AT.format(0))
        new = pod("Running", running(), uid="b", created=AT.format(2))
        run = look(job(backoffLimit=2), new, old)
        assert run is not None and (run.phase, run.pod) == (RUNNING, "bert-3-b")

    def test_a_pods_last_state_is_waited_for(self) -> None:
        assert look(complete(), pod("Running", running())) is None
        assert look(complete()) is None


class TestRunning:
    def test_it_tells_where_and_since_when(self) -> None:
        run = look(job(), pod("Running", running(), node="node-7"))
        assert run is not None and run.started is not None
        assert (run.node, run.pod, run.started.isoformat()) == ("node-7", "bert-3-pod-u", "2026-01-01T00:00:01+00:00")


class TestTrouble:
    @pytest.mark.parametrize(
        ("told", "image"),
        [
            ("docker.io/example/trainer@sha256:1f", "docker.io/example/trainer@sha256:1f"),
            ("docker-pullable://example/trainer@sha256:1f", "example/trainer@sha256:1f"),
            ("sha256:1f", ""),
            ("", ""),
            ("x" * 600 + "@sha256:1f", ""),
        ],
    )
    def test_the_image_by_its_digest_once_it_has_ended(self, told: str, image: str) -> None:
        ran = pod("Succeeded", ended(0))
        ran["status"]["containerStatuses"][0]["imageID"] = told
        assert look(job(), ran).image == image

    def test_no_node(self) -> None:
        unplaced = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}
        run = look(job(), pod(conditions=[unplaced]))
        assert run == Run(STUDY, 3, "job-uid", QUEUED, True, Trouble("Unschedulable", "0/3 nodes"), pod="bert-3-pod-u")

    def test_a_gated_pod_is_in_no_trouble(self) -> None:
        gated = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": "gated"}
        run = look(job(), pod(conditions=[gated]))
        assert run is not None and (run.unplaced, run.trouble) == (False, None)

    @pytest.mark.parametrize("reason", ["CreateContainerConfigError", "CreateContainerError", "InvalidImageName"])
    def test_a_container_that_cannot_be_made(self, reason: str) -> None:
        run = look(job(), pod(state=waiting(reason, "because")))
        assert run is not None and run.trouble == Trouble(reason, "because")

    def test_an_image_that_cannot_be_pulled_is_one_fact(self) -> None:
        first = look(job(), pod(state=waiting("ErrImagePull", "no such host")))
        second = look(
            job(), pod(state=waiting("ImagePullBackOff", 'Back-off pulling image "x": ErrImagePull: no such host'))
        )
        assert first == second
        assert first is not None and first.trouble == Trouble("ImagePullBackOff", "no such host")


class TestEnd:
    def test_of_itself(self) -> None:
        run = look(job(), pod("Failed", ended(65, message="{}")))
        assert run is not None and run.finished is not None
        assert (run.end, run.termination) == (RunEnd(65, "Error"), "{}")
        assert run.finished.isoformat() == "2026-01-01T00:00:05+00:00"

    def test_out_of_memory(self) -> None:
        assert end(job(), pod("Failed", ended(137, "OOMKilled"))) == RunEnd(137, "OOMKilled", out_of_memory=True)

    def test_by_another_container(self) -> None:
        sidecar = {"name": "proxy", "state": ended(2)}
        told = end(job(), pod("Failed", ended(0), others=[sidecar]))
        assert told == RunEnd(2, "Error", "Container proxy exited with code 2.")

    def test_by_the_trainer_where_another_container_failed_too(self) -> None:
        proxy = {"name": "proxy", "state": ended(2)}
        raw = pod("Failed", ended(65), others=[proxy])
        raw["status"]["containerStatuses"].reverse()
        assert end(job(), raw) == RunEnd(65, "Error")

    @pytest.mark.parametrize(("phase", "exit_code", "reason"), [("Succeeded", 0, "Completed"), ("Failed", 65, "Error")])
    def test_by_the_trainer_where_its_sidecar_was_stopped_after_it(
        self, phase: str, exit_code: int, reason: str
    ) -> None:
        sidecar = {"name": "mesh", "restartPolicy": "Always", "state": ended(143)}
        assert end(job(), pod(phase, ended(exit_code), first=[sidecar])) == RunEnd(exit_code, reason)

    def test_by_an_init_container(self) -> None:
        fetch = {"name": "fetch", "state": ended(7)}
        told = end(job(), pod("Failed", waiting("PodInitializing"), first=[fetch]))
        assert told == RunEnd(7, "Error", "Container fetch exited with code 7.")

    def test_by_eviction(self) -> None:
        evicted = pod("Failed", ended(143), conditions=[EVICTED], deleted=AT.format(4))
        assert end(failed(), evicted) == RunEnd(143, "Disrupted", "it was evicted", disrupted=True)

    def test_by_a_node_that_is_lost(self) -> None:
        assert end(job(), pod("Failed", reason="NodeLost", message="node is gone")).disrupted

    def test_by_a_node_that_turned_it_away(self) -> None:
        assert end(job(), pod("Failed", reason="UnexpectedAdmissionError", message="no healthy devices")).disrupted

    def test_by_deletion_of_its_pod(self) -> None:
        assert end(failed(), pod("Succeeded", ended(0), deleted=AT.format(4))) == RunEnd(
            0, "Disrupted", "The pod was deleted before it ended.", disrupted=True
        )

    def test_a_pod_that_vanished(self) -> None:
        assert end(failed()) == RunEnd(None, "PodVanished", "The pod was deleted before it ended.", disrupted=True)

    def test_by_the_pods_own_deadline(self) -> None:
        told = end(job(), pod("Failed", ended(137), reason="DeadlineExceeded", message="too long"))
        assert told == RunEnd(137, "DeadlineExceeded", "too long")

    def test_by_the_jobs_deadline(self) -> None:
        told = end(failed("DeadlineExceeded"), pod("Failed", ended(143), deleted=AT.format(4)))
        assert told == RunEnd(143, "DeadlineExceeded", "it was DeadlineExceeded")

    def test_by_the_failure_of_another_rank(self) -> None:
        first = pod("Failed", ended(143), uid="a", rank=0, deleted=AT.format(4))
        second = pod("Failed", ended(66), uid="b", rank=1)
        run = look(failed(**INDEXED), first, second)
        assert run is not None and run.end == RunEnd(66, "Error")

    def test_rank_zero_reports(self) -> None:
        first = pod("Succeeded", ended(0, message="zero"), uid="b", rank=0)
        second = pod("Succeeded", ended(0, message="one"), uid="a", rank=1, created=AT.format(3))
        run = look(complete() | {"spec": INDEXED}, second, first)
        assert run is not None and run.termination == "zero"


class TestOthers:
    def test_a_job_with_our_labels_that_no_trial_owns_is_no_run(self) -> None:
        copied = job()
        copied["metadata"]["ownerReferences"] = []
        assert project_job(copied) is None

    def test_a_renamed_copy_is_no_run(self) -> None:
        copied = job()
        copied["metadata"]["name"] = "copy"
        assert project_job(copied) is None

    def test_a_pod_of_no_job_is_none(self) -> None:
        alone = pod()
        alone["metadata"]["ownerReferences"][0]["kind"] = "ReplicaSet"
        assert project_pod(alone) is None

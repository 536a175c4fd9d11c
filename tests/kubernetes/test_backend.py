"""The backend against a real API server."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from study_operator.api import Study
from study_operator.backends.kubernetes.backend import KubernetesBackend
from study_operator.backends.kubernetes.client import JOBS, TRIALS, Client
from study_operator.backends.port import (
    Announcement,
    Exhausted,
    Foreign,
    Gone,
    NoRecord,
    Refused,
    Run,
    RunPhase,
    Severity,
    StudyRef,
    Unavailable,
)
from study_operator.results.trial import Sample, TrialState, TrialStatus

from tests.cluster.control_plane import ControlPlane
from tests.cluster.node_agent import NodeAgent
from tests.kubernetes.conftest import StudyMaker, manifest, trial

SLEEP = ["sleep", "600"]


async def run_when(backend: KubernetesBackend, study: Study, holds: Callable[[Run], bool], seconds: float = 30) -> Run:
    async with asyncio.timeout(seconds):
        while True:
            for run in await backend.runs(StudyRef.of(study)):
                if holds(run):
                    return run
            await asyncio.sleep(0.1)


async def test_a_trial_that_is_created_again_is_the_same_trial(
    backend: KubernetesBackend, create_study: StudyMaker
) -> None:
    study = create_study()
    created = await backend.create_trial(StudyRef.of(study), trial(study))
    status = TrialStatus(TrialState.SUCCEEDED, objective=Sample(3, 0.1))
    await backend.write_trial(StudyRef.of(study), trial(study), status)
    again = await backend.create_trial(StudyRef.of(study), trial(study))
    assert created.status.state is TrialState.PENDING
    assert again == replace(created, status=status)


async def test_a_written_status_replaces_the_one_before(backend: KubernetesBackend, create_study: StudyMaker) -> None:
    study = create_study()
    await backend.create_trial(StudyRef.of(study), trial(study))
    for status in (TrialStatus(TrialState.RUNNING, reason="Slow", node="node-0"), TrialStatus(TrialState.FAILED)):
        await backend.write_trial(StudyRef.of(study), trial(study), status)
    [read] = await backend.trials(StudyRef.of(study))
    assert read.status == TrialStatus(TrialState.FAILED)


async def test_a_trial_that_is_seen_to_be_gone_is_not_started_under_its_old_uid(
    backend: KubernetesBackend, resources: ControlPlane, create_study: StudyMaker
) -> None:
    study = create_study()
    await backend.create_trial(StudyRef.of(study), trial(study))
    resources.kubectl("delete", "trial", "bert-0", f"--namespace={study.metadata.namespace}")
    with pytest.raises(NoRecord):
        await backend.write_trial(StudyRef.of(study), trial(study), TrialStatus())
    with pytest.raises(NoRecord):
        await backend.start(study, trial(study))
    assert await backend.runs(StudyRef.of(study)) == []


async def test_a_trial_of_another_study_is_left_alone(backend: KubernetesBackend, create_study: StudyMaker) -> None:
    short, long = create_study("bert"), create_study("bert-1")
    taken = replace(trial(short, 1), study="bert-1", index=2)
    await backend.create_trial(StudyRef.of(short), replace(taken, index=2))
    with pytest.raises(Foreign, match=r"Trial bert-1-2 .* belongs to Study bert \(uid .*\): delete it, or"):
        await backend.create_trial(StudyRef.of(long), taken)


async def test_a_discarded_trial_is_gone(backend: KubernetesBackend, create_study: StudyMaker) -> None:
    study = create_study()
    await backend.create_trial(StudyRef.of(study), trial(study))
    for _ in range(2):
        await backend.discard_trial(StudyRef.of(study), trial(study))
    assert await backend.trials(StudyRef.of(study)) == []


async def test_trials_come_in_the_order_of_their_indices(backend: KubernetesBackend, create_study: StudyMaker) -> None:
    study = create_study()
    limit = asyncio.Semaphore(16)

    async def create(index: int) -> None:
        async with limit:
            await backend.create_trial(StudyRef.of(study), trial(study, index))

    await asyncio.gather(*(create(index) for index in range(1200)))
    read = await backend.trials(StudyRef.of(study))
    assert [found.spec.index for found in read] == list(range(1200))


async def test_a_started_run_is_queued_and_owned_by_its_trial(
    backend: KubernetesBackend, client: Client, create_study: StudyMaker
) -> None:
    study = create_study()
    await backend.create_trial(StudyRef.of(study), trial(study))
    run = await backend.start(study, trial(study))
    job = await client.read(JOBS.path(study.metadata.namespace, "bert-0"))
    owner = await client.read(TRIALS.path(study.metadata.namespace, "bert-0"))
    assert (run.phase, run.id) == (RunPhase.QUEUED, job["metadata"]["uid"])
    assert job["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"]


async def test_a_run_that_is_started_again_is_adopted(
    backend: KubernetesBackend, create_study: StudyMaker, node_agent: NodeAgent
) -> None:
    study = create_study()
    await backend.create_trial(StudyRef.of(study), trial(study))
    first = await backend.start(study, trial(study))
    assert (await backend.start(study, trial(study))).id == first.id
    ended = await run_when(backend, study, lambda run: run.phase is RunPhase.ENDED)
    assert (await backend.start(study, trial(study))).end == ended.end


async def test_a_job_of_somebody_else_is_left_alone(
    backend: KubernetesBackend, resources: ControlPlane, create_study: StudyMaker
) -> None:
    study = create_study()
    namespace = study.metadata.namespace
    resources.kubectl("create", "job", "bert-0", "--image=other", f"--namespace={namespace}")
    await backend.create_trial(StudyRef.of(study), trial(study))
    with pytest.raises(Foreign, match=r"Job bert-0 in namespace .* belongs to nobody"):
        await backend.start(study, trial(study))
    assert await backend.runs(StudyRef.of(study)) == []


async def test_a_stopped_run_can_be_started_anew(backend: KubernetesBackend, create_study: StudyMaker) -> None:
    study = create_study(command=SLEEP)
    await backend.create_trial(StudyRef.of(study), trial(study))
    first = await backend.start(study, trial(study))
    for _ in range(2):
        await backend.stop(StudyRef.of(study), first)
    second = await backend.start(study, trial(study))
    await backend.stop(StudyRef.of(study), first)
    assert [run.id for run in await backend.runs(StudyRef.of(study))] == [second.id]
    assert second.id != first.id


async def test_a_job_that_is_still_being_deleted_is_waited_for(
    backend: KubernetesBackend, resources: ControlPlane, create_study: StudyMaker
) -> None:
    study = create_study()
    inside = f"--namespace={study.metadata.namespace}"
    await backend.create_trial(StudyRef.of(study), trial(study))
    await backend.start(study, trial(study))
    held = json.dumps({"metadata": {"finalizers": ["tests/held"]}})
    resources.kubectl("patch", "job", "bert-0", inside, "--type=merge", f"--patch={held}")
    resources.kubectl("delete", "job", "bert-0", inside, "--wait=false")
    with pytest.raises(Unavailable, match="still being deleted") as refusal:
        await backend.start(study, trial(study))
    assert refusal.value.retry_after
    resources.kubectl("patch", "job", "bert-0", inside, "--type=merge", '--patch={"metadata":{"finalizers":null}}')


async def test_released_runs_go_and_the_others_stay(
    backend: KubernetesBackend, client: Client, create_study: StudyMaker
) -> None:
    study = create_study(command=SLEEP)
    runs = []
    for index in range(4):
        await backend.create_trial(StudyRef.of(study), trial(study, index))
        runs.append(await backend.start(study, trial(study, index)))
    await backend.release(StudyRef.of(study), [runs[1], runs[3]])
    assert {run.index for run in await backend.runs(StudyRef.of(study))} == {0, 2}
    assert len(await backend.trials(StudyRef.of(study))) == 4


async def test_a_full_quota_is_told_apart(
    backend: KubernetesBackend, resources: ControlPlane, create_study: StudyMaker
) -> None:
    study = create_study()
    await backend.create_trial(StudyRef.of(study), trial(study))
    inside = f"--namespace={study.metadata.namespace}"
    resources.kubectl("create", "quota", "none", "--hard=count/jobs.batch=0", inside)
    resources.kubectl("wait", "--for=jsonpath={.status.hard}", "resourcequota/none", inside)
    with pytest.raises(Exhausted, match="exceeded quota: none"):
        await backend.start(study, trial(study))


async def test_a_run_that_fills_the_quota_is_adopted(
    backend: KubernetesBackend, resources: ControlPlane, create_study: StudyMaker
) -> None:
    study = create_study()
    await backend.create_trial(StudyRef.of(study), trial(study))
    inside = f"--namespace={study.metadata.namespace}"
    resources.kubectl("create", "quota", "one", "--hard=count/jobs.batch=1", inside)
    resources.kubectl("wait", "--for=jsonpath={.status.hard}", "resourcequota/one", inside)
    first = await backend.start(study, trial(study))
    assert (await backend.start(study, trial(study))).id == first.id


async def test_a_namespace_on_its_way_out_is_gone(
    backend: KubernetesBackend, resources: ControlPlane, create_study: StudyMaker
) -> None:
    study = create_study()
    resources.kubectl("delete", "namespace", study.metadata.namespace, "--wait=false")
    with pytest.raises(Gone):
        await backend.create_trial(StudyRef.of(study), trial(study))


async def test_a_namespace_that_does_not_exist_is_gone(backend: KubernetesBackend, create_study: StudyMaker) -> None:
    study = create_study()
    elsewhere = replace(StudyRef.of(study), key=replace(StudyRef.of(study).key, namespace="no-such"))
    with pytest.raises(Gone, match="no-such"):
        await backend.create_trial(elsewhere, trial(study))


async def test_a_good_template_passes_and_leaves_nothing(backend: KubernetesBackend, create_study: StudyMaker) -> None:
    study = create_study()
    await backend.check_template(study)
    assert await backend.runs(StudyRef.of(study)) == []


async def test_a_template_that_the_api_server_refuses_is_refused_with_its_words(
    backend: KubernetesBackend, create_study: StudyMaker
) -> None:
    study = create_study(resources={"limits": {"memory": "much"}})
    with pytest.raises(Refused, match="quantities must match the regular expression"):
        await backend.check_template(study)


async def test_an_ignored_field_of_the_template_is_told(
    backend: KubernetesBackend, client: Client, resources: ControlPlane, create_study: StudyMaker
) -> None:
    study = create_study(job={"ttlSecondsAfterFinished": 1})
    await backend.check_template(study)
    await backend.create_trial(StudyRef.of(study), trial(study))
    await backend.start(study, trial(study))
    job = await client.read(JOBS.path(study.metadata.namespace, "bert-0"))
    told = resources.kubectl("describe", "study", "bert", f"--namespace={study.metadata.namespace}").stdout
    assert "ttlSecondsAfterFinished" not in job["spec"]
    assert re.search(r"Warning +TemplateFieldIgnored .*ttlSecondsAfterFinished is ignored", told)


async def test_a_study_status_is_replaced(
    backend: KubernetesBackend, resources: ControlPlane, create_study: StudyMaker
) -> None:
    study = create_study()
    for status in ({"observedGeneration": 1, "state": "Running"}, {"observedGeneration": 1}):
        await backend.write_study(StudyRef.of(study), status)
    inside = f"--namespace={study.metadata.namespace}"
    read = resources.kubectl("get", "study", "bert", inside, "--output=jsonpath={.status}").stdout
    assert json.loads(read) == {"observedGeneration": 1}


async def test_the_status_of_an_earlier_life_is_not_written_to_the_next(
    backend: KubernetesBackend, resources: ControlPlane, create_study: StudyMaker, namespace: str
) -> None:
    first = create_study()
    resources.kubectl("delete", "study", "bert", f"--namespace={namespace}")
    with pytest.raises(Gone):
        await backend.write_study(StudyRef.of(first), {"observedGeneration": 1})
    resources.apply(manifest("bert", namespace))
    with pytest.raises(Gone, match="created anew"):
        await backend.write_study(StudyRef.of(first), {"observedGeneration": 1})


async def test_announcements_are_bounded_and_never_raise(
    backend: KubernetesBackend, resources: ControlPlane, create_study: StudyMaker, namespace: str
) -> None:
    study = create_study()
    for number in range(30):
        await backend.announce(StudyRef.of(study), Announcement(Severity.NORMAL, "Tested", f"number {number}"))
    nowhere = replace(StudyRef.of(study), key=replace(StudyRef.of(study).key, namespace="no-such"), uid="other")
    await backend.announce(nowhere, Announcement(Severity.NORMAL, "Tested", "unheard"))
    events = resources.kubectl("get", "events", f"--namespace={namespace}", "--field-selector=reason=Tested", "-oname")
    assert 10 <= len(events.stdout.split()) <= 12


async def test_a_run_tells_how_it_ended(
    backend: KubernetesBackend, create_study: StudyMaker, node_agent: NodeAgent
) -> None:
    study = create_study(command=["sh", "-c", "echo $HP_LEARNING_RATE > $STUDY_TERMINATION_LOG; exit 65"])
    spec = trial(study)
    await backend.create_trial(StudyRef.of(study), spec)
    await backend.start(study, spec)
    run = await run_when(backend, study, lambda run: run.phase is RunPhase.ENDED)
    assert run.end and (run.end.exit_code, run.end.disrupted) == (65, False)
    assert float(run.termination) == spec.parameters["learning_rate"]
    assert run.pod.startswith("bert-0-") and run.node == "node-0"
    assert run.started and run.finished and run.started <= run.finished


async def test_an_evicted_run_was_disrupted(
    backend: KubernetesBackend, create_study: StudyMaker, node_agent: NodeAgent, namespace: str
) -> None:
    study = create_study(command=SLEEP)
    await backend.create_trial(StudyRef.of(study), trial(study))
    await backend.start(study, trial(study))
    running = await run_when(backend, study, lambda run: run.phase is RunPhase.RUNNING)
    node_agent.evict(namespace, running.pod)
    run = await run_when(backend, study, lambda run: run.phase is RunPhase.ENDED)
    assert run.end and run.end.disrupted


async def test_a_run_whose_pod_is_deleted_was_disrupted(
    backend: KubernetesBackend, resources: ControlPlane, create_study: StudyMaker, node_agent: NodeAgent, namespace: str
) -> None:
    study = create_study(command=["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"])
    await backend.create_trial(StudyRef.of(study), trial(study))
    await backend.start(study, trial(study))
    running = await run_when(backend, study, lambda run: run.phase is RunPhase.RUNNING)
    resources.kubectl("delete", "pod", running.pod, f"--namespace={namespace}", "--wait=false")
    run = await run_when(backend, study, lambda run: run.phase is RunPhase.ENDED)
    assert run.end and run.end.disrupted


async def test_a_run_that_is_out_of_memory_says_so(
    backend: KubernetesBackend, create_study: StudyMaker, node_agent: NodeAgent, namespace: str
) -> None:
    study = create_study(command=SLEEP)
    await backend.create_trial(StudyRef.of(study), trial(study))
    await backend.start(study, trial(study))
    running = await run_when(backend, study, lambda run: run.phase is RunPhase.RUNNING)
    node_agent.oom_kill(namespace, running.pod)
    run = await run_when(backend, study, lambda run: run.phase is RunPhase.ENDED)
    assert run.end and run.end.out_of_memory and not run.end.disrupted


@pytest.mark.parametrize(
    ("container", "reason", "unplaced"),
    [
        ({"resources": {"limits": {"nvidia.com/gpu": "99"}}}, "Unschedulable", True),
        ({"image": "registry.invalid/trainer:1"}, "ImagePullBackOff", False),
        (
            {"env": [{"name": "X", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "x"}}}]},
            "CreateContainerConfigError",
            False,
        ),
    ],
)
async def test_a_run_that_does_not_get_on_says_why(
    backend: KubernetesBackend,
    create_study: StudyMaker,
    node_agent: NodeAgent,
    container: dict[str, Any],
    reason: str,
    unplaced: bool,
) -> None:
    study = create_study(**container)
    await backend.create_trial(StudyRef.of(study), trial(study))
    await backend.start(study, trial(study))
    run = await run_when(backend, study, lambda run: run.trouble is not None)
    assert run.trouble and (run.trouble.reason, run.unplaced, run.phase) == (reason, unplaced, RunPhase.QUEUED)
    assert run.trouble.message


async def test_a_suspended_job_is_queued(
    backend: KubernetesBackend, create_study: StudyMaker, node_agent: NodeAgent
) -> None:
    study = create_study(job={"suspend": True})
    await backend.create_trial(StudyRef.of(study), trial(study))
    run = await backend.start(study, trial(study))
    assert (run.phase, run.trouble) == (RunPhase.QUEUED, None)

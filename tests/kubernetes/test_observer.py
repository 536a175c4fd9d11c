"""The events of Jobs and pods, joined."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from study_operator.backends.kubernetes.observer import RunObserver
from study_operator.backends.port import Run, RunPhase, StudyKey, Trouble

from tests.kubernetes.objects import AT, STUDY, complete, ended, failed, job, pod, running


class Told:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.gone: list[tuple[StudyKey, int, str]] = []

    def run_changed(self, run: Run) -> None:
        self.runs.append(run)

    def run_gone(self, study: StudyKey, index: int, run_id: str) -> None:
        self.gone.append((study, index, run_id))


def observer() -> tuple[RunObserver, Told]:
    told = Told()
    observer = RunObserver(told)
    observer.study_changed(STUDY, "life")
    return observer, told


JOB_EVENTS = [job(), complete()]
POD_EVENTS = [pod(), pod("Running", running()), pod("Succeeded", ended(0, message="{}"))]


@given(order=st.permutations(["job"] * len(JOB_EVENTS) + ["pod"] * len(POD_EVENTS)))
def test_a_run_ends_once_whatever_comes_first(order: list[str]) -> None:
    runs, told = observer()
    jobs, pods = iter(JOB_EVENTS), iter(POD_EVENTS)
    for stream in order:
        if stream == "job":
            runs.job_changed(next(jobs))
        else:
            runs.pod_changed(next(pods))
    ends = [run for run in told.runs if run.phase is RunPhase.ENDED]
    assert [(run.termination, run.end.exit_code if run.end else None) for run in ends] == [("{}", 0)]
    assert told.runs[-1] is ends[0]


def test_an_event_that_changes_nothing_is_not_told() -> None:
    runs, told = observer()
    for _ in range(3):
        runs.job_changed(job())
        runs.pod_changed(pod())
    assert [run.phase for run in told.runs] == [RunPhase.QUEUED, RunPhase.QUEUED]


def test_nothing_is_remembered_of_a_job_that_is_gone() -> None:
    runs, told = observer()
    for event in JOB_EVENTS:
        runs.job_changed(event)
    for event in POD_EVENTS:
        runs.pod_changed(event)
    assert len(runs) == 1
    runs.job_gone(complete())
    runs.pod_changed(pod("Succeeded", ended(0), deleted=AT.format(8)))
    runs.pod_gone(pod("Succeeded", ended(0), deleted=AT.format(8)))
    assert told.gone == [(STUDY, 3, "job-uid")]
    assert len(runs) == 0


def test_another_life_of_the_study_is_not_told_of() -> None:
    runs, told = observer()
    runs.job_changed(job(uid="old", life="earlier"))
    runs.study_gone(STUDY)
    runs.job_changed(job())
    assert told.runs == []


def test_a_pod_that_vanished_was_disrupted_once_a_look_finds_no_other() -> None:
    runs, told = observer()
    runs.job_changed(job())
    runs.pod_changed(pod("Running", running()))
    runs.pod_gone(pod("Running", running(), deleted=AT.format(4)))
    runs.job_changed(failed())
    assert told.runs[-1].phase is RunPhase.QUEUED
    runs.looked_up(*runs.unclear(), [], None)
    assert told.runs[-1].end and told.runs[-1].end.disrupted


def test_the_pod_of_a_job_that_a_queue_took_back_is_not_that_of_its_end() -> None:
    runs, told = observer()
    runs.job_changed(job())
    runs.pod_changed(pod("Running", running(), uid="z"))
    runs.job_changed(job(suspend=True))
    runs.pod_gone(pod("Failed", ended(143), uid="z", deleted=AT.format(4)))
    runs.job_changed(job())
    runs.job_changed(complete())
    assert told.runs[-1].phase is RunPhase.QUEUED, "of the pod that completed it nothing was heard yet"
    runs.pod_changed(pod("Succeeded", ended(0, message="{}"), uid="a"))
    assert (told.runs[-1].phase, told.runs[-1].termination) == (RunPhase.ENDED, "{}")


def test_a_job_without_a_pod_is_unclear_until_its_pods_were_looked_up() -> None:
    runs, told = observer()
    runs.job_changed(job())
    [unclear] = runs.unclear()
    runs.looked_up(unclear, [], Trouble("FailedCreate", "no room"))
    assert told.runs[-1].trouble == Trouble("FailedCreate", "no room")
    runs.pod_changed(pod())
    assert told.runs[-1].trouble is None and not runs.unclear()


def test_a_missed_end_of_a_pod_is_looked_up() -> None:
    runs, told = observer()
    runs.pod_changed(pod("Running", running()))
    runs.job_changed(complete())
    [unclear] = runs.unclear()
    assert told.runs == []
    runs.looked_up(unclear, [pod("Succeeded", ended(0))], None)
    assert told.runs[-1].phase is RunPhase.ENDED and not runs.unclear()


def test_a_pod_that_came_after_a_look_is_waited_for_to_its_end() -> None:
    runs, told = observer()
    runs.job_changed(job())
    runs.looked_up(*runs.unclear(), [], None)
    runs.pod_changed(pod("Running", running()))
    runs.job_changed(complete())
    runs.pod_changed(pod("Succeeded", ended(0, message="{}")))
    assert (told.runs[-1].phase, told.runs[-1].termination) == (RunPhase.ENDED, "{}")


def test_a_look_that_began_before_the_end_of_its_job_does_not_tell_it() -> None:
    runs, told = observer()
    runs.job_changed(job())
    [unclear] = runs.unclear()
    runs.job_changed(complete())
    runs.looked_up(unclear, [], None)
    runs.pod_changed(pod("Succeeded", ended(0, message="{}")))
    assert (told.runs[-1].phase, told.runs[-1].termination) == (RunPhase.ENDED, "{}")


def test_a_look_that_began_before_the_pod_came_does_not_take_it_away() -> None:
    runs, told = observer()
    runs.job_changed(job())
    [unclear] = runs.unclear()
    runs.pod_changed(pod("Running", running()))
    runs.looked_up(unclear, [], Trouble("FailedCreate", "no room"))
    assert (told.runs[-1].phase, told.runs[-1].trouble) == (RunPhase.RUNNING, None)


def test_a_job_whose_deletion_was_missed_is_forgotten() -> None:
    runs, told = observer()
    present: list[dict[str, Any]] = [job(uid="a", index=1), job(uid="b", index=2)]
    for raw in present:
        runs.job_changed(raw)
    runs.forget(set(runs.known()) - {"b"})
    assert told.gone == [(STUDY, 1, "a")] and set(runs.known()) == {"b"}

"""What every backend promises: one suite for the cluster, the laptop and the memory."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from study_operator.api import Study
from study_operator.backends.port import Announcement, NoRecord, RunPhase, Severity, StudyRef
from study_operator.results.trial import (
    FIRST_CONFIRMATION,
    Curve,
    MetricSummary,
    Purpose,
    Sample,
    TrialState,
    TrialStatus,
)

from tests.backends.worlds import RECORD, InMemory, OnACluster, OnThisMachine, trial

RESULT = TrialStatus(
    state=TrialState.SUCCEEDED,
    reason="Completed",
    message="The best loss is 0.30000000000000004 at step 20.",
    objective=Sample(20, 0.1 + 0.2),
    metrics={"loss": MetricSummary(2, Sample(20, 0.1 + 0.2), Sample(20, 0.1 + 0.2), Sample(10, 1e-300))},
    curves={"loss": Curve((10, 20), (1e-300, 0.1 + 0.2))},
    run="run-1",
    node="node-1",
    started=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    finished=datetime(2026, 1, 2, 3, 4, 6, tzinfo=UTC),
    failed_runs=("run-0",),
)


@pytest.fixture(params=["memory", "local", "kubernetes"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Any]:
    if request.param == "memory":
        yield InMemory()
    elif request.param == "local":
        here = OnThisMachine(tmp_path)
        studies: list[Study] = []
        create = here.study

        async def remember(program: str, name: str = "conformance") -> Study:
            studies.append(await create(program, name))
            return studies[-1]

        here.study = remember  # type: ignore[method-assign]
        yield here
        for study in studies:
            await here.end(study)
    else:
        plane = request.getfixturevalue("control_plane")
        request.getfixturevalue("node_agent")
        plane.install_crds()
        yield OnACluster(plane, request.getfixturevalue("namespace"), time.monotonic)


async def test_a_trial_is_persisted_as_it_was_given(world):
    study = await world.study("succeed")
    async with world.backend(study) as (backend, _):
        created = await backend.create_trial(StudyRef.of(study), trial(study))
    assert created.spec == trial(study)
    assert created.status == TrialStatus()
    async with world.backend(study) as (backend, _):
        assert await backend.trials(StudyRef.of(study)) == [created]


async def test_creating_a_trial_again_finds_it_unchanged(world):
    study = await world.study("succeed")
    async with world.backend(study) as (backend, _):
        await backend.create_trial(StudyRef.of(study), trial(study))
        await backend.write_trial(StudyRef.of(study), trial(study), RESULT)
        again = await backend.create_trial(StudyRef.of(study), replace(trial(study), seed=99))
    assert again.spec == trial(study)
    assert again.status == RESULT


async def test_a_result_is_kept_to_the_last_digit(world):
    study = await world.study("succeed")
    async with world.backend(study) as (backend, _):
        await backend.create_trial(StudyRef.of(study), trial(study))
        await backend.write_trial(StudyRef.of(study), trial(study), RESULT)
    async with world.backend(study) as (backend, _):
        (kept,) = await backend.trials(StudyRef.of(study))
    assert kept.status == RESULT


async def test_a_trial_judged_anew_keeps_its_curves(world):
    study = await world.study("succeed")
    async with world.backend(study) as (backend, _):
        await backend.create_trial(StudyRef.of(study), trial(study))
        await backend.write_trial(StudyRef.of(study), trial(study), RESULT)
        judged_anew = replace(RESULT, curves={}, objective=Sample(10, 1e-300), message="", failed_runs=())
        await backend.write_trial(StudyRef.of(study), trial(study), judged_anew, keep_curves=True)
        (kept,) = await backend.trials(StudyRef.of(study))
    assert kept.status == replace(judged_anew, curves=RESULT.curves)


async def test_trials_are_listed_in_the_order_of_their_indices(world):
    study = await world.study("succeed")
    async with world.backend(study) as (backend, _):
        for index in (10, 2, 0):
            await backend.create_trial(StudyRef.of(study), trial(study, index))
        assert [kept.spec.index for kept in await backend.trials(StudyRef.of(study))] == [0, 2, 10]


async def test_a_trial_whose_record_was_deleted_is_neither_written_nor_started(world):
    study = await world.study("succeed")
    async with world.backend(study) as (backend, _):
        await backend.create_trial(StudyRef.of(study), trial(study))
        await backend.discard_trial(StudyRef.of(study), trial(study))
        await backend.discard_trial(StudyRef.of(study), trial(study))
        for keep_curves in (False, True):
            with pytest.raises(NoRecord):
                await backend.write_trial(StudyRef.of(study), trial(study), RESULT, keep_curves=keep_curves)
        with pytest.raises(NoRecord):
            await backend.start(study, trial(study))
        assert list(await backend.trials(StudyRef.of(study))) == []
        assert list(await backend.runs(StudyRef.of(study))) == []


async def test_a_run_that_ends_well_brings_its_termination_message(world):
    study = await world.study("succeed")
    async with world.backend(study) as (backend, witness):
        await backend.check_template(study)
        await backend.create_trial(StudyRef.of(study), trial(study))
        begun = await backend.start(study, trial(study))
        ended = await witness.sees(0, RunPhase.ENDED)
    assert (ended.id, ended.study, ended.index) == (begun.id, StudyRef.of(study).key, 0)
    assert ended.end is not None
    assert ended.end.exit_code == 0
    assert ended.termination.strip() == RECORD
    assert ended.finished is not None
    assert ended.finished >= (ended.started or ended.finished)


async def test_a_run_that_fails_brings_its_exit_code(world):
    study = await world.study("fail")
    async with world.backend(study) as (backend, witness):
        await backend.create_trial(StudyRef.of(study), trial(study))
        await backend.start(study, trial(study))
        ended = await witness.sees(0, RunPhase.ENDED)
    assert ended.end is not None
    assert ended.end.exit_code == 7
    assert not ended.end.disrupted


async def test_starting_a_trial_twice_finds_its_run(world):
    study = await world.study("wait")
    async with world.backend(study) as (backend, _):
        await backend.create_trial(StudyRef.of(study), trial(study))
        first = await backend.start(study, trial(study))
        again = await backend.start(study, trial(study))
    assert again.id == first.id
    async with world.backend(study) as (backend, _):
        await backend.trials(StudyRef.of(study))
        assert [run.id for run in await backend.runs(StudyRef.of(study))] == [first.id]
        assert (await backend.start(study, trial(study))).id == first.id
        await backend.stop(StudyRef.of(study), first)


async def test_a_run_is_found_again_after_a_restart(world):
    study = await world.study("wait")
    async with world.backend(study) as (backend, witness):
        await backend.create_trial(StudyRef.of(study), trial(study))
        begun = await backend.start(study, trial(study))
        witness.run_changed(begun)
        await witness.sees(0, RunPhase.RUNNING)
    async with world.backend(study) as (backend, _):
        (found,) = await backend.runs(StudyRef.of(study))
        assert (found.id, found.index, found.phase) == (begun.id, 0, RunPhase.RUNNING)
        await backend.stop(StudyRef.of(study), found)


async def test_an_end_that_nobody_saw_is_found_after_a_restart(world):
    study = await world.study("succeed")
    async with world.backend(study) as (backend, witness):
        await backend.create_trial(StudyRef.of(study), trial(study))
        await backend.start(study, trial(study))
        await witness.sees(0, RunPhase.ENDED)
    async with world.backend(study) as (backend, _):
        (found,) = await backend.runs(StudyRef.of(study))
    assert found.phase is RunPhase.ENDED
    assert found.termination.strip() == RECORD


async def test_a_stopped_trial_can_be_started_anew(world):
    study = await world.study("wait")
    async with world.backend(study) as (backend, witness):
        await backend.create_trial(StudyRef.of(study), trial(study))
        first = await backend.start(study, trial(study))
        witness.run_changed(first)
        await witness.sees(0, RunPhase.RUNNING)
        await backend.stop(StudyRef.of(study), first)
        await backend.stop(StudyRef.of(study), first)
        second = await backend.start(study, trial(study))
        assert second.id != first.id
        await backend.stop(StudyRef.of(study), second)


async def test_released_runs_go_and_their_trials_stay(world):
    study = await world.study("succeed")
    async with world.backend(study) as (backend, witness):
        for index in (0, 1):
            await backend.create_trial(StudyRef.of(study), trial(study, index))
            await backend.start(study, trial(study, index))
        ended = [await witness.sees(index, RunPhase.ENDED) for index in (0, 1)]
        await backend.release(StudyRef.of(study), ended)
        await backend.release(StudyRef.of(study), ended)
        assert list(await backend.runs(StudyRef.of(study))) == []
        assert len(await backend.trials(StudyRef.of(study))) == 2


async def test_a_rerun_goes_the_way_of_any_trial(world):
    study = await world.study("succeed")
    rerun = replace(trial(study, FIRST_CONFIRMATION + 3), purpose=Purpose.CONFIRMATION, rerun_of=12)
    async with world.backend(study) as (backend, witness):
        await backend.create_trial(StudyRef.of(study), rerun)
        begun = await backend.start(study, rerun)
        ended = await witness.sees(rerun.index, RunPhase.ENDED)
        assert ended.id == begun.id
        assert [kept.spec for kept in await backend.trials(StudyRef.of(study))] == [rerun]
        await backend.stop(StudyRef.of(study), ended)
        assert list(await backend.runs(StudyRef.of(study))) == []


async def test_the_status_of_the_study_is_replaced_as_a_whole(world):
    study = await world.study("succeed")
    async with world.backend(study) as (backend, _):
        await backend.write_study(StudyRef.of(study), {"observedGeneration": 1, "state": "Running", "progress": "1/4"})
        await backend.write_study(StudyRef.of(study), {"observedGeneration": 1, "state": "Finished"})
    assert await world.status(study) == {"observedGeneration": 1, "state": "Finished"}


async def test_an_announcement_never_raises(world):
    study = await world.study("succeed")
    async with world.backend(study) as (backend, _):
        for number in range(3):
            await backend.announce(StudyRef.of(study), Announcement(Severity.WARNING, "TrialFailed", f"No {number}"))
        assert list(await backend.trials(StudyRef.of(study))) == []

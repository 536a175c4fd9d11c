"""Runs as real processes: how they start, how their end is told, and that they outlive the engine."""

import asyncio
import json
import os
import signal

import pytest
from study_operator.backends.local.processes import read_pid
from study_operator.backends.port import Refused, RunPhase
from study_operator.metrics.source import CurveRequest

from tests.local.engines import REF, spec, study_of, until


async def run_one(engine, *arguments, **template):
    """The end of the first trial's run, and the backend's folder of it."""
    async with engine() as (backend, seen):
        run = await backend.start(study_of(*arguments, **template), spec())
        assert run.phase is RunPhase.RUNNING
        return await seen.ended()


async def test_a_record_is_handed_over_as_it_was_written(engine):
    run = await run_one(engine, "record")
    assert run.end.exit_code == 0
    assert json.loads(run.termination) == {"metrics": {"loss": 0.4}}


async def test_the_trainer_finds_the_contract_in_its_environment(engine, tmp_path):
    await run_one(engine, "dump", str(tmp_path / "seen"), "$(HP_LEARNING_RATE)", "$$(HP_LEARNING_RATE)", "$(NOBODY)")
    seen = json.loads((tmp_path / "seen").read_text())
    assert seen["arguments"][1:] == ["0.5", "$(HP_LEARNING_RATE)", "$(NOBODY)"]
    assert seen["environment"]["STUDY_TRIAL"] == "study-0"
    assert seen["environment"]["STUDY_SEED"] == "11"
    assert seen["environment"]["PATH"] == os.environ["PATH"]


async def test_no_word_of_the_manifest_is_read_by_a_shell(engine, tmp_path):
    words = ["$(touch owned)", "`touch owned`", "; touch owned", "a b", "*", '"']
    await run_one(engine, "dump", str(tmp_path / "seen"), *words)
    assert json.loads((tmp_path / "seen").read_text())["arguments"][1:] == words
    assert not (engine.folder.path / "owned").exists()


async def test_a_failure_is_told_with_the_trainers_last_words(engine):
    run = await run_one(engine, "exit", "3")
    assert (run.end.exit_code, run.end.message, run.end.disrupted) == (3, "some last words", False)


async def test_a_trainer_that_is_killed_did_not_run_into_an_infrastructure_failure(engine):
    run = await run_one(engine, "kill-me")
    assert (run.end.exit_code, run.end.disrupted) == (137, False)
    assert "memory" in run.end.message


async def test_a_word_that_is_a_shell_builtin_is_a_programs_name(engine):
    run = await run_one(engine, container={"command": ["exit"], "args": ["0"]})
    assert run.end.exit_code == 127


async def test_what_a_trainer_leaves_behind_ends_with_it(engine):
    run = await run_one(engine, "orphan")
    assert run.end.exit_code == 0


@pytest.mark.parametrize(("mode", "steps"), [("history", (1, 2)), ("gauge", (7,))])
async def test_the_curve_is_what_the_trainer_exposed(engine, mode, steps):
    async with engine() as (backend, seen):
        await backend.start(study_of(mode), spec())
        run = await seen.ended()
        answer = await backend.metrics.curves(CurveRequest("default", run.pod, ("loss", "absent"), 0, 0))
    assert answer.has_steps
    assert answer.final
    assert answer.curves.keys() == {"loss"}
    assert answer.curves["loss"].steps == steps
    assert answer.curves["loss"].values[-1] == 0.25


async def test_very_many_points_come_through(engine):
    async with engine() as (backend, seen):
        await backend.start(study_of("many", "100000"), spec())
        run = await seen.ended()
        answer = await backend.metrics.curves(CurveRequest("default", run.pod, ("loss",), 0, 0))
    assert answer.curves["loss"].values == tuple(1 / point for point in range(1, 100_001))


async def test_an_endpoint_that_cannot_be_read_costs_the_curve_alone(engine, caplog):
    run = await run_one(engine, "hostile-endpoint")
    assert run.end.exit_code == 0
    assert [record.message for record in caplog.records] == [
        "study-0: The metrics endpoint answered with a line of more than 8192 characters."
    ]


async def test_a_second_start_finds_the_first(engine):
    async with engine() as (backend, _):
        study = study_of("sleep", "60")
        assert await backend.start(study, spec()) == await backend.start(study, spec())


async def test_a_stop_ends_even_a_trainer_that_ignores_it_and_makes_room_for_another_run(engine, tmp_path):
    heart = tmp_path / "heart"
    study = study_of("stubborn", str(heart))
    study.spec.trial_template["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 1
    async with engine() as (backend, seen):
        first = await backend.start(study, spec())
        await until(heart.exists)
        await backend.stop(REF, first)
        stopped_at = heart.read_text()
        await asyncio.sleep(0.1)
        assert heart.read_text() == stopped_at
        assert seen.gone == [first.id]
        assert (await backend.start(study, spec())).id != first.id


async def test_a_run_is_found_by_the_next_engine_and_scraped_on(engine):
    first = engine()
    backend, _ = await first.__aenter__()
    started = await backend.start(study_of("record", "0.5"), spec())
    await backend.close()  # as after a kill -9: the run goes on
    async with engine() as (backend, seen):
        assert [run.id for run in await backend.runs(REF)] == [started.id]
        run = await seen.ended()
    assert (run.id, run.end.exit_code) == (started.id, 0)


async def test_an_end_that_nobody_saw_is_found_by_the_next_engine(engine):
    await run_one(engine, "record")
    async with engine() as (backend, _):
        [run] = await backend.runs(REF)
    assert (run.phase, run.end.exit_code) == (RunPhase.ENDED, 0)
    assert "0.4" in run.termination


async def test_a_run_whose_processes_vanished_was_disrupted(engine):
    async with engine() as (backend, seen):
        await backend.start(study_of("sleep", "60"), spec())
        pid = await until(lambda: read_pid(engine.folder.run_path("study-0")))
        os.killpg(pid, signal.SIGKILL)
        run = await seen.ended()
    assert (run.end.exit_code, run.end.disrupted) == (None, True)


async def test_the_death_of_the_supervisor_alone_does_not_end_the_run(engine):
    async with engine() as (backend, seen):
        await backend.start(study_of("record", "10"), spec())
        pid = await until(lambda: read_pid(engine.folder.run_path("study-0")))
        os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.2)
        assert [run.phase for run in await backend.runs(REF)] == [RunPhase.RUNNING]
        assert (await seen.ended()).end.disrupted


async def test_a_run_that_an_engine_was_killed_before_starting_never_was(engine):
    folder = engine.folder.run_path("study-0")
    folder.mkdir()
    (folder / "run.json").write_text('{"id": "cut sho')
    os.mkfifo(folder / "alive")
    async with engine() as (backend, seen):
        assert await backend.runs(REF) == []
        await backend.start(study_of("record"), spec())
        assert (await seen.ended()).end.exit_code == 0


async def test_a_released_run_leaves_its_log(engine):
    async with engine() as (backend, seen):
        await backend.start(study_of("exit", "3"), spec())
        run = await seen.ended()
        await backend.release(REF, [run])
        assert await backend.runs(REF) == []
    assert engine.folder.run_path("study-0").joinpath("log.txt").read_text() == "some last words\n"


@pytest.mark.parametrize(
    ("container", "path"),
    [
        ({"command": []}, "containers[0].command: a local run needs a command"),
        ({"command": ["no-such-program"]}, "containers[0].command[0]: the program 'no-such-program' is not found"),
        ({"workingDir": "/no/such/folder"}, "containers[0].workingDir: there is no folder /no/such/folder"),
        ({"command": "python train.py"}, "containers[0].command: must be a list of texts"),
        ({"env": [{"value": "1"}]}, "containers[0].env[0].name: must be a text"),
    ],
)
async def test_what_cannot_run_here_is_refused_with_its_path(engine, container, path):
    async with engine() as (backend, _):
        with pytest.raises(Refused) as refused:
            await backend.check_template(study_of(container=container))
    assert path in str(refused.value)

"""The definitions on a real API server: it refuses what the parser refuses, and keeps what the controller writes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from study_operator.api import parse_study, scalar_text, trial_from_manifest, trial_to_manifest
from study_operator.api.crd import study_crd
from study_operator.api.status import StudyStatus
from study_operator.api.study import ObjectMeta
from study_operator.results.trial import (
    Curve,
    MetricSummary,
    Purpose,
    Sample,
    Source,
    Trial,
    TrialSpec,
    TrialState,
    TrialStatus,
)

from tests.api.conftest import ApiServer
from tests.api.manifests import BASELINE, FAULTS, SOUND_CHANGES, UNKNOWN_FIELDS, Fault, study_manifest
from tests.api.test_changes import FREE_CHANGES, FROZEN_CHANGES
from tests.cluster.control_plane import ControlPlane

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def shared(resources: ControlPlane) -> Any:
    """For requests that leave nothing behind."""
    client = ApiServer(resources, "default")
    yield client
    client.close()


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_what_the_parser_refuses_is_refused(shared: ApiServer, fault: Fault) -> None:
    response = shared.create("studies", fault.manifest, dry_run=True)
    assert response.status_code == 422
    blamed = (fault.path or fault.field).removesuffix(".role")  # that role and value agree is told of the whole
    assert blamed in response.json()["message"]


@pytest.mark.parametrize("changes", SOUND_CHANGES, ids=str)
def test_what_the_parser_accepts_is_accepted(shared: ApiServer, changes: dict[str, object]) -> None:
    response = shared.create("studies", study_manifest(changes), dry_run=True)
    assert response.status_code == 201, response.text


@pytest.mark.parametrize("field", UNKNOWN_FIELDS)
def test_an_unknown_field_is_refused(shared: ApiServer, field: str) -> None:
    response = shared.create("studies", study_manifest({field: 1}), dry_run=True)
    assert response.status_code == 400
    assert f'unknown field "{field}"' in response.json()["message"]


def test_a_study_begins_with_a_status_that_no_tool_takes_for_finished(server: ApiServer) -> None:
    created = server.create("studies", study_manifest() | {"status": {"state": "Finished"}}).json()
    assert created["status"] == {"observedGeneration": -1}


def test_defaults_are_filled_in_outside_lists_only(server: ApiServer) -> None:
    created = server.create("studies", study_manifest({"spec.budget": {"trials": 2}})).json()["spec"]
    assert (created["phase"], created["suspend"], created["budget"]["parallelism"]) == ("Exploration", False, 1)
    assert created["objective"]["selection"] == "Best"
    assert created["hyperparameters"] == study_manifest()["spec"]["hyperparameters"]


def test_what_the_server_gives_is_parsed(server: ApiServer) -> None:
    created = server.create("studies", study_manifest()).json()
    study = parse_study(created)
    assert (study.metadata.uid, study.metadata.generation) == (created["metadata"]["uid"], 1)
    assert study.hyperparameters == parse_study(study_manifest()).hyperparameters


@pytest.mark.parametrize("phase", ["Exploration", "Exploitation"])
def test_the_space_is_fixed_once_there_are_trials(server: ApiServer, phase: str) -> None:
    server.create("studies", study_manifest({"spec.phase": phase}))
    changes = [(field, value) for field, value in FROZEN_CHANGES if value != phase]
    for field, value in changes:
        assert _updated(server, field, value).ok, field
    server.write_status("studies", "optimizers-r1", {"observedGeneration": 1, "trials": {"planned": 32}})
    for field, value in changes:
        response = _updated(server, field, value)
        assert response.status_code == 422, field
        assert "cannot change once trials exist" in response.json()["message"]
    for field, value in FREE_CHANGES:
        refused = phase == "Exploitation" and field.startswith("spec.objective")
        assert _updated(server, field, value).status_code == (422 if refused else 200), field


def _updated(server: ApiServer, field: str, value: object) -> Any:
    """What the server says to a change of one field of the study that is there."""
    found = server.read("studies", "optimizers-r1")
    changed = study_manifest({"spec.phase": found["spec"]["phase"], field: value})
    return server.update("studies", found | {"spec": changed["spec"]}, dry_run=True)


def test_a_whole_status_is_kept_as_it_was_written(server: ApiServer) -> None:
    schema = study_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    status = {name: field["example"] for name, field in schema["properties"].items()}
    StudyStatus.model_validate_json(json.dumps(status))
    server.create("studies", study_manifest())
    assert server.write_status("studies", "optimizers-r1", status)["status"] == status


def test_conditions_are_kept_one_a_type(server: ApiServer) -> None:
    server.create("studies", study_manifest())
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "R",
        "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    found = server.read("studies", "optimizers-r1") | {"status": {"conditions": [condition, condition]}}
    answer = server.kubectl("replace", "--subresource=status", "--filename=-", input=json.dumps(found), check=False)
    assert "Duplicate value" in answer.stderr


TRIAL = Trial(
    TrialSpec("digits", 12, 1, Purpose.SEARCH, (0.1, 2 / 3), {"optimizer": "adam", "rate": 1 / 3, "flag": True}, 3),
    TrialStatus(
        TrialState.SUCCEEDED,
        "Completed",
        objective=Sample(520, 0.1 + 0.2),
        metrics={"error": MetricSummary(60, Sample(600, float("nan")), Sample(520, 0.1 + 0.2), Sample(1, 1.0))},
        curves={"error": Curve((10, 520), (1.0, 0.1 + 0.2))},
        source=Source.PROMETHEUS,
        run="a",
        node="node0",
        started=datetime(2026, 11, 24, 20, 14, 5, 123456, tzinfo=UTC),
        finished=datetime(2026, 11, 24, 20, 15, tzinfo=UTC),
        failed_runs=("b",),
    ),
)


def _recorded(server: ApiServer) -> dict[str, Any]:
    created = server.create(
        "trials", trial_to_manifest(TRIAL, ObjectMeta.model_validate({"name": "digits", "namespace": server.namespace}))
    )
    assert created.ok, created.text
    found: dict[str, Any] = created.json()
    return found


def test_a_trial_comes_back_to_the_last_digit(server: ApiServer) -> None:
    created = _recorded(server)
    assert created["status"] == {"state": "Pending"}
    assert trial_from_manifest(created) == Trial(TRIAL.spec, TrialStatus())
    status = trial_to_manifest(TRIAL, ObjectMeta.model_validate({"name": "digits"}))["status"]
    written = server.write_status("trials", "digits-12", status)
    assert written["status"] == status
    read = trial_from_manifest(written)
    assert (read.spec, read.status.objective, read.status.curves) == (
        TRIAL.spec,
        TRIAL.status.objective,
        TRIAL.status.curves,
    )


def test_what_was_asked_of_a_trial_never_changes(server: ApiServer) -> None:
    created = _recorded(server)
    created["spec"]["point"][0] = "0.2"
    response = server.update("trials", created)
    assert response.status_code == 422
    assert "what is asked of a trial never changes" in response.json()["message"]


def test_the_lists_tell_the_story(server: ApiServer) -> None:
    server.create("studies", study_manifest())
    best = {
        "trial": "optimizers-r1-12",
        "arm": "optimizer=adam",
        "objective": "0.0289",
        "parameters": {"x": scalar_text(1)},
    }
    server.write_status("studies", "optimizers-r1", {"state": "Running", "progress": "12/32", "best": best})
    _recorded(server)
    server.write_status(
        "trials", "digits-12", trial_to_manifest(TRIAL, ObjectMeta.model_validate({"name": "digits"}))["status"]
    )

    def rows(*arguments: str) -> list[list[str]]:
        shown = server.kubectl("get", *arguments, f"--namespace={server.namespace}").stdout
        return [line.split() for line in shown.splitlines()]

    header, study = rows("st")
    assert header == ["NAME", "STATE", "TRIALS", "BEST", "ARM", "AGE"]
    assert study[:-1] == ["optimizers-r1", "Running", "12/32", "0.0289", "optimizer=adam"]
    header, trial = rows("tr")
    assert header == ["NAME", "STUDY", "STATE", "REASON", "OBJECTIVE", "STEP", "AGE"]
    assert trial[:-1] == ["digits-12", "digits", "Succeeded", "Completed", "0.30000000000000004", "520"]
    assert {row[0] for row in rows("tuning") if row} >= {
        "study.tuning.study/optimizers-r1",
        "trial.tuning.study/digits-12",
    }
    assert rows("studies", "--output=wide")[0][-3:] == ["PHASE", "PARALLELISM", "GOAL"]
    assert rows("trials", "--output=wide")[0][-4:] == ["ARM", "NODE", "SOURCE", "ATTEMPTS"]


def test_the_examples_apply_and_applying_them_again_changes_nothing(server: ApiServer) -> None:
    arguments = (f"--filename={EXAMPLES}", f"--namespace={server.namespace}")
    server.kubectl("apply", *arguments)
    again = server.kubectl("apply", *arguments).stdout.splitlines()
    assert again
    assert all(line.endswith(" unchanged") for line in again)
    server.kubectl("apply", "--server-side", "--force-conflicts", *arguments)
    assert not server.kubectl("diff", "--server-side", "--force-conflicts", *arguments).stdout


def test_every_field_is_explained_by_the_cluster(server: ApiServer) -> None:
    explained = server.kubectl("explain", "study.spec.hyperparameters.range.scale").stdout
    assert "Log gives each order of magnitude an equal share" in " ".join(explained.split())


def test_the_rules_cope_with_the_largest_study(server: ApiServer) -> None:
    choices = [f"choice-{n:03d}-{'x' * 20}" for n in range(100)]
    space = [{"name": f"h{n}", "role": "Nuisance", "choices": choices} for n in range(64)]
    container = {"name": "trainer", "image": "x", "env": [{"name": f"V{n}", "value": "x" * 60} for n in range(2500)]}
    template = {"spec": {"template": {"spec": {"containers": [container]}}}}
    largest = {"spec.hyperparameters": space, "spec.trialTemplate": template}
    assert server.create("studies", study_manifest(largest)).status_code == 201
    written = server.write_status("studies", "optimizers-r1", {"trials": {"planned": 32}})
    assert server.update(
        "studies", written | {"spec": study_manifest(largest | {"spec.notes": "x"})["spec"]}, dry_run=True
    ).ok
    space[63] = space[63] | {"choices": choices[1:]}
    refused = server.update("studies", written | {"spec": study_manifest(largest)["spec"]}, dry_run=True)
    assert (refused.status_code, "cannot change" in refused.json()["message"]) == (422, True)


def test_confirmation_may_be_added_and_is_then_fixed_with_its_baseline(server: ApiServer) -> None:
    server.create("studies", study_manifest())
    server.write_status("studies", "optimizers-r1", {"observedGeneration": 1, "trials": {"planned": 32}})
    found = server.read("studies", "optimizers-r1")
    confirmation: dict[str, Any] = {"baseline": dict(BASELINE)}
    assert server.update("studies", found | {"spec": found["spec"] | {"confirmation": confirmation}}).ok
    found = server.read("studies", "optimizers-r1")
    other = found["spec"]["confirmation"] | {"baseline": BASELINE | {"learning_rate": 0.5}}
    for changed in (found["spec"] | {"confirmation": other}, study_manifest()["spec"]):
        assert server.update("studies", found | {"spec": changed}).status_code == 422

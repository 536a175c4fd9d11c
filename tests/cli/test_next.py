"""``study next``: a manifest that a person can review, apply and commit."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy
import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from study_operator.api import parse_study, study_space, trial_to_manifest
from study_operator.api.review import denial, review
from study_operator.api.yaml import load_manifest
from study_operator.backends.local import Identity, StudyFolder
from study_operator.backends.port import StudyKey, StudyRef
from study_operator.cli.main import main
from study_operator.cli.manifest_text import MARK, Remarked, applied, dumped, edited
from study_operator.cli.next import as_written, next_manifest, proposal_of
from study_operator.findings import Finding, Severity, Subject
from study_operator.results.trial import Purpose, Sample, Trial, TrialSpec, TrialState, TrialStatus
from study_operator.rounds import Drop, Put, Swap, propose
from study_operator.rounds.draft import Plan, domain_content
from study_operator.samplers import SobolSampler, SuggestionRequest
from study_operator.space import Space

from tests.findings.evidence_samples import sobol, study
from tests.space.test_random_spaces import spaces

MANIFEST = """\
# Which optimizer?
apiVersion: tuning.study/v1alpha1
kind: Study
metadata:
  name: optimizers-r1   # the first round
spec:
  goal: >-
    Does Adam beat
    Nesterov momentum?
  objective: {metric: validation_error, direction: Minimize}
  training: {steps: 600}
  hyperparameters:
  # What is compared.
  - {name: optimizer, role: Scientific, choices: [nesterov, "adam"]}
  - name: learning_rate
    role: Nuisance
    when: {optimizer: [nesterov]}
    range:
      min: 1e-3
      max: 0.1     # torch's default is 0.01
      scale: Log

  - {name: learning_rate, role: Nuisance, when: {optimizer: [adam]}, range: {min: 1e-05, max: 0.1, scale: Log}}
  # The network, as it has always been.
  - name: hidden_units
    role: Fixed
    value: 64
  budget: {trials: 32, parallelism: 4}
  sampler:
    seed: 7
  trialTemplate:
    spec:
      template:
        spec:
          containers:
          - name: trainer
            image: 'example/trainer:1'
            command: [python, -m, train]
"""
REF = StudyRef(StudyKey("default", "optimizers-r1"), str(UUID(int=1)))


def trials_of(text: str, best: float, count: int = 32) -> list[Trial]:
    """Ended trials whose objective is the distance of the first coordinate from ``best``; Adam's are worse."""
    given_study = parse_study(load_manifest(text))
    space = study_space(given_study)
    sampler = SobolSampler(space, 7)
    trials = []
    for index in range(count):
        point = sampler.suggest(SuggestionRequest(index))
        spec = TrialSpec(
            given_study.metadata.name,
            index,
            point.arm,
            Purpose.SEARCH,
            point.point,
            space.parameters(point.arm, point.point),
            point.seed,
        )
        value = abs(point.point[0] - best) + point.arm
        trials.append(Trial(spec, TrialStatus(state=TrialState.SUCCEEDED, objective=Sample(600, value))))
    return trials


def folder_of(path: Path, text: str, best: float, count: int = 32) -> Path:
    """A study's folder as `study run` leaves it."""
    folder = StudyFolder(path)
    folder.lock().release()
    folder.write_study(text, Identity(REF.uid, 1, "2026-11-24T12:00:00Z"))
    for trial in trials_of(text, best, count):
        folder.write_trial(REF, trial)
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["next", *map(str, arguments)])


def added_and_removed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that are no comments of the command, without their indentation."""
    lines = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if MARK not in line]
    return [line[2:].strip() for line in lines if line[:2] == "+ "], [
        line[2:].strip() for line in lines if line[:2] == "- "
    ]


def test_only_what_the_evidence_asks_for_is_changed_and_its_reason_stands_above(tmp_path: Path) -> None:
    result = run(folder_of(tmp_path / "study", MANIFEST, best=1.2))
    assert result.exit_code == 0
    added, removed = added_and_removed(MANIFEST, result.stdout)
    assert removed == [
        "name: optimizers-r1   # the first round",
        "max: 0.1     # torch's default is 0.01",
        "- {name: learning_rate, role: Nuisance, when: {optimizer: [adam]}, range: {min: 1e-05, max: 0.1, scale: Log}}",
    ]
    assert added == [
        "name: optimizers-r2   # the first round",
        "basedOn: optimizers-r1",
        "max: 1     # torch's default is 0.01",
        "- {name: learning_rate, role: Nuisance, when: {optimizer: [adam]}, range: {min: 1e-05, max: 1, scale: Log}}",
    ]
    lines = result.stdout.splitlines()
    at = next(index for index, line in enumerate(lines) if "max: 1 " in line)
    above = " ".join(line.strip().removeprefix(MARK) for line in lines[at - 6 : at] if MARK in line)
    assert above.startswith("0.1 -> 1 (search-space-boundary, optimizer=nesterov). The best trial is at the upper end")


def test_the_next_round_is_ready_to_lint_and_to_be_followed(tmp_path: Path) -> None:
    output = tmp_path / "r2.yaml"
    told = run(folder_of(tmp_path / "study", MANIFEST, best=1.2), "--output", output)
    assert (told.exit_code, told.stdout) == (0, "")
    assert CliRunner().invoke(main, ["lint", "--strict", str(output)]).exit_code == 0
    third = run(folder_of(tmp_path / "next", output.read_text(), best=1.2)).stdout
    manifest = load_manifest(third)
    assert (manifest["metadata"]["name"], manifest["spec"]["basedOn"]) == ("optimizers-r3", "optimizers-r2")
    assert third.count("0.1 -> 1 ") == 0


def test_nothing_to_change_is_told_with_what_to_launch(tmp_path: Path) -> None:
    text = MANIFEST.replace("  budget:", "  phase: Exploitation\n  budget:")
    result = run(folder_of(tmp_path / "study", text, best=0.5), "--output", tmp_path / "r2.yaml")
    assert result.exit_code == 0
    assert "Nothing to change: launch optimizers-r1-" in result.stderr
    launch = json.loads(result.stdout)
    assert launch["trial"].startswith("optimizers-r1-")
    assert set(launch["parameters"]) == {"optimizer", "learning_rate", "hidden_units"}
    assert "python -m train" in launch["command"]
    assert not (tmp_path / "r2.yaml").exists()


def test_a_round_without_results_is_refused(tmp_path: Path) -> None:
    result = run(folder_of(tmp_path / "study", MANIFEST, best=0.5, count=0))
    assert result.exit_code == 1
    assert "No trial has a result" in result.stderr


def test_a_settled_round_goes_on_in_its_best_arm_alone(tmp_path: Path) -> None:
    text = MANIFEST.replace("trials: 32", "trials: 64")
    manifest = load_manifest(run(folder_of(tmp_path / "study", text, best=0.5, count=64)).stdout)
    assert manifest["spec"]["phase"] == "Exploitation"
    assert manifest["spec"]["hyperparameters"][0] == {"name": "optimizer", "role": "Fixed", "value": "nesterov"}
    assert [each["name"] for each in manifest["spec"]["hyperparameters"]] == [
        "optimizer",
        "learning_rate",
        "hidden_units",
    ]
    assert manifest["spec"]["sampler"]["seed"] == 8


def test_a_promotion_tells_what_transfers(tmp_path: Path) -> None:
    result = run(folder_of(tmp_path / "study", MANIFEST, best=0.5), "--longer", "10")
    assert load_manifest(result.stdout)["spec"]["training"]["steps"] == 6000
    assert MARK + "What transfers from short to long training" in result.stdout
    assert run(tmp_path / "study", "--longer", "1").exit_code == 2


def test_a_study_of_a_cluster_is_written_without_what_others_added() -> None:
    resource = load_manifest(MANIFEST)
    resource["metadata"] |= {
        "uid": "u",
        "resourceVersion": "1",
        "managedFields": [],
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "team": "vision"},
    }
    resource["spec"] = {key: resource["spec"][key] for key in sorted(resource["spec"])}
    written = as_written(resource | {"status": {}})
    assert written["metadata"] == {"name": "optimizers-r1", "annotations": {"team": "vision"}}
    assert list(written) == ["apiVersion", "kind", "metadata", "spec"]
    assert next(iter(written["spec"])) == "goal"
    assert list(written["spec"])[-1] == "trialTemplate"


def test_a_manifest_with_aliases_is_written_anew() -> None:
    text = MANIFEST.replace("{min: 1e-05, max: 0.1, scale: Log}", "&rate {min: 1e-05, max: 0.1, scale: Log}").replace(
        "  # The network", "  - {name: width, role: Nuisance, range: *rate}\n  # The network"
    )
    after = edited(text, [], [Remarked((Put("spec.hyperparameters[3].range.max", 5),), "Wider.")])
    assert load_manifest(after)["spec"]["hyperparameters"][2]["range"]["max"] == 0.1
    assert load_manifest(after)["spec"]["hyperparameters"][3]["range"]["max"] == 5
    assert MARK + "Wider." in after


def test_comments_of_the_round_before_go_and_look_alikes_in_texts_stay() -> None:
    text = MANIFEST.replace("  budget:", f"  {MARK}old\n  budget:")
    assert "old" not in edited(text, [], [])
    script = MANIFEST.replace(
        "command: [python, -m, train]", f"args:\n            - |\n              {MARK}old\n              x"
    )
    assert load_manifest(edited(script, [], [])) == load_manifest(script)


KEYS = st.sampled_from(["a", "b", "yes", "1e3", "x y", "#", "- c", "é"])
TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=12) | KEYS
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=12
)


@given(st.dictionaries(TEXTS, TREES, min_size=1, max_size=4))
def test_what_is_dumped_is_read_back(tree: dict[str, Any]) -> None:
    assert load_manifest(dumped(tree)) == json.loads(json.dumps(tree), parse_float=lambda text: _number(float(text)))


def _number(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < 2**63 else value


WRITTEN = st.recursive(
    st.integers(0, 9) | st.sampled_from(["x", "two words", "quoted: #"]),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from("abcd"), inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=100)
@given(st.data(), st.dictionaries(st.sampled_from("abcd"), WRITTEN, min_size=1), st.sampled_from([True, False, None]))
def test_any_field_is_edited_in_place_and_nothing_else(
    data: st.DataObject, tree: dict[str, Any], flow: bool | None
) -> None:
    text = yaml.safe_dump(tree, default_flow_style=flow, sort_keys=False)
    paths = _fields(tree)
    path, holder = data.draw(st.sampled_from(paths))
    new = data.draw(WRITTEN)
    if isinstance(holder, dict):
        edit = data.draw(
            st.sampled_from([Put(path, new), Swap(path, "z", new), Put(f"{path.rpartition('.')[0]}.new", new)])
        )
        assume(edit.path != ".new")
    else:
        assume(len(holder) > 1)
        edit = Drop(path)
    after = edited(text, ["Header."], [Remarked((edit,), "Its reason.")])
    assert load_manifest(after) == applied(tree, [edit])
    assert after.startswith(f"{MARK}Header.\n")
    assert "Its reason." in after or flow is not False


def _fields(tree: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(tree, dict):
        steps = [(f"{path}.{key}".removeprefix("."), value) for key, value in tree.items()]
    else:
        steps = [(f"{path}[{index}]", value) for index, value in enumerate(tree)] if isinstance(tree, list) else []
    return [found for step, value in steps for found in ((step, tree), *_fields(value, step))]


RULES = (
    "search-space-boundary",
    "infeasible-trials",
    "insensitive-nuisance",
    "enough-points",
    "overfitting",
    "early-saturation",
    "learning-rate-edge",
)


@st.composite
def findings_on(draw: st.DrawFn, space: Space) -> list[Finding]:
    names = [definition.name for definition in space.definitions if definition.sampled]
    number = st.sampled_from([0.1, 0.5, 2.0, 3.0, 100.0])
    numbers = st.fixed_dictionaries(
        {"side": st.sampled_from(["min", "max"])}, optional={"to": number, "settled": number, "choice": st.just("1")}
    )
    subjects = st.builds(
        Subject,
        arm=st.sampled_from([arm.label for arm in space.arms]),
        hyperparameter=st.sampled_from(names),
    )
    one = st.builds(
        Finding,
        rule=st.sampled_from(RULES),
        severity=st.sampled_from([Severity.INFO, Severity.WARNING]),
        subject=subjects,
        message=st.just("Seen: # 'so'."),
        advice=st.just("Act."),
        numbers=numbers,
    )
    return draw(st.lists(one, max_size=6))


@settings(max_examples=40)
@given(st.data(), spaces(), st.booleans(), st.sampled_from([True, False, None]), st.sampled_from([None, 2.0]))
def test_the_next_round_always_lints_without_an_error_and_does_what_it_says(
    data: st.DataObject, space: Space, exploitation: bool, flow: bool | None, longer: float | None
) -> None:
    assume(len(space.arms) <= 8)
    manifest = load_manifest(MANIFEST)
    manifest["spec"]["hyperparameters"] = [
        {"name": each.name, "role": each.role.value, **({"when": {k: list(v) for k, v in each.when.items()}})}
        | dict([domain_content(each.domain)])
        for each in space.definitions
    ]
    manifest["spec"]["budget"]["trials"] = 8
    manifest["spec"]["phase"] = "Exploitation" if exploitation else "Exploration"
    baseline = {
        name: value
        for name, value in space.parameters(0, [0.7] * len(space.dimensions)).items()
        if not any(each.name == name and each.role == "Fixed" for each in space.definitions)
    }
    manifest["spec"]["confirmation"] = {"top": 2, "reruns": 2, "baseline": baseline}
    text = yaml.safe_dump(manifest, default_flow_style=flow, sort_keys=False)
    given_study = parse_study(load_manifest(text))
    points = sobol(len(space.dimensions), 8)
    seen = study(space, points, {arm.index: numpy.abs(points[:, 0] - 0.3) + arm.index for arm in space.arms})
    if longer is None:
        plan = Plan(trials=8, exploitation=exploitation, seed=7, baseline=given_study.spec.confirmation.baseline)
        proposal = propose(seen, data.draw(findings_on(space)), plan)
    else:
        proposal = proposal_of(given_study, seen.trials, longer)
    following = load_manifest(next_manifest(text, given_study, proposal))
    edits = [edit for change in proposal.changes for edit in change.edits]
    named = [Put("metadata.name", "optimizers-r2"), Put("spec.basedOn", "optimizers-r1")]
    assert following == json.loads(json.dumps(applied(load_manifest(text), [*named, *edits])))
    after = parse_study(following)
    assert denial(review(after, study_space(after))) == ""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_stay_as_they_are(newline: str) -> None:
    after = edited(
        MANIFEST.replace("\n", newline), ["Header."], [Remarked((Put("spec.phase", "Exploration"),), "Why.")]
    )
    assert after.count("\n") == after.count(newline)
    assert after.splitlines()[0] == MARK + "Header."


def test_the_list_shows_which_round_a_study_is_based_on(tmp_path: Path) -> None:
    folder_of(tmp_path / "r1", MANIFEST, best=1.2, count=0)
    following = MANIFEST.replace("optimizers-r1", "optimizers-r2").replace(
        "  goal:", "  basedOn: optimizers-r1\n  goal:"
    )
    folder_of(tmp_path / "r2", following, best=1.2, count=0)
    heading, first, second = CliRunner().invoke(main, ["list", "--studies", str(tmp_path)]).stdout.splitlines()
    assert heading.split()[:3] == ["NAME", "BASED", "ON"]
    assert first.split().count("optimizers-r1") == 1
    assert second.split()[:2] == ["optimizers-r2", "optimizers-r1"]


def test_a_study_of_a_cluster_has_a_next_round_that_the_api_server_takes(
    control_plane: Any, namespace: str, tmp_path: Path
) -> None:
    control_plane.install_crds()
    file = tmp_path / "resource.yaml"
    file.write_text(MANIFEST.replace("name: optimizers-r1 ", f"namespace: {namespace}\n  name: optimizers-r1 "))
    control_plane.kubectl("apply", "-f", str(file))
    get = ("get", "study", "optimizers-r1", f"--namespace={namespace}", "-o", "json")
    resource = parse_study(json.loads(control_plane.kubectl(*get).stdout))
    record = trial_to_manifest(trials_of(MANIFEST, best=0.5, count=1)[0], resource.metadata)
    record["metadata"]["namespace"] = namespace
    file.write_text(json.dumps(record))
    control_plane.kubectl("create", "-f", str(file))
    status = json.dumps({"status": record["status"]})
    name = ("trial", "optimizers-r1-0", f"--namespace={namespace}")
    control_plane.kubectl("patch", *name, "--subresource=status", "--type=merge", "-p", status)
    output = tmp_path / "r2.yaml"
    where = ("--kubeconfig", control_plane.kubeconfig, "--namespace", namespace)
    result = run("optimizers-r1", "--longer", "10", "--output", output, *where)
    assert result.exit_code == 0, result.output
    control_plane.kubectl("apply", "--dry-run=server", "-f", str(output))
    assert load_manifest(output.read_text())["spec"]["basedOn"] == "optimizers-r1"
    assert MARK in output.read_text()

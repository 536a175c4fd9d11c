"""``study next``: a manifest that a person can review, apply and commit."""

from __future__ import annotations

import difflib
import json
from pathlib import Path

from click.testing import CliRunner
from study_operator.api.yaml import load_manifest
from study_operator.cli.main import main
from study_operator.cli.manifest_text import MARK
from study_operator.cli.next import as_written

from tests.cli.rounds import MANIFEST, folder_of, study_next


def added_and_removed(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that are no comments of the command, without their indentation."""
    lines = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if MARK not in line]
    return [line[2:].strip() for line in lines if line[:2] == "+ "], [
        line[2:].strip() for line in lines if line[:2] == "- "
    ]


def test_only_what_the_evidence_asks_for_is_changed_and_its_reason_stands_above(tmp_path: Path) -> None:
    result = study_next(folder_of(tmp_path / "study", MANIFEST, best=1.2))
    assert result.exit_code == 0
    added, removed = added_and_removed(MANIFEST, result.stdout)
    assert removed == [
        "name: optimizers-r1   # the first round",
        "max: 0.1     # torch's default is 0.01",
        "- {name: learning_rate, role: Nuisance, when: {optimizer: [adam]}, range: {min: 1e-05, max: 0.1, scale: Log}}",
        "seed: 7",
    ]
    assert added == [
        "name: optimizers-r2   # the first round",
        "basedOn: optimizers-r1",
        "max: 1     # torch's default is 0.01",
        "- {name: learning_rate, role: Nuisance, when: {optimizer: [adam]}, range: {min: 1e-05, max: 1, scale: Log}}",
        "seed: 8",
    ]
    lines = result.stdout.splitlines()
    at = next(index for index, line in enumerate(lines) if "max: 1 " in line)
    above = " ".join(line.strip().removeprefix(MARK) for line in lines[at - 6 : at] if MARK in line)
    assert above.startswith("0.1 -> 1 (search-space-boundary, optimizer=nesterov). The best trial is at the upper end")


def test_the_next_round_is_ready_to_lint_and_to_be_followed(tmp_path: Path) -> None:
    output = tmp_path / "r2.yaml"
    told = study_next(folder_of(tmp_path / "study", MANIFEST, best=1.2), "--output", output)
    assert (told.exit_code, told.stdout) == (0, "")
    assert CliRunner().invoke(main, ["lint", "--strict", str(output)]).exit_code == 0
    third = study_next(folder_of(tmp_path / "next", output.read_text(), best=1.2)).stdout
    manifest = load_manifest(third)
    assert (manifest["metadata"]["name"], manifest["spec"]["basedOn"]) == ("optimizers-r3", "optimizers-r2")
    assert third.count("0.1 -> 1 ") == 0


def test_nothing_to_change_is_told_with_what_to_launch(tmp_path: Path) -> None:
    text = MANIFEST.replace("  budget:", "  phase: Exploitation\n  budget:")
    result = study_next(folder_of(tmp_path / "study", text, best=0.5), "--output", tmp_path / "r2.yaml")
    assert result.exit_code == 0
    assert "Nothing to change: launch optimizers-r1-" in result.stderr
    launch = json.loads(result.stdout)
    assert launch["trial"].startswith("optimizers-r1-")
    assert set(launch["parameters"]) == {"optimizer", "learning_rate", "hidden_units"}
    assert "python -m train" in launch["command"]
    assert not (tmp_path / "r2.yaml").exists()


def test_a_round_without_results_is_refused(tmp_path: Path) -> None:
    result = study_next(folder_of(tmp_path / "study", MANIFEST, best=0.5, count=0))
    assert result.exit_code == 1
    assert "No trial has a result" in result.stderr


def test_a_settled_round_goes_on_in_its_best_arm_alone(tmp_path: Path) -> None:
    text = MANIFEST.replace("trials: 32", "trials: 64")
    manifest = load_manifest(study_next(folder_of(tmp_path / "study", text, best=0.5, count=64)).stdout)
    assert manifest["spec"]["phase"] == "Exploitation"
    assert manifest["spec"]["hyperparameters"][0] == {"name": "optimizer", "role": "Fixed", "value": "nesterov"}
    assert [each["name"] for each in manifest["spec"]["hyperparameters"]] == [
        "optimizer",
        "learning_rate",
        "hidden_units",
    ]
    assert manifest["spec"]["sampler"]["seed"] == 8


def test_a_promotion_tells_what_transfers(tmp_path: Path) -> None:
    result = study_next(folder_of(tmp_path / "study", MANIFEST, best=0.5), "--longer", "10")
    assert load_manifest(result.stdout)["spec"]["training"]["steps"] == 6000
    assert MARK + "What transfers from short to long training" in result.stdout
    assert study_next(tmp_path / "study", "--longer", "1").exit_code == 2


def test_a_baseline_that_names_a_schedules_length_is_promoted_with_it(tmp_path: Path) -> None:
    text = MANIFEST.replace("name: hidden_units", "name: constant_steps").replace("value: 64", "value: 100")
    baseline = "{optimizer: nesterov, learning_rate: 0.05, constant_steps: 100}"
    text = text.replace("  sampler:", f"  confirmation: {{top: 2, reruns: 2, baseline: {baseline}}}\n  sampler:")
    result = study_next(folder_of(tmp_path / "study", text, best=0.5), "--longer", "10")
    assert result.exit_code == 0, result.stderr
    spec = load_manifest(result.stdout)["spec"]
    assert spec["hyperparameters"][-1] == {"name": "constant_steps", "role": "Fixed", "value": 5500}
    assert spec["confirmation"]["baseline"] == {"optimizer": "nesterov", "learning_rate": 0.05}


def test_a_link_to_the_round_before_is_told(tmp_path: Path) -> None:
    text = MANIFEST.replace(
        "  name: opt", "  annotations: {tuning.study/config: https://example.org/r1.yaml}\n  name: opt"
    )
    told = "The annotation tuning.study/config still links to the round before"
    assert told in study_next(folder_of(tmp_path / "linked", text, best=1.2)).stdout
    assert told not in study_next(folder_of(tmp_path / "study", MANIFEST, best=1.2)).stdout


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

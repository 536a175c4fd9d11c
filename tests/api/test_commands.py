import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from study_operator.api import check_manifest
from study_operator.api.yaml import load_manifest
from study_operator.cli.crd import crd
from study_operator.cli.lint import lint

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))

BROKEN = """\
apiVersion: tuning.study/v1alpha1
kind: Study
metadata: {name: broken}
spec:
  goal: Which?
  objectives: {metric: error, direction: Minimize}
  hyperparameters:
  - {name: learning_rate, role: Nuisance, when: {optimizer: [adam]}, range: {min: 1e-3, max: 1, scale: Log}}
  budget: {trials: 0}
  trialTemplate: {spec: {template: {spec: {restartPolicy: Always, containers: [{name: t, image: i}]}}}}
"""


def run(*arguments: str, source: str | None = None) -> Result:
    return CliRunner().invoke(lint, arguments, input=source)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_sound(example: Path) -> None:
    assert check_manifest(load_manifest(example.read_bytes())) == ()
    assert "warning" not in run(str(example)).output


def test_all_problems_of_all_files_are_told_with_file_and_path(tmp_path: Path) -> None:
    broken, empty = tmp_path / "broken.yaml", tmp_path / "empty.yaml"
    broken.write_text(BROKEN)
    empty.write_text("")
    result = run(str(broken), str(empty), str(EXAMPLES[0]))
    assert result.exit_code == 1
    assert [line.split(": ")[1] for line in result.output.splitlines() if line.startswith(str(broken))] == [
        "spec.objective",
        "spec.budget.trials",
        "spec.objectives",
        "spec.hyperparameters[0].when.optimizer",
        "spec.trialTemplate.spec.template.spec.restartPolicy",
    ]
    assert f"{empty}: error: is empty" in result.output


def test_standard_input_is_a_file_too() -> None:
    result = run("-", source="a: [")
    assert result.exit_code == 1
    assert "is not YAML" in result.output


def test_a_program_gets_json() -> None:
    findings = json.loads(run("--format=json", "-", source=BROKEN).output)
    assert all(finding["severity"] == "error" for finding in findings)


def test_a_warning_is_told_and_is_no_error() -> None:
    names = (f"- {{name: x{n}, role: Nuisance, range: {{min: 0, max: 1}}}}" for n in range(11))
    start = BROKEN.replace("objectives", "objective").replace("trials: 0", "trials: 9").replace("Always", "Never")
    lines = ["  " + name for name in names]
    source = "\n".join(line for part in start.splitlines() for line in (lines if "learning_rate" in part else [part]))
    result = run("-", source=source)
    assert result.exit_code == 0
    assert "warning: " in result.output


def test_a_file_that_is_not_there_is_told() -> None:
    result = run("missing.yaml")
    assert result.exit_code == 2
    assert "missing.yaml" in result.output


def test_the_definitions_and_their_reference_are_those_of_the_models() -> None:
    result = CliRunner().invoke(crd, ["--check", f"--docs={ROOT}/docs/resources.md", f"{ROOT}/crds"])
    assert (result.exit_code, result.output) == (0, "")


def test_a_difference_is_shown_and_nothing_is_written(tmp_path: Path) -> None:
    assert CliRunner().invoke(crd, [str(tmp_path)]).exit_code == 0
    studies = tmp_path / "studies.yaml"
    altered = studies.read_text().replace("maximum: 1000\n", "maximum: 2000\n", 1)
    studies.write_text(altered)
    result = CliRunner().invoke(crd, ["--check", str(tmp_path)])
    assert result.exit_code == 1
    assert [line.split() for line in result.output.splitlines() if line[:2] in ("- ", "+ ")] == [
        ["-", "maximum:", "2000"],
        ["+", "maximum:", "1000"],
    ]
    assert studies.read_text() == altered

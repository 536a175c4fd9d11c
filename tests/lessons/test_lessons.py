"""Three real studies of the digits trainer, each of which teaches what it was built to teach."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.timeout(1200)
"""Each test trains dozens of networks."""

EXAMPLES = Path(__file__).parents[2] / "examples" / "lessons"
BIN = Path(sys.executable).parent


def study(*arguments: str | Path) -> None:
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([BIN / "study", *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def taught(manifest: Path, folder: Path) -> dict[str, Any]:
    """The status of the study, run to its end."""
    study("run", manifest, "--folder", folder, "--plain")
    status: dict[str, Any] = yaml.safe_load((folder / "status.yaml").read_text())
    assert status["state"] == "Finished"
    return status


def rules(status: dict[str, Any], severity: str = "Warning") -> set[str]:
    return {finding["rule"] for finding in status["findings"] if finding["severity"] == severity}


def test_a_best_learning_rate_outside_the_range_is_found_and_the_next_round_finds_a_better_best(tmp_path):
    first = taught(EXAMPLES / "learning-rate-outside.yaml", tmp_path / "r1")
    assert "search-space-boundary" in rules(first)
    assert [change["path"] for change in first["proposedNext"]["changes"]] == [
        "spec.hyperparameters[0].range.max",
        "spec.sampler.seed",
    ]

    study("next", tmp_path / "r1", "--output", tmp_path / "r2.yaml")
    second = taught(tmp_path / "r2.yaml", tmp_path / "r2")
    assert float(second["best"]["parameters"]["learning_rate"]) > 0.01
    assert float(second["best"]["objective"]) < float(first["best"]["objective"])


def test_a_network_without_regularisation_on_few_examples_is_found_to_overfit(tmp_path):
    status = taught(EXAMPLES / "no-regularisation.yaml", tmp_path / "study")
    (overfitting,) = [finding for finding in status["findings"] if finding["rule"] == "overfitting"]
    assert overfitting["severity"] == "Warning"
    assert overfitting["step"] < 300
    assert "WeightDecay" in status["proposedNext"]["summary"]


def test_two_equal_optimizers_are_inconclusive_whoever_won_the_search(tmp_path):
    status = taught(EXAMPLES / "equal-optimizers.yaml", tmp_path / "study")
    assert status["trials"]["confirmation"]["succeeded"] == 10
    conclusion = status["conclusion"]
    assert conclusion["verdict"] == "Inconclusive"
    assert float(conclusion["interval"]["low"]) < 0.0 < float(conclusion["interval"]["high"])
    assert any("weight_decay was 0" in caveat for caveat in conclusion["caveats"])

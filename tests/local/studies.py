"""Manifests whose trials are processes of the test trainer."""

import sys
from pathlib import Path
from typing import Any

TRAINER = str(Path(__file__).with_name("trainer.py"))


def manifest(
    *arguments: str, name: str = "study", container: dict[str, Any] | None = None, **budget: Any
) -> dict[str, Any]:
    trainer = {
        "name": "trainer",
        "image": "example/trainer:1",
        "command": [sys.executable, TRAINER],
        "args": [*arguments],
    }
    return {
        "apiVersion": "tuning.study/v1alpha1",
        "kind": "Study",
        "metadata": {"name": name},
        "spec": {
            "goal": "Does it work?",
            "objective": {"metric": "loss", "direction": "Minimize"},
            "hyperparameters": [
                {"name": "optimizer", "role": "Scientific", "choices": ["adam", "nesterov"]},
                {"name": "learning_rate", "role": "Nuisance", "range": {"min": 0.001, "max": 1, "scale": "Log"}},
            ],
            "budget": {"trials": 4, "parallelism": 2, **budget},
            "sampler": {"seed": 7},
            "trialTemplate": {"spec": {"template": {"spec": {"containers": [trainer | (container or {})]}}}},
        },
    }

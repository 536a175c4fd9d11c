"""Studies of the tests, what their trials must come to, and the trainers that compute them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from study_operator.api import parse_study, scalar_text, study_space
from study_operator.samplers import SobolSampler, SuggestionRequest

METRIC = "validation_error"
TRAINER = str(Path(__file__).with_name("trainer.py"))

RECORD = 'echo "{\\"metrics\\": {\\"validation_error\\": $HP_LEARNING_RATE}}" > $STUDY_TERMINATION_LOG'
"""In a shell: the learning rate is the objective, known by the record alone."""

SLEEP = "trap 'exit 143' TERM; while :; do sleep 0.1; done"


def sh(script: str) -> list[str]:
    return ["sh", "-c", script]


def trainer(*arguments: object) -> list[str]:
    """The command of the Python trainer in its mode."""
    return ["python", TRAINER, *map(str, arguments)]


def study(
    name: str,
    command: Sequence[str],
    *,
    begun: Path | None = None,
    hyperparameters: Sequence[Mapping[str, Any]] = (),
    container: Mapping[str, Any] | None = None,
    pod: Mapping[str, Any] | None = None,
    job: Mapping[str, Any] | None = None,
    trials: int = 4,
    parallelism: int = 2,
    budget: Mapping[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """A study of a learning rate. ``begun``: where each of its trainers that starts leaves its trial's name."""
    announced = ["sh", "-c", f'echo $STUDY_TRIAL >> {begun}; exec "$@"', "sh", *command]
    container = {
        "name": "trainer",
        "image": "python",
        "command": announced if begun else list(command),
        "ports": [{"name": "metrics", "containerPort": 9400}],
        **(container or {}),
    }
    pod = {"terminationGracePeriodSeconds": 1, "containers": [container], **(pod or {})}
    rate = {"name": "learning_rate", "role": "Nuisance", "range": {"min": 0.001, "max": 1, "scale": "Log"}}
    return {
        "apiVersion": "tuning.study/v1alpha1",
        "kind": "Study",
        "metadata": {"name": name},
        "spec": {
            "goal": "Which learning rate is best?",
            "objective": {"metric": METRIC, "direction": "Minimize"},
            "hyperparameters": [*hyperparameters, rate],
            "budget": {"trials": trials, "parallelism": parallelism, **(budget or {})},
            "sampler": {"seed": 7},
            "trialTemplate": {"spec": {"template": {"spec": pod}, **(job or {})}},
            **spec,
        },
    }


def expected_trials(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Point, parameters and seed of each trial, from the manifest alone."""
    parsed = parse_study(manifest)
    space = study_space(parsed)
    sampler = SobolSampler(space, manifest["spec"]["sampler"]["seed"])
    suggestions = [sampler.suggest(SuggestionRequest(index)) for index in range(parsed.spec.budget.trials)]
    return [
        {
            "index": suggestion.index,
            "arm": suggestion.arm,
            "point": [repr(coordinate) for coordinate in suggestion.point],
            "parameters": {
                name: scalar_text(value) for name, value in space.parameters(suggestion.arm, suggestion.point).items()
            },
            "seed": suggestion.seed,
        }
        for suggestion in suggestions
    ]


def expected_ranking(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and objective of the best trials, where the learning rate is the objective."""
    rates = [float(trial["parameters"]["learning_rate"]) for trial in expected_trials(manifest)]
    name = manifest["metadata"]["name"]
    return [(f"{name}-{index}", repr(rate)) for rate, index in sorted(zip(rates, range(len(rates)), strict=True))][:20]


def ranking(status: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The same of a study's status."""
    return [(ranked["trial"], ranked["objective"]) for ranked in status["ranking"]]


def begun_trials(begun: Path) -> Counter[str]:
    """How often each trial's trainer was started."""
    return Counter(begun.read_text().split()) if begun.exists() else Counter()


def once_each(study_name: str, trials: int) -> Counter[str]:
    return Counter(f"{study_name}-{index}" for index in range(trials))

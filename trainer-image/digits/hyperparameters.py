"""The hyperparameters, their defaults and their bounds: the one list behind the command line, the study's parameters
and the training.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from study_trainer import Parameter

TRAINING_EXAMPLES = 1000
"""How many labelled digits there are to train on."""


class InvalidHyperparameter(ValueError):
    """A hyperparameter that this trainer does not know, or a value outside its bounds; the message names it."""


def _number(default: float, minimum: float, maximum: float, text: str) -> Any:
    return field(default=default, metadata={"bounds": (minimum, maximum), "help": text})


def _choice(default: str, choices: tuple[str, ...], text: str) -> Any:
    return field(default=default, metadata={"choices": choices, "help": text})


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What a trial of the digits network is trained with."""

    optimizer: str = _choice("nesterov", ("sgd", "momentum", "nesterov", "adam", "adamw"), "update rule")
    learning_rate: float = _number(0.1, 0.0, 1e9, "base learning rate, after the warmup and before the decay")
    momentum: float = _number(0.9, 0.0, 1.0, "of momentum and nesterov")
    beta1: float = _number(0.9, 0.0, 1.0, "of adam and adamw: decay of the gradient's mean")
    beta2: float = _number(0.999, 0.0, 1.0, "of adam and adamw: decay of the gradient's square")
    epsilon: float = _number(1e-8, 0.0, 1e9, "of adam and adamw: added to the root of the square")
    weight_decay: float = _number(0.0, 0.0, 1e9, "decoupled for adamw, else an L2 penalty; on weights, not on biases")
    dropout: float = _number(0.0, 0.0, 0.99, "share of hidden units left out at a training step")
    gradient_clipping: float = _number(0.0, 0.0, 1e9, "largest global gradient norm; 0 does not clip")
    label_noise: float = _number(0.0, 0.0, 1.0, "share of the training labels replaced by a wrong one")
    label_smoothing: float = _number(0.0, 0.0, 0.99, "share of the target spread over all classes")
    schedule: str = _choice(
        "constant", ("constant", "linear", "cosine"), "learning rate from the warmup to the last step"
    )
    warmup_steps: int = _number(0, 0, 10**9, "steps of linear increase from zero to the base learning rate")
    decay_end_fraction: float = _number(0.0, 0.0, 1.0, "of linear and cosine: last learning rate / base learning rate")
    hidden_units: int = _number(64, 1, 10**6, "units of each hidden layer")
    hidden_layers: int = _number(1, 0, 1000, "number of hidden layers; 0 is logistic regression")
    batch_size: int = _number(64, 1, 10**6, "examples of each training step")
    training_examples: int = _number(TRAINING_EXAMPLES, 1, TRAINING_EXAMPLES, "few of them are easily overfitted")
    evaluation_interval: int = _number(
        10, 1, 10**9, "steps from one evaluation to the next; the last step always is one"
    )

    @classmethod
    def build(cls, parameters: Mapping[str, Parameter]) -> Hyperparameters:
        """Raises InvalidHyperparameter for an unknown name or a value outside its bounds."""
        known = {each.name: each.metadata for each in dataclasses.fields(cls)}
        for name, value in parameters.items():
            if name not in known:
                raise InvalidHyperparameter(f"{name}: this trainer has no such hyperparameter, only {', '.join(known)}")
            if "choices" in known[name] and value not in known[name]["choices"]:
                raise InvalidHyperparameter(
                    f"{name}: expected one of {', '.join(known[name]['choices'])}, got {value!r}"
                )
            if "bounds" in known[name]:
                minimum, maximum = known[name]["bounds"]
                if isinstance(value, str) or not minimum <= value <= maximum:
                    raise InvalidHyperparameter(f"{name}: expected a number from {minimum} to {maximum}, got {value!r}")
        return cls(**dict(parameters))  # type: ignore[arg-type]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """An option for each hyperparameter, ``--learning-rate`` for ``learning_rate``."""
    for each in dataclasses.fields(Hyperparameters):
        parser.add_argument(
            f"--{each.name.replace('_', '-')}",
            type=type(each.default),
            default=each.default,
            choices=each.metadata.get("choices"),
            help=f"{each.metadata['help']} (default: %(default)s)",
        )

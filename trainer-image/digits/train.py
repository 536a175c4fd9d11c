"""Trains a network on the digits: ``python -m digits.train --help`` by hand, or as the trainer of a study.

All steps between two evaluations are one compiled call, so Python costs nothing next to the training. Evaluations
come at fixed steps, never at fixed times, and always at the last step: curves of different trials then compare point
by point.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray
from study_trainer import Trial

from digits.dataset import Examples, load
from digits.hyperparameters import Hyperparameters, add_arguments
from digits.network import Network, cross_entropy, error, initialise, logits
from digits.optimizers import build_optimizer

STEPS = 600


class State(NamedTuple):
    """Where the training is."""

    network: Network
    optimizer: optax.OptState
    key: jax.Array


Advance = Callable[[State, jax.Array], tuple[State, jax.Array, jax.Array]]


def build_advance(chosen: Hyperparameters, optimizer: optax.GradientTransformation, training: Examples) -> Advance:
    """A function from (state, batches) to (state, losses, norms).

    ``batches`` holds example indices, (steps, batch_size); the losses and the norms of the unclipped gradients are
    (steps,).
    """
    images, labels = jnp.asarray(training.images), jnp.asarray(training.labels)

    def loss(network: Network, batch: jax.Array, key: jax.Array) -> jax.Array:
        scores = logits(network, images[batch], chosen.dropout, key)
        return cross_entropy(scores, labels[batch], chosen.label_smoothing)

    def step(state: State, batch: jax.Array) -> tuple[State, tuple[jax.Array, jax.Array]]:
        key, dropout_key = jax.random.split(state.key)
        value, gradient = jax.value_and_grad(loss)(state.network, batch, dropout_key)
        updates, optimizer_state = optimizer.update(gradient, state.optimizer, state.network)
        network = optax.apply_updates(state.network, updates)
        return State(network, optimizer_state, key), (value, optax.tree.norm(gradient))

    @jax.jit
    def advance(state: State, batches: jax.Array) -> tuple[State, jax.Array, jax.Array]:
        state, (losses, norms) = jax.lax.scan(step, state, batches)
        return state, losses, norms

    return advance


def build_evaluate(sets: Mapping[str, Examples]) -> Callable[[Network], dict[str, jax.Array]]:
    """A function from the network to each set's loss and error over all its examples, without any regularisation."""
    arrays = {name: (jnp.asarray(examples.images), jnp.asarray(examples.labels)) for name, examples in sets.items()}

    @jax.jit
    def evaluate(network: Network) -> dict[str, jax.Array]:
        metrics = {}
        for name, (images, labels) in arrays.items():
            scores = logits(network, images)
            metrics[f"{name}_loss"] = cross_entropy(scores, labels)
            metrics[f"{name}_error"] = error(scores, labels)
        return metrics

    return evaluate


def draw_batches(random: np.random.Generator, examples: int, batch_size: int) -> Iterator[NDArray[np.int32]]:
    """Example indices (batch_size,) for one step after the other: each epoch is a permutation of all the examples."""
    waiting = np.empty(0, np.int32)
    while True:
        while len(waiting) < batch_size:
            waiting = np.concatenate([waiting, random.permutation(examples).astype(np.int32)])
        yield waiting[:batch_size]
        waiting = waiting[batch_size:]


def train(trial: Trial, chosen: Hyperparameters, steps: int) -> None:
    """Trains for ``steps`` and reports each evaluation. Raises Diverged when the training loss is not finite."""
    training, validation = load(chosen.training_examples, chosen.label_noise)
    random = np.random.default_rng(trial.seed)
    network = initialise(random, chosen.hidden_units, chosen.hidden_layers)
    batches = draw_batches(random, len(training.labels), chosen.batch_size)
    optimizer = build_optimizer(chosen, steps)
    state = State(network, optimizer.init(network), jax.random.key(trial.seed))
    advance = build_advance(chosen, optimizer, training)
    evaluate = build_evaluate({"train": training, "validation": validation})
    for start in range(0, steps, chosen.evaluation_interval):
        step = min(start + chosen.evaluation_interval, steps)
        state, losses, norms = advance(state, jnp.asarray([next(batches) for _ in range(start, step)]))
        finite = np.isfinite(losses)
        if not finite.all():
            first = int(finite.argmin())
            trial.report(start + first + 1, train_loss=losses[first])
        evaluation = {metric: float(value) for metric, value in evaluate(state.network).items()}
        evaluation["gradient_norm"] = float(norms[-1])
        print(f"step {step}:", *(f"{metric} {value:.4g}" for metric, value in evaluation.items()), flush=True)
        trial.report(step, **evaluation)
        kept_by = trial.objective if trial.objective in evaluation else "validation_error"
        trial.checkpoint(step, evaluation[kept_by], partial(save, state.network))


def save(network: Network, folder: Path) -> None:
    """Weights and biases in layer order."""
    np.savez(folder / "network.npz", *jax.tree.leaves(network))


def main() -> None:
    """The study's parameters, seed and steps win over those of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m digits.train", description="Train a network on handwritten digits."
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of initialisation, shuffling and dropout (default: %(default)s)"
    )
    parser.add_argument("--steps", type=int, default=STEPS, help="training steps (default: %(default)s)")
    add_arguments(parser)
    arguments = vars(parser.parse_args())
    trial = Trial.from_environment(
        seed=arguments.pop("seed"), steps=arguments.pop("steps"), parameters=arguments, must_be_finite=["train_loss"]
    )
    with trial:
        train(trial, Hyperparameters.build(trial.parameters), trial.steps or STEPS)


if __name__ == "__main__":
    main()

"""A multi-layer perceptron, and what it is judged by.

Its ReLUs are leaky: where the learning rate is far too high a plain ReLU dies, and the network would stand still at a
finite loss instead of diverging, which is what happens to larger networks.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from digits.dataset import CLASSES, PIXELS


class Layer(NamedTuple):
    """``weights``: (inputs, outputs); ``biases``: (outputs,)."""

    weights: jax.Array
    biases: jax.Array


Network = tuple[Layer, ...]


def initialise(random: np.random.Generator, hidden_units: int, hidden_layers: int) -> Network:
    """He's initialisation, which keeps the variance through ReLUs: weights of variance 2 / inputs (He et al. 2015).

    Drawn by NumPy, because XLA would spend longer on compiling this than on the training.
    """
    widths = [PIXELS, *[hidden_units] * hidden_layers, CLASSES]
    return tuple(
        Layer(jnp.asarray(random.normal(0, (2 / inputs) ** 0.5, (inputs, outputs)), jnp.float32), jnp.zeros(outputs))
        for inputs, outputs in itertools.pairwise(widths)
    )


def logits(network: Network, images: jax.Array, dropout: float = 0.0, key: jax.Array | None = None) -> jax.Array:
    """(examples, classes). Hidden units are left out only where a ``key`` says which."""
    *hidden_layers, output = network
    activations = images
    for index, layer in enumerate(hidden_layers):
        activations = jax.nn.leaky_relu(activations @ layer.weights + layer.biases)
        if key is not None and dropout > 0:
            kept = jax.random.bernoulli(jax.random.fold_in(key, index), 1 - dropout, activations.shape)
            activations = jnp.where(kept, activations / (1 - dropout), 0.0)
    return activations @ output.weights + output.biases


def cross_entropy(scores: jax.Array, labels: jax.Array, label_smoothing: float = 0.0) -> jax.Array:
    """Mean over the examples, in nats."""
    targets = optax.smooth_labels(jax.nn.one_hot(labels, CLASSES), label_smoothing)
    return jnp.mean(optax.softmax_cross_entropy(scores, targets))


def error(scores: jax.Array, labels: jax.Array) -> jax.Array:
    """Share of the examples whose highest score is not their label's."""
    return jnp.mean(scores.argmax(axis=-1) != labels)

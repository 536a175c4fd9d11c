"""The update rule: what happens to a gradient, from the hyperparameters' names to optax's."""

from __future__ import annotations

import jax
import optax

from digits.hyperparameters import Hyperparameters


def learning_rate_schedule(chosen: Hyperparameters, steps: int) -> optax.Schedule:
    """Learning rate by step: a linear warmup from zero, then the chosen shape down to its end at the last step."""
    base, end = chosen.learning_rate, chosen.learning_rate * chosen.decay_end_fraction
    decay_steps = max(1, steps - chosen.warmup_steps)
    shape = {
        "constant": lambda: optax.constant_schedule(base),
        "linear": lambda: optax.linear_schedule(base, end, decay_steps),
        "cosine": lambda: optax.cosine_decay_schedule(base, decay_steps, alpha=chosen.decay_end_fraction),
    }[chosen.schedule]()
    if not chosen.warmup_steps:
        return shape
    return optax.join_schedules([optax.linear_schedule(0.0, base, chosen.warmup_steps), shape], [chosen.warmup_steps])


def build_optimizer(chosen: Hyperparameters, steps: int) -> optax.GradientTransformation:
    """Clips first, so that the clipping threshold compares with the gradient's own norm; then decays; then updates."""
    rate = learning_rate_schedule(chosen, steps)
    adam = {"b1": chosen.beta1, "b2": chosen.beta2, "eps": chosen.epsilon}
    update = {
        "sgd": lambda: optax.sgd(rate),
        "momentum": lambda: optax.sgd(rate, momentum=chosen.momentum),
        "nesterov": lambda: optax.sgd(rate, momentum=chosen.momentum, nesterov=True),
        "adam": lambda: optax.adam(rate, **adam),
        "adamw": lambda: optax.adamw(rate, **adam, weight_decay=chosen.weight_decay, mask=_weights),
    }[chosen.optimizer]()
    clipping = [optax.clip_by_global_norm(chosen.gradient_clipping)] if chosen.gradient_clipping else []
    penalised = chosen.weight_decay > 0 and chosen.optimizer != "adamw"
    penalty = [optax.add_decayed_weights(chosen.weight_decay, mask=_weights)] if penalised else []
    return optax.chain(*clipping, *penalty, update)


def _weights(parameters: optax.Params) -> optax.Params:
    return jax.tree.map(lambda parameter: parameter.ndim > 1, parameters)

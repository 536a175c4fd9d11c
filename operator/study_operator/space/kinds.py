"""What a hyperparameter is, whatever it is called.

The rules of the playbook speak of learning rates and batch sizes. A study may name its kinds; where it does not, the
names that training code commonly uses tell them.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The kinds of hyperparameters that the rules treat apart."""

    LEARNING_RATE = "LearningRate"
    MOMENTUM = "Momentum"
    BETA1 = "Beta1"
    BETA2 = "Beta2"
    EPSILON = "Epsilon"
    WEIGHT_DECAY = "WeightDecay"
    DROPOUT = "Dropout"
    LABEL_SMOOTHING = "LabelSmoothing"
    GRADIENT_CLIPPING = "GradientClipping"
    WARMUP_STEPS = "WarmupSteps"
    STEPS = "Steps"
    BATCH_SIZE = "BatchSize"
    OPTIMIZER = "Optimizer"
    SCHEDULE = "Schedule"


REGULARISERS = (Kind.WEIGHT_DECAY, Kind.DROPOUT, Kind.LABEL_SMOOTHING)

_NAMES = {
    Kind.LEARNING_RATE: (
        "learning_rate",
        "lr",
        "base_learning_rate",
        "peak_learning_rate",
        "initial_learning_rate",
        "max_learning_rate",
        "base_lr",
        "peak_lr",
        "initial_lr",
        "init_lr",
        "max_lr",
    ),
    Kind.MOMENTUM: ("momentum", "sgd_momentum"),
    Kind.BETA1: ("beta1", "beta_1", "b1", "adam_beta1", "adam_b1"),
    Kind.BETA2: ("beta2", "beta_2", "b2", "adam_beta2", "adam_b2"),
    Kind.EPSILON: ("epsilon", "eps", "adam_epsilon", "adam_eps"),
    Kind.WEIGHT_DECAY: ("weight_decay", "wd", "l2", "l2_regularization", "l2_regularisation"),
    Kind.DROPOUT: ("dropout", "dropout_rate", "dropout_probability", "dropout_prob"),
    Kind.LABEL_SMOOTHING: ("label_smoothing",),
    Kind.GRADIENT_CLIPPING: (
        "gradient_clipping",
        "gradient_clip",
        "grad_clip",
        "clip_norm",
        "gradient_clip_norm",
        "grad_clip_norm",
        "gradient_clip_val",
        "max_gradient_norm",
        "max_grad_norm",
    ),
    Kind.WARMUP_STEPS: ("warmup_steps", "warmup", "num_warmup_steps", "lr_warmup_steps"),
    Kind.STEPS: (
        "steps",
        "training_steps",
        "train_steps",
        "max_steps",
        "num_steps",
        "total_steps",
        "num_train_steps",
        "num_training_steps",
        "max_train_steps",
        "epochs",
        "num_epochs",
        "n_epochs",
        "max_epochs",
        "train_epochs",
        "training_epochs",
        "num_train_epochs",
    ),
    Kind.BATCH_SIZE: (
        "batch_size",
        "train_batch_size",
        "training_batch_size",
        "global_batch_size",
        "mini_batch_size",
        "per_device_batch_size",
        "per_device_train_batch_size",
        "per_gpu_batch_size",
    ),
    Kind.OPTIMIZER: ("optimizer", "optimiser", "optim"),
    Kind.SCHEDULE: (
        "schedule",
        "learning_rate_schedule",
        "lr_schedule",
        "scheduler",
        "lr_scheduler",
        "lr_scheduler_type",
    ),
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names}


def kind_of(name: str) -> Kind | None:
    """The kind that ``name`` conventionally stands for, in any case of letters; None where it stands for none."""
    return _KINDS.get(name.lower())

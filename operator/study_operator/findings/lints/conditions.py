"""Rule 3: a hyperparameter exists only where it means something, and means one thing there.

Adam's learning rate and momentum's share a name and nothing else: their good values lie orders of magnitude apart. A
momentum that is sampled under Adam, where it does nothing, blurs every plot of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from study_operator.findings.finding import Finding
from study_operator.findings.lints.design import Definition, Design, listed
from study_operator.scalar import identity
from study_operator.space import Hyperparameter, Kind

_FAMILIES = {
    "adam": ("adam", "adamw", "nadam", "nadamw", "radam", "adamax", "lamb"),
    "momentum": ("momentum", "nesterov", "heavy_ball", "sgd_momentum", "sgdm", "nesterov_momentum", "lars"),
    "sgd": ("sgd", "gradient_descent"),
    "rmsprop": ("rmsprop",),
    "adagrad": ("adagrad",),
    "lion": ("lion",),
    "adafactor": ("adafactor",),
    "shampoo": ("shampoo", "distributed_shampoo"),
}
_FAMILY = {name: family for family, names in _FAMILIES.items() for name in names}
_WITHOUT = {
    Kind.MOMENTUM: ("adam", "lion"),
    Kind.BETA1: ("momentum", "sgd", "rmsprop", "adagrad"),
    Kind.BETA2: ("momentum", "sgd", "adagrad"),
    Kind.EPSILON: ("momentum", "sgd", "lion"),
}
"""The families that have no such hyperparameter. One that is not known here may have any."""


def not_conditioned(design: Design) -> Iterator[Finding]:
    """Hyperparameters of one optimizer that are sampled under another."""
    for definition in design.of_kind(*_WITHOUT):
        without = _WITHOUT.get(definition.kind, ()) if definition.kind else ()
        for optimizer, values in _optimizers(design, definition):
            strangers = [value for value in values if family(value) in without]
            others = [value for value in values if value not in strangers]
            if definition.hyperparameter.sampled and strangers and others:
                yield definition.finding(
                    "conditional-hyperparameters",
                    f"{definition.name} is sampled also under {optimizer}={listed(strangers, 'or')}, which has no such "
                    "hyperparameter: it takes a dimension there, and does nothing.",
                    f"Add `when: {{{optimizer}: [{', '.join(others)}]}}`.",
                    field="when",
                )


def shared_learning_rate(design: Design) -> Iterator[Finding]:
    """One range of learning rates for optimizers that need different ones."""
    for definition in design.of_kind(Kind.LEARNING_RATE):
        for optimizer, values in _optimizers(design, definition):
            if definition.hyperparameter.sampled and len({family(value) for value in values}) > 1:
                yield definition.finding(
                    "conditional-hyperparameters",
                    f"{definition.name} has one range for {listed(values)}, whose good learning rates lie orders of "
                    "magnitude apart: the range suits one of them.",
                    f"Define {definition.name} once for each, with `when: {{{optimizer}: [{values[0]}]}}` and a range "
                    "of its own.",
                    field="when",
                )


def family(optimizer: str) -> str:
    """The family of an optimizer; its own name where none is known."""
    plain = optimizer.lower().replace("-", "_")
    return _FAMILY.get(plain, plain)


def _optimizers(design: Design, definition: Definition) -> Iterator[tuple[str, list[str]]]:
    """The optimizers under which a definition applies: the choosing hyperparameter's name, and its values."""
    for chooser in design.of_kind(Kind.OPTIMIZER):
        values = [
            value
            for value in chooser.hyperparameter.values
            if isinstance(value, str) and _applies(design, definition.hyperparameter, chooser.name, value)
        ]
        if len(values) > 1:
            yield chooser.name, values


def _applies(design: Design, hyperparameter: Hyperparameter, chooser: str, value: str) -> bool:
    """Whether a definition can apply where ``chooser`` has ``value``, judged by its own and its parents' ``when``."""
    for parent, allowed in hyperparameter.when.items():
        if parent == chooser:
            if identity(value) not in map(identity, allowed):
                return False
        elif not any(
            _applies(design, each, chooser, value) for each in design.space.definitions if each.name == parent
        ):
            return False
    return True

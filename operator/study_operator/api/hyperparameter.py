"""A hyperparameter as a manifest says it: its role, where it exists, and what its values are taken from.

Whether several of them make a search space is no matter of their form: :mod:`study_operator.space` checks that.
"""

from __future__ import annotations

from pydantic import ConfigDict, Field

from study_operator.api.cel import Model, Rule
from study_operator.api.fields import HyperparameterName, ScalarField, ScalarList
from study_operator.space import Choices, Hyperparameter, Kind, Range, Role, ScaleName, Value

LARGEST_MAGNITUDE = 1e15
"""Of a range's ends: within it every whole number is exact in a double."""


class RangeSpec(Model):
    """An interval to sample from."""

    rules = (
        Rule("max", "must be larger than min", "self.min < self.max", lambda r: r.min < r.max),
        Rule(
            "min",
            "must be larger than 0 on a Log scale, which gives each order of magnitude an equal share",
            "!has(self.scale) || self.scale != 'Log' || self.min > 0.0",
            lambda r: r.scale is not ScaleName.LOG or r.min > 0,
        ),
        Rule(
            "max",
            "must be smaller than 1 on a ReverseLog scale, which gives each order of magnitude of the distance "
            "from 1 an equal share",
            "!has(self.scale) || self.scale != 'ReverseLog' || self.max < 1.0",
            lambda r: r.scale is not ScaleName.REVERSE_LOG or r.max < 1,
        ),
        Rule(
            "min",
            "must be at least 0 on a ReverseLog scale",
            "!has(self.scale) || self.scale != 'ReverseLog' || self.min >= 0.0",
            lambda r: r.scale is not ScaleName.REVERSE_LOG or r.min >= 0,
        ),
        Rule(
            "min",
            "must be a whole number, because the range is of integers",
            "!has(self.integer) || !self.integer || double(int(self.min)) == self.min",
            lambda r: not r.integer or r.min.is_integer(),
        ),
        Rule(
            "max",
            "must be a whole number, because the range is of integers",
            "!has(self.integer) || !self.integer || double(int(self.max)) == self.max",
            lambda r: not r.integer or r.max.is_integer(),
        ),
    )

    min: float = Field(
        ge=-LARGEST_MAGNITUDE, le=LARGEST_MAGNITUDE, description="The lower end, included.", examples=[0.001]
    )
    max: float = Field(
        ge=-LARGEST_MAGNITUDE, le=LARGEST_MAGNITUDE, description="The upper end, included.", examples=[10]
    )
    scale: ScaleName = Field(
        default=ScaleName.LINEAR,
        description="How the interval is covered; Linear where it is left out. Log gives each order of magnitude "
        "an equal share (learning rates); ReverseLog does so for the distance from 1 (momentum, decay "
        "rates).",
        examples=["Log"],
    )
    integer: bool = Field(
        default=False, description="Whole numbers only, both ends at their full share.", examples=[True]
    )


class HyperparameterSpec(Model):
    """One hyperparameter: its role, and exactly one of `range`, `choices` and, for a Fixed one, `value`."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["range"]}, {"required": ["choices"]}, {"required": ["value"]}],
            "allOf": [
                {
                    "oneOf": [
                        {"properties": {"role": {"enum": ["Fixed"]}}, "required": ["value"]},
                        {"properties": {"role": {"enum": ["Scientific", "Nuisance"]}}, "not": {"required": ["value"]}},
                    ]
                }
            ],
        }
    )

    rules = (
        Rule("", "must have exactly one of range, choices and value", None, lambda h: h.domains == 1),
        Rule(
            "role",
            "must be Fixed where there is a value, and only there",
            None,
            lambda h: h.domains != 1 or (h.role is Role.FIXED) == (h.value is not None),
        ),
    )

    name: HyperparameterName = Field(
        description="Its name. The trainer reads the value from `HP_` and the name in capitals. A name may occur again "
        "under another `when`: the learning rates of two optimizers are two hyperparameters.",
        examples=["learning_rate"],
    )
    role: Role = Field(
        description="Scientific: its effect is the question. Nuisance: tuned, so that the comparison is fair. "
        "Fixed: the same in every trial, and a caveat on the conclusion.",
        examples=["Nuisance"],
    )
    kind: Kind | None = Field(
        default=None,
        description="What it is to the rules of tuning. Where it is left out, it follows from a conventional name.",
        examples=["LearningRate"],
    )
    when: dict[str, ScalarList] = Field(
        default={},
        max_length=8,
        examples=[{"optimizer": ["adam"]}],
        description="Where it exists: for each parent named, the values under which it does. A parent has choices "
        "or a value.",
    )
    range: RangeSpec | None = Field(
        default=None,
        description="An interval to sample from.",
        examples=[{"min": 0.001, "max": 10, "scale": "Log"}],
    )
    choices: ScalarList | None = Field(
        default=None,
        min_length=2,
        description="Values to choose from: texts, numbers or booleans. The choices of a Scientific hyperparameter"
        " make arms.",
        examples=[["nesterov", "adam"]],
    )
    value: ScalarField | None = Field(
        default=None,
        description="The one value of a Fixed hyperparameter: a text, a number or a boolean.",
        examples=[64],
    )

    @property
    def domains(self) -> int:
        """How many of the three ways to say what the values are taken from are there; validation leaves one."""
        return sum(domain is not None for domain in (self.range, self.choices, self.value))

    @property
    def domain(self) -> Range | Choices | Value:
        """What the values are taken from."""
        if self.range is not None:
            return Range(self.range.min, self.range.max, self.range.scale, self.range.integer)
        if self.choices is not None:
            return Choices(self.choices)
        assert self.value is not None, "validation leaves no hyperparameter without a domain"
        return Value(self.value)

    @property
    def hyperparameter(self) -> Hyperparameter:
        """The definition as the search space knows it."""
        return Hyperparameter(self.name, self.role, self.domain, self.when, self.kind)

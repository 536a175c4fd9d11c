"""The search space of a study: hyperparameters, scales, arms, and the way from a unit point to parameters. Pure."""

from study_operator.scalar import Scalar
from study_operator.space.arms import Arm
from study_operator.space.configuration import Configuration, configuration
from study_operator.space.hyperparameter import (
    Choices,
    Domain,
    Hyperparameter,
    Range,
    Role,
    ScaleName,
    Value,
    conditions_text,
    parameter_text,
)
from study_operator.space.kinds import REGULARISERS, Kind, kind_of
from study_operator.space.problem import InvalidSpace, Problem
from study_operator.space.space import Space, check_arms_fit

__all__ = [
    "REGULARISERS",
    "Arm",
    "Choices",
    "Configuration",
    "Domain",
    "Hyperparameter",
    "InvalidSpace",
    "Kind",
    "Problem",
    "Range",
    "Role",
    "Scalar",
    "ScaleName",
    "Space",
    "Value",
    "check_arms_fit",
    "conditions_text",
    "configuration",
    "kind_of",
    "parameter_text",
]

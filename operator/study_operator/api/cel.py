"""Rules over several fields, each said twice side by side: for the API server in CEL, for everyone else in Python.

A custom resource definition can only be checked by the API server, and a laptop has none. Were the two spellings in
two places they would drift apart; here a rule cannot be added without both, and the tests put the same manifests to
both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold of a model's fields taken together.

    ``field`` is the path of the field to blame, relative to the model, as users write it; "" blames the whole.
    ``expression`` is CEL over ``self``, or None where the schema's structure says the rule; ``holds`` says the same
    of the validated model.
    """

    field: str
    message: str
    expression: str | None
    holds: Callable[[Any], bool]


BROKEN_RULES = "broken_rules"
"""The type of the validation error that carries every broken rule of one model in its context, under ``rules``."""


class Model(BaseModel):
    """A part of a resource: immutable, written in camelCase, refusing fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel, allow_inf_nan=False)

    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        broken = tuple(rule for rule in self.rules if not rule.holds(self))
        if broken:
            raise PydanticCustomError(BROKEN_RULES, "rules are broken", {"rules": broken})
        return self

"""Rules over several fields, each said twice side by side: for the API server in CEL, for everyone else in Python.

A custom resource definition can only be checked by the API server, and a laptop has none. Were the two spellings in
two places they would drift apart; here a rule cannot be added without both, and the tests put the same manifests to
both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError


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


def validation(field: str, message: str, expression: str | None) -> dict[str, Any]:
    """An entry of x-kubernetes-validations."""
    blamed = {"fieldPath": f".{field}"} if field else {}
    return {"rule": expression, "message": message, **blamed}


class Model(BaseModel):
    """A part of a resource: immutable, written in camelCase, refusing fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel, allow_inf_nan=False)

    rules: ClassVar[tuple[Rule, ...]] = ()

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema with the rules that it cannot express by its structure."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        rules = [rule for rule in cls.rules if rule.expression is not None]
        if rules:
            schema["x-kubernetes-validations"] = [
                validation(rule.field, rule.message, rule.expression) for rule in rules
            ]
        return schema

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        broken = tuple(rule for rule in self.rules if not rule.holds(self))
        if broken:
            raise PydanticCustomError(BROKEN_RULES, "rules are broken", {"rules": broken})
        return self

"""From a manifest to a study, and from a manifest's faults to sentences.

There are two steps. The first checks what structure and rules can say, the same that the API server checks. The
second checks what only the whole can say: whether the space makes sense, whether the template can run. A cluster
tells of faults of the second kind by a condition, because a study that the API server refused would block everything
else that is applied with it.

Every fault is told at once, with its path as the user wrote it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from study_operator.api.cel import BROKEN_RULES
from study_operator.api.fields import SENTENCES
from study_operator.api.hyperparameter import HyperparameterSpec
from study_operator.api.parts import BudgetSpec, ConfirmationSpec, WaiverSpec
from study_operator.api.study import Study
from study_operator.api.template import suggestion, template_problems, unknown_field
from study_operator.findings.finding import RULES
from study_operator.space import InvalidSpace, Problem, Space, check_arms_fit, configuration

_HYPERPARAMETERS = TypeAdapter(tuple[HyperparameterSpec, ...])
_CONFIRMATION = TypeAdapter(ConfirmationSpec)
_WAIVERS = TypeAdapter(tuple[WaiverSpec, ...])


class InvalidManifest(ValueError):
    """A manifest that is no study. ``problems`` has every fault that was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) if problem.path else problem.message for problem in problems))
        self.problems = tuple(problems)


def parse_study(manifest: Mapping[str, object]) -> Study:
    """The study that ``manifest`` holds. Raises :class:`InvalidManifest` with every fault of structure and rules."""
    try:
        return Study.model_validate_json(json.dumps(without_nulls(manifest)))
    except ValidationError as error:
        raise InvalidManifest(list(_problems(error))) from None
    except (RecursionError, TypeError, ValueError) as error:
        raise InvalidManifest([Problem("", f"cannot be read: {error}")]) from error


def without_nulls(value: object, path: str = "") -> object:
    """A manifest's value as the API server takes it: a field that is written and empty is left out, but for the
    template's own.
    """
    if isinstance(value, Mapping):
        return {
            key: member if f"{path}.{key}" == ".spec.trialTemplate" else without_nulls(member, f"{path}.{key}")
            for key, member in value.items()
            if member is not None
        }
    return [without_nulls(member, f"{path}[]") for member in value] if isinstance(value, list | tuple) else value


def study_space(study: Study) -> Space:
    """The search space of ``study``. Raises :class:`InvalidSpace` with every fault."""
    return Space.build(study.hyperparameters)


def check_semantics(study: Study) -> tuple[Problem, ...]:
    """Everything wrong with a well-formed study: its space, its budget against its arms, its template."""
    spec = study.spec
    return (
        *_space_problems(spec.hyperparameters, spec.budget, spec.confirmation),
        *_waiver_problems(spec.waivers),
        *template_problems(spec.trial_template, {hyperparameter.name for hyperparameter in spec.hyperparameters}),
    )


def check_manifest(manifest: Mapping[str, object]) -> tuple[Problem, ...]:
    """Everything wrong with a manifest, of both steps: a fault in one part does not hide what is wrong in another."""
    try:
        return check_semantics(parse_study(manifest))
    except InvalidManifest as invalid:
        return (*invalid.problems, *_semantics_of_sound_parts(manifest, invalid.problems))


def _semantics_of_sound_parts(manifest: Mapping[str, object], found: Sequence[Problem]) -> Iterator[Problem]:
    """What is wrong with the whole of those parts in which ``found`` has no fault."""
    if any(not problem.path for problem in found):
        return  # the manifest as a whole cannot be read
    spec = without_nulls(manifest.get("spec"), ".spec")
    if not isinstance(spec, Mapping):
        return

    def sound(part: str) -> bool:
        return part in spec and not any(problem.path.startswith(f"spec.{part}") for problem in found)

    if sound("hyperparameters"):
        hyperparameters = _HYPERPARAMETERS.validate_json(json.dumps(spec["hyperparameters"]))
        budget = BudgetSpec.model_validate_json(json.dumps(spec["budget"])) if sound("budget") else None
        confirmation = _CONFIRMATION.validate_json(json.dumps(spec["confirmation"])) if sound("confirmation") else None
        yield from _space_problems(hyperparameters, budget, confirmation)
    if sound("waivers"):
        yield from _waiver_problems(_WAIVERS.validate_json(json.dumps(spec["waivers"])))
    if sound("trialTemplate"):
        yield from template_problems(spec["trialTemplate"], _names(spec.get("hyperparameters")))


def _names(hyperparameters: object) -> set[str]:
    """Whatever is named in a list that need not be sound."""
    entries = hyperparameters if isinstance(hyperparameters, list) else []
    return {str(entry["name"]) for entry in entries if isinstance(entry, Mapping) and "name" in entry}


def _space_problems(
    hyperparameters: Iterable[HyperparameterSpec], budget: BudgetSpec | None, confirmation: ConfirmationSpec | None
) -> tuple[Problem, ...]:
    try:
        space = Space.build([spec.hyperparameter for spec in hyperparameters])
    except InvalidSpace as invalid:
        return invalid.problems
    return (
        *(check_arms_fit(space, budget.trials) if budget else ()),
        *(_confirmation_problems(space, confirmation) if confirmation else ()),
    )


def _confirmation_problems(space: Space, confirmation: ConfirmationSpec) -> Iterator[Problem]:
    if confirmation.baseline is not None:
        try:
            configuration(space, confirmation.baseline, "spec.confirmation.baseline")
        except InvalidSpace as invalid:
            yield from invalid.problems
    elif confirmation.top < min(2, len(space.arms)):
        yield Problem(
            "spec.confirmation.top",
            "must be at least 2, so that two arms can be compared; or give a baseline to compare with",
        )


def _waiver_problems(waivers: Iterable[WaiverSpec]) -> Iterator[Problem]:
    for place, waiver in enumerate(waivers):
        if waiver.rule not in RULES:
            yield Problem(
                f"spec.waivers[{place}].rule",
                f"{waiver.rule!r} is no rule's id{suggestion(waiver.rule, RULES)}; docs/rules.md lists them",
            )


def _problems(error: ValidationError) -> Iterator[Problem]:
    for details in error.errors():
        path = _path(details["loc"])
        if details["type"] == "too_short" and len(details["input"]) >= details["ctx"]["min_length"]:
            continue  # counted without the entries that are wrong themselves
        if details["type"] == BROKEN_RULES:
            for rule in details["ctx"]["rules"]:
                yield Problem(".".join(filter(None, (path, rule.field))), rule.message)
        else:
            yield Problem(path, _sentence(details))


def _path(location: Iterable[int | str]) -> str:
    """``spec.hyperparameters[1].range.min``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).removeprefix(".")


def _sentence(details: ErrorDetails) -> str:
    """What is wrong at a field, without the validator's jargon. The types of errors are pydantic's."""
    kind, context, found = details["type"], details.get("ctx", {}), _found(details["input"])
    match kind:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return unknown_field(str(details["loc"][-1]), _known_fields(details["loc"][:-1]))
        case "string_type":
            return f"must be a text, not {found}; put it in quotes"
        case "bool_type":
            return f"must be true or false, not {found}"
        case "int_type" | "int_from_float" | "int_parsing_size":
            return f"must be a whole number, not {found}"
        case "float_type" | "finite_number":
            return f"must be a finite number, not {found}"
        case "tuple_type":
            return f"must be a list, not {found}"
        case "dict_type" | "model_type":
            return f"must be a map, not {found}"
        case "enum" | "literal_error":
            return f"must be {str(context['expected']).replace(chr(39), '')}, not {found}"
        case "string_pattern_mismatch":
            return f"{SENTENCES[context['pattern']]}, not {found}"
        case "greater_than_equal":
            return f"must be at least {context['ge']}, not {found}"
        case "less_than_equal":
            return f"must be at most {context['le']}, not {found}"
        case "less_than":
            return f"must be less than {context['lt']}, not {found}"
        case "string_too_short":
            return "must not be empty"
        case "string_too_long":
            return f"must have at most {context['max_length']} characters, and has {len(details['input'])}"
        case "too_short":
            return f"must have at least {context['min_length']} entries"
        case "too_long":
            return f"must have at most {context['max_length']} entries"
        case "json_invalid":
            return f"cannot be read: {context['error']}"
        case _:
            return details["msg"][:1].lower() + details["msg"][1:]


def _found(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return f"the text {value!r}" if len(value) <= 64 else "a text"
        case int() | float():
            return f"{value!r}"
        case Mapping():
            return "a map"
        case _:
            return "a list"


def _known_fields(location: Iterable[int | str]) -> tuple[str, ...]:
    """The fields of the model at ``location`` in a study."""
    model: Any = Study
    for step in location:
        if isinstance(step, str):
            model = _model_in(next(info.annotation for info in model.model_fields.values() if info.alias == step))
    return tuple(info.alias for info in model.model_fields.values())


def _model_in(annotation: Any) -> Any:
    """The model that an annotation such as ``tuple[RangeSpec, ...] | None`` speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)

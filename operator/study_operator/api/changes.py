"""What of a study is fixed once it has trials.

The points of a study are one list that the space and the seed determine, and its trials are compared with each other:
a change of either, or of what a trial computes, would compare unlike things under one name. Budget, suspension and
notes may change at any time, and so may the objective, except where a model of it decides the next points. How much is
confirmed is fixed because a test whose size follows from its result is none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from study_operator.api.cel import validation
from study_operator.api.parts import Phase
from study_operator.api.study import Study, StudySpec
from study_operator.space import Problem

_NO_TRIALS = "!has(oldSelf.status) || !has(oldSelf.status.trials)"


@dataclass(frozen=True, slots=True)
class Frozen:
    """A field of the spec, by its name in a manifest, that is fixed with the first trial: always, or in one phase.

    One that is ``addable`` may be given later, once.
    """

    field: str
    phase: Phase | None = None
    addable: bool = False

    @property
    def message(self) -> str:
        """What is not allowed, and what to do."""
        when = f"in {self.phase}, " if self.phase else ""
        return f"{when}cannot change once trials exist; ask another question in a new study"

    @property
    def validation(self) -> dict[str, Any]:
        """The same for the API server, as a rule over a whole study."""
        new, old = f"self.spec.{self.field}", f"oldSelf.spec.{self.field}"
        unchanged = f"{new} == {old}"
        if next(info for info in StudySpec.model_fields.values() if info.alias == self.field).default is None:
            unchanged = (
                f"(!has({old}) || has({new}) && {unchanged})"
                if self.addable
                else f"(has({new}) ? has({old}) && {unchanged} : !has({old}))"
            )
        elsewhere = f"oldSelf.spec.phase != '{self.phase}' || " if self.phase else ""
        return validation(f"spec.{self.field}", self.message, f"{_NO_TRIALS} || {elsewhere}{unchanged}")


FROZEN = (
    Frozen("hyperparameters"),
    Frozen("trialTemplate"),
    Frozen("training"),
    Frozen("sampler"),
    Frozen("phase"),
    Frozen("objective", Phase.EXPLOITATION),
    Frozen("confirmation", addable=True),
)


def check_changes(old: Study, new: Study, has_trials: bool) -> tuple[Problem, ...]:
    """What the API server would refuse of the step from ``old`` to ``new``, for a study that is kept in a folder."""
    if not has_trials:
        return ()
    before, after = (study.spec.model_dump(mode="json", by_alias=True) for study in (old, new))
    return tuple(
        Problem(f"spec.{frozen.field}", frozen.message)
        for frozen in FROZEN
        if frozen.phase in (None, old.spec.phase)
        and not (frozen.addable and before[frozen.field] is None)
        and _text(before[frozen.field]) != _text(after[frozen.field])
    )


def _text(value: object) -> str:
    """JSON, where a flag is no number, as it is in Python's equality."""
    return json.dumps(value, sort_keys=True)

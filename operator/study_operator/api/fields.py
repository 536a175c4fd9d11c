"""The kinds of fields that the resources share: names, durations, and values of hyperparameters.

Each pattern carries the sentence that tells it to a person, because a regular expression tells nothing to who
mistyped a name.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from study_operator.scalar import Scalar

LONGEST_STUDY_NAME = 52
"""With the dash and the digits of a trial's index, a name stays within the 63 characters of a label and of a pod's
host name.
"""

LONGEST_TEXT = 256
"""Of a hyperparameter's textual value."""

LONGEST_CONFIRMED_NAME = 47
"""Of a study that confirms: `-confirm-99` is longer than a search trial's index, and an Indexed Job's pods add theirs.
"""

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]*$"
METRIC = r"^[a-zA-Z_:][a-zA-Z0-9_:]*$"
RULE_ID = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
DURATION = r"^([0-9]{1,6}(\.[0-9]{1,6})?(h|ms|m|s))+$"
DURATION_PART = r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|s)"

SENTENCES = {
    DNS_LABEL: "must be lower-case letters, digits and dashes, with a letter or a digit at both ends",
    IDENTIFIER: "must be letters, digits and underscores, no digit first, as a part of an environment variable's name",
    METRIC: "must be a Prometheus metric name: letters, digits, underscores and colons, not beginning with a digit",
    RULE_ID: "must be the id of a rule, such as search-space-boundary",
    DURATION: "must be a duration such as 6h or 1h30m",
}
"""What each pattern asks for."""


def _scalar(value: object) -> Scalar:
    if not isinstance(value, str | int | float | bool):
        found = "a map" if isinstance(value, dict) else "a list" if isinstance(value, list) else "nothing"
        raise PydanticCustomError("scalar", "must be a text, a number or a boolean, not {found}", {"found": found})
    if isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("scalar", "must be a finite number")
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise PydanticCustomError("scalar", "must have at most {longest} characters", {"longest": LONGEST_TEXT})
    return value


_ANYTHING: dict[str, Any] = {"x-kubernetes-preserve-unknown-fields": True}

StudyName = Annotated[str, Field(min_length=1, max_length=LONGEST_STUDY_NAME, pattern=DNS_LABEL)]
HyperparameterName = Annotated[str, Field(min_length=1, max_length=63, pattern=IDENTIFIER)]
MetricName = Annotated[str, Field(min_length=1, max_length=63, pattern=METRIC)]
DurationText = Annotated[str, Field(min_length=2, max_length=20, pattern=DURATION)]
ScalarField = Annotated[Scalar, PlainValidator(_scalar), WithJsonSchema(_ANYTHING)]
ScalarList = Annotated[tuple[ScalarField, ...], Field(min_length=1, max_length=100)]

NumberText = Annotated[str, Field(min_length=1, max_length=32)]
ScalarText = Annotated[str, Field(max_length=4096)]
TrialName = Annotated[str, Field(min_length=1, max_length=63)]
RuleId = Annotated[str, Field(min_length=1, max_length=63, pattern=RULE_ID)]
RunIdentity = Annotated[str, Field(max_length=256)]
ImageName = Annotated[str, Field(max_length=512)]
NodeName = Annotated[str, Field(max_length=253)]
Reason = Annotated[str, Field(max_length=256)]
Message = Annotated[str, Field(max_length=32768)]
Path = Annotated[str, Field(max_length=4096)]
Label = Annotated[str, Field(max_length=4096)]

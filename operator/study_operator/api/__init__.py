"""The resources: from manifests to validated studies, from trials to manifests and back, and their schemas."""

from study_operator.api.changes import check_changes
from study_operator.api.codec import (
    InvalidRecord,
    scalar_from_text,
    scalar_text,
    time_text,
    trial_from_manifest,
    trial_status_to_manifest,
    trial_to_manifest,
)
from study_operator.api.parts import Phase
from study_operator.api.study import Study
from study_operator.api.validation import InvalidManifest, check_manifest, check_semantics, parse_study, study_space

__all__ = [
    "InvalidManifest",
    "InvalidRecord",
    "Phase",
    "Study",
    "check_changes",
    "check_manifest",
    "check_semantics",
    "parse_study",
    "scalar_from_text",
    "scalar_text",
    "study_space",
    "time_text",
    "trial_from_manifest",
    "trial_status_to_manifest",
    "trial_to_manifest",
]

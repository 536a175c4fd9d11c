"""The names under which the resources and their labels are known to a cluster."""

from __future__ import annotations

GROUP = "tuning.study"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

STUDY_LABEL = f"{GROUP}/study"
TRIAL_LABEL = f"{GROUP}/trial"
ARM_LABEL = f"{GROUP}/arm"
STUDY_UID_LABEL = f"{GROUP}/study-uid"

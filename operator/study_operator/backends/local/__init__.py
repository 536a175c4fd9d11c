"""The local backend: a study's trials as processes on this machine, kept in a folder."""

from study_operator.backends.local.backend import FOLDER_GONE, LocalBackend, Witness
from study_operator.backends.local.durable import Lock, Occupied
from study_operator.backends.local.folder import Identity, StudyFolder
from study_operator.backends.local.template import TrainerTemplate, trainer_template
from study_operator.backends.local.workplace import check_command

__all__ = [
    "FOLDER_GONE",
    "Identity",
    "LocalBackend",
    "Lock",
    "Occupied",
    "StudyFolder",
    "TrainerTemplate",
    "Witness",
    "check_command",
    "trainer_template",
]

"""The controller: what a study does next, whatever keeps and runs its trials."""

from study_operator.controller.controller import Controller
from study_operator.controller.settings import ControllerSettings

__all__ = ["Controller", "ControllerSettings"]

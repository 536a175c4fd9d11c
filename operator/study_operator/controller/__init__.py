"""The controller: what a study does next, whatever keeps and runs its trials."""

from study_operator.controller.controller import Controller
from study_operator.controller.settings import ControllerSettings
from study_operator.controller.telemetry import NoTelemetry, Telemetry

__all__ = ["Controller", "ControllerSettings", "NoTelemetry", "Telemetry"]

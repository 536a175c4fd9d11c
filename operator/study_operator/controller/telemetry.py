"""What the controller tells of its own work; the edge turns it into metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from study_operator.backends.port import StudyKey


class Telemetry(Protocol):
    """Counts and durations. None of the calls may block or raise."""

    def reconciled(self, seconds: float, outcome: str) -> None:
        """One pass over a study took so long; ``outcome`` is ``ok`` or ``error``."""
        ...

    def queue_depth(self, depth: int) -> None:
        """So many studies wait for their pass."""
        ...

    def study_status(self, study: StudyKey, status: Mapping[str, object]) -> None:
        """A study's status, as it was written or found to be written already."""
        ...

    def study_forgotten(self, study: StudyKey) -> None:
        """A study is gone: its series end."""
        ...

    def metrics_failed(self) -> None:
        """The metrics source could not be asked."""
        ...


class NoTelemetry:
    """For a laptop, where the terminal shows the same."""

    def reconciled(self, seconds: float, outcome: str) -> None: ...

    def queue_depth(self, depth: int) -> None: ...

    def study_status(self, study: StudyKey, status: Mapping[str, object]) -> None: ...

    def study_forgotten(self, study: StudyKey) -> None: ...

    def metrics_failed(self) -> None: ...

"""Where on the page a finding is seen: the one module that knows the page's anchors."""

from __future__ import annotations

from study_operator.findings import Finding
from study_operator.report.report import Report
from study_operator.space import Hyperparameter

DRAWN = 8
"""Arms that are drawn, the best ones: more colours and shapes nobody tells apart. Tables have them all."""

_OF_ARMS = {"arm-comparison": "isolation", "enough-points": "best-of-m", "axis-plots": "axes"}
_OF_RERUNS = {"trial-variance"}


class Places:
    """The anchors of a report's pictures."""

    def __init__(self, report: Report) -> None:
        self._arms = {arm.label: arm.index for arm in report.space.arms}
        self._space = report.space
        self._confirmed = bool(report.confirmed)
        self._drawn = frozenset(summary.arm.label for summary in report.arms[:DRAWN])

    def arm(self, label: str) -> int:
        """The index of an arm by its label."""
        return self._arms[label]

    def drawn(self, label: str) -> bool:
        """Whether the arm is among those that are drawn."""
        return label in self._drawn

    def axis(self, label: str, hyperparameter: Hyperparameter) -> str:
        """The axis plot of a hyperparameter of an arm."""
        return f"axis-{self._of_arm(label, hyperparameter)}"

    def isolation(self, label: str, hyperparameter: Hyperparameter) -> str:
        """The isolation plot of a scientific range of an arm."""
        return f"isolation-range-{self._of_arm(label, hyperparameter)}"

    def curves(self, label: str) -> str:
        """The training curves of an arm."""
        return f"curves-{self._arms[label]}"

    def of(self, finding: Finding) -> str:
        """Where to look at what a finding speaks of."""
        subject = finding.subject
        if subject.field:
            return "manifest"
        if finding.rule in _OF_ARMS:
            return _OF_ARMS[finding.rule]
        if finding.rule in _OF_RERUNS and self._confirmed:
            return "reruns"
        if not subject.arm:
            return "curves" if finding.step is not None or subject.trial else "trials"
        if not self.drawn(subject.arm):
            return "isolation"
        sampled = [each for each in self._space.hyperparameters(self._arms[subject.arm]) if each.sampled]
        axes = [self.axis(subject.arm, each) for each in sampled if each.name == subject.hyperparameter]
        if axes:  # of several of a name, a finding does not tell which one it speaks of
            return axes[0] if len(axes) == 1 else "axes"
        return self.curves(subject.arm) if subject.trial else "isolation"

    def _of_arm(self, label: str, hyperparameter: Hyperparameter) -> str:
        """A hyperparameter of an arm by its place in the manifest, which its name does not tell."""
        return f"{self._arms[label]}-{self._space.definitions.index(hyperparameter)}"

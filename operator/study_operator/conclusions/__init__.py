"""Conclusions: whether the arms differ, and whether a change is worth making, from a study's trials. Pure."""

from study_operator.conclusions.arm_findings import arm_findings
from study_operator.conclusions.comparison import (
    Comparison,
    CurvePoint,
    Difference,
    Estimate,
    Group,
    arms,
    best_of_m_curves,
    compare,
    isolation,
)
from study_operator.conclusions.conclude import conclude_study
from study_operator.conclusions.conclusion import Conclusion, Interval, Verdict
from study_operator.conclusions.decision import Decision, decide
from study_operator.conclusions.power import too_few_reruns
from study_operator.conclusions.question import Confirmation, Question
from study_operator.conclusions.rerun_findings import rerun_findings
from study_operator.conclusions.reruns import Reruns, StudyReruns, reruns_of

__all__ = [
    "Comparison",
    "Conclusion",
    "Confirmation",
    "CurvePoint",
    "Decision",
    "Difference",
    "Estimate",
    "Group",
    "Interval",
    "Question",
    "Reruns",
    "StudyReruns",
    "Verdict",
    "arm_findings",
    "arms",
    "best_of_m_curves",
    "compare",
    "conclude_study",
    "decide",
    "isolation",
    "rerun_findings",
    "reruns_of",
    "too_few_reruns",
]

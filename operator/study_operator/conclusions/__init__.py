"""Conclusions: whether the arms differ, and whether a change is worth making, from a study's trials. Pure."""

from study_operator.conclusions.conclusion import Conclusion, Interval, Verdict

__all__ = ["Conclusion", "Interval", "Verdict"]

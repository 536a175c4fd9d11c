"""How often the rules are wrong, and how often they see what there is: simulations of studies with a known truth.

`python -m bench.rates` measures, and writes docs/rules.md, the tables in docs/rules/ and the pictures there.
"""

MODULES = (
    "feasibility",
    "boundary",
    "instability",
    "coverage",
    "importance",
    "plots",
    "comparison",
    "decision",
    "whole_study",
    "overfitting",
    "noise",
    "progress",
    "signatures",
)
"""The modules with simulations, one for a family of rules: each has ``measure``, ``draw`` or both."""

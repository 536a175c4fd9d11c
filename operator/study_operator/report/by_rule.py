"""Findings as a reader takes them in: by rule, the reason once and the places below it.

A study of several arms has a finding for each arm and hyperparameter, in nearly the same words. Thirty of them one
after the other are read by nobody; five rules are, each with the places that it speaks of.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from study_operator.findings import RULES, Finding, Rule, Severity

SHOWN = 3
"""Findings of a rule that are read at once; more of them are there for whoever asks."""


@dataclass(frozen=True, slots=True)
class RuleFindings:
    """Findings of one rule and severity; ``members`` are they, with their numbers in the list of all."""

    rule: Rule
    severity: Severity
    members: tuple[tuple[int, Finding], ...]

    @property
    def advice(self) -> str:
        """What to do, where it is the same for all; otherwise empty."""
        advices = {finding.advice for _, finding in self.members}
        return advices.pop() if len(advices) == 1 else ""

    @property
    def shown(self) -> tuple[tuple[int, Finding], ...]:
        """What is read at once: all that keeps a study from starting, and the first of what else there is."""
        return self.members if self.severity is Severity.DENIAL else self.members[:SHOWN]

    @property
    def more(self) -> tuple[tuple[int, Finding], ...]:
        """The others."""
        return self.members[len(self.shown) :]


def by_rule(findings: Sequence[Finding]) -> tuple[RuleFindings, ...]:
    """Findings, in their order (``Finding.order``), which has those of a rule together."""
    numbered = list(enumerate(findings, 1))
    rules = groupby(numbered, key=lambda member: (member[1].rule, member[1].severity))
    return tuple(RuleFindings(RULES[rule], severity, tuple(members)) for (rule, severity), members in rules)


@dataclass(frozen=True, slots=True)
class Limit:
    """What limits a conclusion, and the numbers of the findings that say so or the like, if any do."""

    text: str
    numbers: tuple[int, ...] = ()


def limits(caveats: Sequence[str], findings: Sequence[Finding]) -> tuple[Limit, ...]:
    """The caveats of a conclusion; where several are findings of one rule, the first stands for them."""
    lines: dict[str, Limit] = {}
    for caveat in caveats:
        told = {number: finding.rule for number, finding in enumerate(findings, 1) if finding.message in caveat}
        rule = next(iter(told.values()), caveat)
        known = lines.get(rule, Limit(caveat))
        numbers = tuple(sorted({*known.numbers, *(number for number, other in told.items() if other == rule)}))
        lines[rule] = Limit(known.text, numbers)
    return tuple(lines.values())

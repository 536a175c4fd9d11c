"""A finding: what a rule saw, on which numbers it rests, and what to do about it.

The rules have stable names, which users waive and search for; the table here is the one place that knows a rule's
number, its section of the tuning playbook, and the page of docs/rules/ that explains it with its measured error rates.
Some rules of one number have several names, because they can be waived one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Number = float | int | str


class Severity(StrEnum):
    """How much a finding weighs. A denial, which only lints give, stalls the study unless it is waived."""

    INFO = "Info"
    WARNING = "Warning"
    DENIAL = "Denial"

    @property
    def rank(self) -> int:
        """The place in a list: the gravest first."""
        return (Severity.DENIAL, Severity.WARNING, Severity.INFO).index(self)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about: an arm by its label, a hyperparameter and a trial by name, a field by its path.

    What does not apply is empty. A hyperparameter is always one of an arm's: learning rates of two arms are different.
    """

    arm: str = ""
    hyperparameter: str = ""
    trial: str = ""
    field: str = ""

    def __str__(self) -> str:
        return " · ".join(part for part in (self.field, self.arm, self.hyperparameter, self.trial) if part)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found.

    ``rule`` is the id of one of ``RULES``; ``message`` one or two sentences for a person and ``advice`` what to do;
    ``numbers`` what the finding rests on, thresholds included; ``step`` where on the training curve it happens.
    """

    rule: str
    severity: Severity
    subject: Subject
    message: str
    advice: str
    numbers: Mapping[str, Number] = field(default_factory=dict)
    step: int | None = None

    @property
    def untold(self) -> str:
        """What it is about, as far as the message does not say so; an arm that is the only one is not named."""
        subject = self.subject
        parts = (subject.field, "" if subject.arm == "all" else subject.arm, subject.hyperparameter, subject.trial)
        return " · ".join(part for part in parts if part and part not in self.message)

    @property
    def sentence(self) -> str:
        """The message, after what is untold."""
        return f"{self.untold}: {self.message}" if self.untold else self.message

    @property
    def waived(self) -> bool:
        """Whether its rule was waived by the manifest: it is still told, and nothing follows from it."""
        return "waived" in self.numbers

    @property
    def order(self) -> tuple[int, int, str, str, str, str, str]:
        """The key of the stable order of findings: severity, number of the rule, rule, subject."""
        subject = self.subject
        return (
            self.severity.rank,
            RULES[self.rule].number,
            self.rule,
            subject.field,
            subject.arm,
            subject.hyperparameter,
            subject.trial,
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its stable id, its number, a title, the playbook's section, and its page, docs/rules/<page>.md."""

    id: str
    number: int
    title: str
    section: str
    page: str = ""


_GOALS = "Choosing the goal for the next round of experiments"
_DESIGN = "Designing the next round of experiments"
_ROLES = "Identifying scientific, nuisance, and fixed hyperparameters"
_BATCH = "Choosing the batch size"
_ADAM = "How should Adam's hyperparameters be tuned?"
_PIPELINE = "Additional guidance for the training pipeline"
_BOUNDARY = "Identifying bad search space boundaries"
_POINTS = "Not sampling enough points in the search space"
_CURVES = "Examining the training curves"
_ISOLATION = "Detecting whether a change is useful with isolation plots"
_ADOPT = "Determining whether to adopt a training pipeline change or hyperparameter configuration"
_AFTER = "After exploration concludes"
_STEPS = "Determining the number of steps for each training run"
_COMPUTE_BOUND = "Deciding how long to train when training is compute-bound"
_QUASI_RANDOM = "Why use quasi-random search during the exploration phase"
_INSTABILITY = "How can optimization failures be debugged and mitigated?"
_TRACKING = "Setting up experiment tracking"

_TABLE = (
    Rule("hyperparameter-roles", 1, "Roles of the hyperparameters", _ROLES),
    Rule("fixed-optimizer-hyperparameter", 1, "An optimizer's hyperparameter is fixed", _ROLES, "hyperparameter-roles"),
    Rule("learning-rate-scientific", 1, "The learning rate is scientific", _ROLES, "hyperparameter-roles"),
    Rule("optimizer-nuisance", 1, "The choice of the optimizer is nuisance", _ROLES, "hyperparameter-roles"),
    Rule("many-dimensions", 1, "More dimensions than a study explores well", _DESIGN, "hyperparameter-roles"),
    Rule("regulariser-off-arm", 2, "A regulariser without an arm that leaves it off", _ROLES),
    Rule("conditional-hyperparameters", 3, "Conditional hyperparameters", _ROLES),
    Rule("tuned-steps", 4, "The number of training steps is tuned", _STEPS),
    Rule("tuned-batch-size", 4, "The batch size is tuned for quality", _BATCH),
    Rule("adam-budget", 5, "More of Adam is tuned than the budget allows", _ADAM),
    Rule("constant-learning-rate", 6, "The learning rate has no schedule", _PIPELINE, "other-lints"),
    Rule("grid-search", 6, "A grid in several dimensions", _QUASI_RANDOM, "other-lints"),
    Rule("bayesian-exploration", 6, "Bayesian search while exploring", _QUASI_RANDOM, "other-lints"),
    Rule("test-metric-objective", 6, "A metric of the test set is the objective", _AFTER, "other-lints"),
    Rule("early-stopping", 6, "Trials are stopped early", _STEPS, "other-lints"),
    Rule("evaluation-by-time", 6, "Evaluations by time rather than by step", _PIPELINE, "other-lints"),
    Rule("long-warmup", 6, "A warmup of more than a tenth of the steps", _INSTABILITY, "other-lints"),
    Rule("reasonable-baseline", 7, "A reasonable baseline", _GOALS),
    Rule("infeasible-trials", 8, "Infeasible trials", "Extracting insight from experimental results"),
    Rule("search-space-boundary", 9, "The search space's boundary", _BOUNDARY),
    Rule("learning-rate-edge", 10, "The best learning rate is at the edge of feasibility", _INSTABILITY),
    Rule("enough-points", 11, "Enough points", _POINTS),
    Rule("axis-plots", 12, "Axis plots and the isolation plot", _ISOLATION),
    Rule("overfitting", 13, "Problematic overfitting", _CURVES),
    Rule("late-variance", 14, "Variance from step to step late in training", _CURVES),
    Rule("still-improving", 15, "Still improving at the end", _CURVES),
    Rule("early-saturation", 16, "Saturated long before the end", _CURVES),
    Rule("training-loss-rising", 17, "The training loss rises", _CURVES, "bug-signatures"),
    Rule("epoch-period", 17, "The validation error has the period of the epoch", _CURVES, "bug-signatures"),
    Rule("uneven-evaluations", 17, "Uneven gaps between the evaluations", _CURVES, "bug-signatures"),
    Rule("gradient-clipping", 18, "Gradient clipping acts on most of the updates", _INSTABILITY),
    Rule("instability-probe", 19, "Probe of instability", _INSTABILITY),
    Rule("warmup", 20, "Warmup", _INSTABILITY),
    Rule("arm-comparison", 21, "Fair comparison of arms", _ISOLATION),
    Rule("study-variance", 22, "Study variance", _ADOPT),
    Rule("trial-variance", 23, "Trial variance", _ADOPT),
    Rule("decision", 24, "Adopt or not", _ADOPT),
    Rule("hyperparameter-importance", 25, "What the hyperparameters matter", _DESIGN),
    Rule("hyperparameter-interaction", 25, "Pairs that interact", _DESIGN, "hyperparameter-importance"),
    Rule("insensitive-nuisance", 25, "An insensitive nuisance", _DESIGN, "hyperparameter-importance"),
    Rule("after-exploration", 26, "After exploration", _AFTER),
    Rule("test-set", 27, "The test set, and folding validation into training", _AFTER),
    Rule("steps-not-compute-bound", 28, "How many steps when not compute-bound", _STEPS),
    Rule("compute-bound-rounds", 29, "From short to long training", _COMPUTE_BOUND),
    Rule("batch-size-throughput", 30, "Batch size and throughput", _BATCH),
    Rule("input-bound", 31, "The input pipeline is the bottleneck", _PIPELINE),
    Rule("checkpoints", 32, "Checkpoints", _PIPELINE),
    Rule("batch-norm-hosts", 33, "Batch normalisation, and several hosts", _PIPELINE),
    Rule("tracking-columns", 34, "What is tracked of a study", _TRACKING),
)

RULES: Mapping[str, Rule] = {
    rule.id: Rule(rule.id, rule.number, rule.title, rule.section, rule.page or rule.id) for rule in _TABLE
}
"""Every rule by its id, in the order of the numbers."""

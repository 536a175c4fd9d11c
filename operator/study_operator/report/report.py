"""A report: everything that is told of a study, before it is put into a form.

The terminal, the page, and the line in the experiments' record are made of this one value, so that they say the same.
It holds what was concluded by the functions that the controller concludes with; nothing is judged here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy

from study_operator.analysis import Analysis, analyse
from study_operator.api.study import Study
from study_operator.conclusions import Estimate, Reruns, reruns_of
from study_operator.results.objective import Objective
from study_operator.results.ranking import Ranked, Ranking
from study_operator.results.trial import Purpose, Trial, TrialSpec, TrialState
from study_operator.scalar import Scalar, identity
from study_operator.space import Arm, Space


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a study's numbers come from, and how they are had again.

    ``config`` is where its manifest is kept, ``manifest`` its text; ``state`` is the study's. ``command`` gives the
    command that computes a trial again, empty where there is none. ``asked`` tells that the objective is not the
    study's own, and is empty where it is.
    """

    config: str
    manifest: str
    state: str
    seed: int
    sampler: str
    version: str
    command: Callable[[TrialSpec], str]
    asked: str = ""


@dataclass(frozen=True, slots=True)
class ArmSummary:
    """An arm's trials in numbers. ``estimate`` is what it is expected to reach, None where nothing of it succeeded."""

    arm: Arm
    succeeded: int
    infeasible: int
    failed: int
    unfinished: int
    best: Ranked | None
    estimate: Estimate | None

    @property
    def ended(self) -> int:
        """Trials that ended for good."""
        return self.succeeded + self.infeasible + self.failed

    @property
    def trials(self) -> int:
        """All of them."""
        return self.ended + self.unfinished


@dataclass(frozen=True)
class Report:
    """A study, its trials under the report's objective, and what they teach."""

    study: Study
    space: Space
    trials: tuple[Trial, ...]
    analysis: Analysis
    provenance: Provenance

    @property
    def name(self) -> str:
        """The study's."""
        return self.study.metadata.name

    @property
    def objective(self) -> Objective:
        """What the trials are ranked by here."""
        return self.study.objective

    @cached_property
    def search(self) -> tuple[Trial, ...]:
        """The trials of the search, by index."""
        return tuple(sorted(self._of_search(), key=lambda trial: trial.spec.index))

    @cached_property
    def ranking(self) -> tuple[Ranked, ...]:
        """The trials that reached something, best first."""
        return self._ranking.top(len(self._ranking))

    @cached_property
    def _ranking(self) -> Ranking:
        ranking = Ranking(self.objective.direction)
        for trial in self.search:
            reached = trial.status.objective
            if trial.status.state is TrialState.SUCCEEDED and reached is not None:
                ranking.add(Ranked(trial.spec.index, trial.spec.arm, reached.value, reached.step))
        return ranking

    @cached_property
    def by_index(self) -> dict[int, Trial]:
        """The trials by their indices."""
        return {trial.spec.index: trial for trial in self.trials}

    @property
    def best(self) -> Trial | None:
        """The best trial of the search."""
        return self.by_index[self.ranking[0].index] if self.ranking else None

    @cached_property
    def varied(self) -> tuple[str, ...]:
        """The hyperparameters that are not the same in all trials, in the order of the manifest."""
        names = dict.fromkeys(definition.name for definition in self.space.definitions)
        return tuple(
            name
            for name in names
            if len({identity(trial.spec.parameters[name]) for trial in self.search if name in trial.spec.parameters})
            > 1
        )

    @cached_property
    def arms(self) -> tuple[ArmSummary, ...]:
        """The arms, best expectation first, then those without any, in the order of the space."""
        estimates = {estimate.label: estimate for estimate in self.analysis.comparison.estimates}
        order = {label: place for place, label in enumerate(estimates)}
        summaries = [self._arm(arm, estimates.get(arm.label)) for arm in self.space.arms]
        return tuple(sorted(summaries, key=lambda summary: order.get(summary.arm.label, len(order))))

    @cached_property
    def confirmed(self) -> tuple[Reruns, ...]:
        """The configurations that were run again on fresh seeds, the baseline last."""
        return reruns_of(self.analysis.evidence).all

    @property
    def ended(self) -> int:
        """Trials of the search that ended for good."""
        return sum(trial.status.state.final for trial in self.search)

    @property
    def sources(self) -> str:
        """Where the trials' numbers came from: ``Prometheus (30 trials), TerminationRecord (2)``."""
        counts = Counter(trial.status.source.value for trial in self.trials if trial.status.source is not None)
        return ", ".join(f"{source} ({count} trials)" for source, count in sorted(counts.items())) or "none"

    def _of_search(self) -> list[Trial]:
        return [trial for trial in self.trials if trial.spec.purpose is Purpose.SEARCH]

    def _arm(self, arm: Arm, estimate: Estimate | None) -> ArmSummary:
        states = [trial.status.state for trial in self.search if trial.spec.arm == arm.index]
        return ArmSummary(
            arm=arm,
            succeeded=states.count(TrialState.SUCCEEDED),
            infeasible=states.count(TrialState.INFEASIBLE),
            failed=states.count(TrialState.FAILED),
            unfinished=sum(not state.final for state in states),
            best=self._ranking.best_of(arm.index),
            estimate=estimate,
        )


def report_of(study: Study, space: Space, trials: Sequence[Trial], provenance: Provenance, *, complete: bool) -> Report:
    """The report of a study. ``complete``: all its trials have ended, so it can conclude."""
    analysis = analyse(study, space, trials, provenance.seed, complete=complete)
    return Report(study, space, tuple(trials), analysis, provenance)


def parameters_text(parameters: Mapping[str, Scalar]) -> str:
    """``learning_rate=0.0123, optimizer=adam``."""
    return ", ".join(f"{name}={value_text(value)}" for name, value in parameters.items())


def value_text(value: Scalar | None) -> str:
    """A value for the eye: four significant digits; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def notes(report: Report) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """What follows from a round beside the changes: the numbers of findings that stay open, and what none of them says.

    A proposal's notes are to be read alone, in a status; in a report its summary and the findings are there already.
    """
    proposal = report.analysis.proposal
    given = [] if proposal is None else [note for note in proposal.notes if note not in proposal.summary]
    numbered = [(number, finding.message) for number, finding in enumerate(report.analysis.findings, 1)]
    still_open = tuple(number for number, message in numbered if any(message in note for note in given))
    return still_open, tuple(note for note in given if not any(message in note for _, message in numbered))


def generator(report: Report) -> numpy.random.Generator:
    """Randomness for the intervals of a report's pictures: the same study has the same picture."""
    return numpy.random.default_rng(report.provenance.seed)

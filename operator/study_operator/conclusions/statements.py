"""The conclusion in words: what was found, on which numbers it rests, and what would close an open question."""

from __future__ import annotations

from collections.abc import Sequence

from study_operator.conclusions.comparison import Comparison
from study_operator.conclusions.conclusion import Interval, Verdict
from study_operator.conclusions.decision import ALPHA, Decision
from study_operator.conclusions.power import power, reruns_needed
from study_operator.conclusions.question import Confirmation, Question
from study_operator.conclusions.reruns import BASELINE, Reruns, StudyReruns
from study_operator.findings.evidence import Evidence
from study_operator.findings.words import told_apart
from study_operator.results.objective import Direction

DIGITS = 4


def number(value: float, digits: int = DIGITS) -> str:
    """Four significant digits; zero without a sign."""
    return f"{value:z.{digits}g}"


def distinct(*values: float) -> tuple[str, ...]:
    """Numbers that are compared: in as few digits as tell them apart, four at least."""
    return told_apart(values, number, DIGITS)


def interval_text(interval: Interval) -> str:
    """``-0.001 to 0.012``."""
    return f"{number(interval.low)} to {number(interval.high)}"


def listed(labels: Sequence[str], most: int = 20) -> str:
    """Arms by their labels, as many as a person reads."""
    rest = len(labels) - most
    return "; ".join([*labels[:most], *([f"and {rest} more"] if rest > 0 else [])])


def unconfirmed(question: Question, comparison: Comparison) -> str:
    """Why a search alone decides nothing, what it expects all the same, and what to add."""
    if not comparison.estimates:
        return "No trial has a result, so there is nothing to conclude."
    return " ".join(filter(None, (_nothing_run_again(question), expected(comparison), _to_add(question))))


def expected(comparison: Comparison) -> str:
    """What the search expects of its leading arm against the next one; empty with one arm."""
    if not comparison.differences:
        return ""
    lead = comparison.differences[0]
    budget = "one trial each" if comparison.m == 1 else f"the best of {comparison.m} trials each"
    span = "" if lead.interval is None else f" (95% interval {interval_text(lead.interval)})"
    return f"By {budget}, {lead.leader} is expected to be better than {lead.other} by {number(lead.effect)}{span}."


def no_better_than_chance(reference: Reruns, chance: float, direction: Direction) -> str:
    """Rule 7."""
    mean, guessing = distinct(direction.minimised(reference.mean), chance)
    name = reference.name[0].upper() + reference.name[1:]
    return (
        f"{name} does not beat chance: {len(reference.values)} reruns give {mean} on average, and guessing "
        f"{guessing}. Mend the training first; a comparison of what has learned nothing means nothing."
    )


def nothing_compared(reruns: StudyReruns, arms: int) -> str:
    """Why there were reruns and still no comparison."""
    adoptable = [each for each in reruns.configurations if each.adoptable]
    if not adoptable:
        return "No configuration was confirmed: none succeeded on two fresh seeds, and on all that it was run on."
    if reruns.baseline is not None:
        return "Fewer than two reruns of the baseline have a result, so there is nothing to compare with."
    if arms == 1:
        return (
            f"On fresh seeds, {adoptable[0].name} was confirmed, but there is nothing to compare it with: give "
            "spec.confirmation.baseline, or a scientific hyperparameter."
        )
    return "Only one arm was confirmed, so there is nothing to compare it with."


def decided(decision: Decision, evidence: Evidence, confirmation: Confirmation, deviation: float | None) -> str:
    """The verdict with the means, the effect, its interval and its p-value."""
    winner, rival = (_named(reruns, evidence) for reruns in (decision.winner, decision.rival))
    means = _means(decision, evidence)
    counts = f"{len(decision.winner.values)} and {len(decision.rival.values)} reruns on fresh seeds"
    effect = f"{'better' if decision.effect >= 0 else 'worse'} by {number(abs(decision.effect))}"
    compared = (
        f"{winner} reaches {evidence.objective.metric} {means[0]} on average and {rival} {means[1]}, over {counts}: "
        f"{effect} (95% interval of the gain {interval_text(decision.interval)}"
    )
    margin = f"the margin of {number(confirmation.margin)}" if confirmation.margin else ""
    match decision.verdict:
        case Verdict.ADOPT:
            than = f"more than {margin}; " if margin else ""
            told = f"{than}one-sided p = {decision.p_adopt:.2g}, at most {ALPHA:g})."
            return f"{winner} is worth adopting. {compared}; {told}"
        case Verdict.REJECT:
            kept = "keep the baseline" if decision.rival.name == BASELINE else "the simpler arm will do"
            what = f"is not better by {margin}" if margin else "is worse"
            return f"{winner} {what}: {kept}. {compared}; one-sided p = {decision.p_reject:.2g})."
        case Verdict.INCONCLUSIVE:
            than = f"better by more than {margin}" if margin else "better"
            told = f"one-sided p = {decision.p_adopt:.2g}, which would have to be at most {ALPHA:g})."
            return f"The reruns cannot tell whether {winner} is {than}. {compared}; {told}" + _power(
                decision, confirmation, deviation
            )


def arms_not_apart(between: Decision, evidence: Evidence) -> str:
    """The arms, each by its confirmed best, where only the baseline is beaten."""
    winner, rival = (
        f"{_named(reruns, evidence)} with {mean}"
        for reruns, mean in zip((between.winner, between.rival), _means(between, evidence), strict=True)
    )
    return (
        f"It is better than the baseline; between the arms the reruns cannot tell: {winner} on average, and {rival} "
        f"(one-sided p = {between.p_adopt:.2g})."
    )


def arms_not_apart_by_search(between: Decision, evidence: Evidence) -> str:
    """The arms, where the reruns of their best trials differ and the trials of the search do not."""
    better, other = (evidence.space.arms[reruns.arm].label for reruns in (between.winner, between.rival))
    return (
        f"The best trial of {better} is better than that of {other}; all their trials together do not separate the "
        "two, so another search might have met a better one of the other arm (study variance)."
    )


def _means(decision: Decision, evidence: Evidence) -> tuple[str, ...]:
    """Of the winner's reruns and of the rival's, in the objective's own direction."""
    direction = evidence.objective.direction
    return distinct(*(direction.minimised(reruns.mean) for reruns in (decision.winner, decision.rival)))


def _named(reruns: Reruns, evidence: Evidence) -> str:
    label = evidence.space.arms[reruns.arm].label
    return reruns.name if label == "all" or reruns.name == BASELINE else f"{label} ({reruns.name})"


def _power(decision: Decision, confirmation: Confirmation, deviation: float | None) -> str:
    """What the reruns could have found, and how many would find what was seen."""
    if not deviation:
        return ""
    reruns, contest = min(len(decision.winner.values), len(decision.rival.values)), decision.contest
    rivals = "the baseline" if contest.baseline else "the other" if contest.contenders == 2 else "all the others"
    text = (
        f" Reruns of one configuration differ by {number(deviation)} (standard deviation); one that is better than "
        f"{rivals} by twice that would have been adopted with a chance of {power(2.0, reruns, contest):.0%}"
    )
    enough = reruns_needed(2.0, contest)
    text += f" (of 80% with {enough} reruns of each)." if enough is not None and enough > reruns else "."
    needed = reruns_needed((decision.effect - confirmation.margin) / deviation, contest)
    if needed is not None and needed > reruns:
        text += f" To find a difference as large as the one seen, with a chance of 80%, takes {needed} reruns of each."
    return text


def _nothing_run_again(question: Question) -> str:
    if question.confirmation is not None:
        return "Nothing was run again on fresh seeds, so the scores that selected the best trials flatter them still."
    return (
        "A single run per configuration cannot tell a better configuration from a lucky one: the scores that selected "
        "the best trials flatter them."
    )


def _to_add(question: Question) -> str:
    if question.confirmation is not None:
        return ""
    return (
        "Add spec.confirmation, such as {top: 3, reruns: 5}, with the baseline that is in use now where there is one: "
        "the study then runs the best again on fresh seeds, and decides."
    )

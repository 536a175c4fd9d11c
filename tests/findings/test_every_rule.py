"""Every rule has a page, an explanation, a place on all three surfaces, and a test under its null and its alternative.

The rules 19, 28 and 30 need studies of their own kind: they have their place in the table, and nothing else yet.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from study_operator.api.status import StudyStatus
from study_operator.controller.lessons import lessons_at_acceptance, lessons_of, told
from study_operator.findings import RULES, Finding, Severity, Subject
from study_operator.report.explanations import EXPLANATIONS
from study_operator.report.page import page
from study_operator.report.terminal import terminal_view
from study_operator.results.taxonomy import DIVERGED
from study_operator.rounds import Change, Proposal

from tests.findings.finding_samples import every_finding
from tests.findings.test_lints import CASES
from tests.report.studies import wide_report

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "rules"
LATER = frozenset({19, 28, 30})
LINTS = frozenset({1, 2, 3, 4, 5, 6})
PROPOSED = frozenset({"warmup", "after-exploration", "compute-bound-rounds", "checkpoints", "tracking-columns"})
"""Rules that give no findings: they speak by what the next round changes, or by what is kept of a study."""
BUILT = [rule for rule in RULES.values() if rule.number not in LATER]
LONGEST = 72
"""Lines of a page without its table of rates: a screen."""

TESTS = {
    7: ("conclusions/test_rerun_findings.py", "a_baseline_that_has_learned_something", "a_baseline_that_has_learned_n"),
    8: ("findings/test_feasibility.py", "false_alarms_are_few", "what_fails_is_seen_in_most_studies"),
    9: (
        "findings/test_boundary.py",
        "irrelevant_hyperparameters_raise_false",
        "a_range_that_is_too_small",
    ),
    10: (
        "findings/test_instability.py",
        "failures_anywhere_and_far_walls",
        "an_optimum_behind_a_wall_is_seen",
    ),
    11: ("findings/test_coverage.py", "false_alarms_are_few", "many_dimensions_with_few_points_are_seen"),
    12: ("findings/test_plots.py", "where_hardly_anything_worked", "the_place_of_the_best_three_is_told"),
    13: ("findings/test_overfitting.py", "false_alarms_are_rare", "what_rises_by_ten_noises_is_found"),
    14: (
        "findings/test_noise.py",
        "noise_of_a_third_of_the_limit",
        "noise_of_twice_the_limit_is_mostly_told",
    ),
    15: ("findings/test_progress.py", "what_has_settled_rarely_seems_to_improve", "what_is_there_is_found"),
    16: ("findings/test_progress.py", "what_needs_its_steps_is_rarely_called", "what_is_there_is_found"),
    17: ("findings/test_signatures.py", "noise_rarely_has_a_period", "a_period_that_the_best_trials_share"),
    18: ("findings/test_signatures.py", "clipping_most_of_the_updates", "clipping_most_of_the_updates"),
    20: ("rounds/test_*.py", "nothing_to_change_is_an_answer", "a_fixed_warmup_becomes_a_ladder"),
    21: ("conclusions/test_comparison.py", "the_intervals_hold_the_truth", "the_arm_with_the_better_expectation_leads"),
    22: ("conclusions/test_comparison.py", "one_trial_tells_no_interval", "the_intervals_hold_the_truth"),
    23: ("conclusions/test_rerun_findings.py", "a_single_rerun_has_no_variance", "the_spread_of_reruns_and_the_luck"),
    24: ("conclusions/test_decision.py", "without_a_difference_at_most_a_tenth", "a_difference_of_two_deviations"),
    25: ("findings/test_insight.py", "false_claims_are_few", "what_is_there_is_seen_in_most_studies"),
    26: ("rounds/test_exploitation.py", "exploration_goes_on_while_its_rules", "a_settled_exploration_goes_on"),
    27: ("findings/test_test_set.py", "says_nothing_where_nobody_looked", "counts_the_looks_of_the_search"),
    29: ("rounds/test_promotion.py", "a_promotion_is_longer", "a_few_long_trainings_near_the_best"),
    31: ("findings/test_signatures.py", "waiting_for_data_is_told_once", "waiting_for_data_is_told_once"),
    32: (
        "results/test_conclusion.py",
        "the_checkpoint_is_the_one",
        "the_checkpoint_is_the_one",
    ),
    33: ("findings/test_signatures.py", "steps_that_are_reported_twice", "steps_that_are_reported_twice"),
    34: ("cli/test_catalogue.py", "values_that_are_not_finite_are_texts_and", "the_summary_has_the_columns"),
}
"""For each rule the file or files, and how the names of its tests under the null and under the alternative begin."""


@pytest.mark.parametrize("rule", BUILT, ids=lambda rule: rule.id)
def test_a_rule_is_explained_on_one_screen(rule) -> None:
    text = (PAGES / f"{rule.page}.md").read_text()
    assert f"(rule {rule.number})" in text.splitlines()[0]
    assert rule.id in text or rule.id == rule.page
    assert "**The playbook:**" in text
    own = re.sub(r"<!-- rates -->.*?<!-- /rates -->", "", text, flags=re.DOTALL).splitlines()
    assert len(own) <= LONGEST
    assert len(EXPLANATIONS[rule.page].split()) >= 12


@pytest.mark.parametrize("rule", BUILT, ids=lambda rule: rule.id)
def test_a_page_says_what_why_and_how_often_it_is_wrong(rule) -> None:
    text = (PAGES / f"{rule.page}.md").read_text()
    if rule.page == "other-lints":
        assert "| rule | says | because | instead |" in text
    else:
        assert "**What it says.**" in text and "**Why.**" in text
    assert "**How often it is wrong.**" in text


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.number in LATER], ids=lambda rule: rule.id)
def test_a_rule_that_comes_later_keeps_its_place(rule) -> None:
    assert rule.page in EXPLANATIONS
    assert not (PAGES / f"{rule.page}.md").exists()


def test_no_page_is_of_no_rule() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == {rule.page for rule in BUILT}


def test_every_lint_has_a_plan_that_it_objects_to_and_one_that_it_does_not() -> None:
    assert {rule.id for rule in BUILT if rule.number in LINTS} == {
        case.rule for case in CASES if RULES[case.rule].number in LINTS
    }


@pytest.mark.parametrize("number", sorted({rule.number for rule in BUILT} - LINTS))
def test_every_other_rule_is_tested_under_its_null_and_under_its_alternative(number: int) -> None:
    file, *names = TESTS[number]
    text = "".join(path.read_text() for path in (ROOT / "tests").glob(file))
    for name in names:
        assert re.search(rf"^def test_{name}", text, re.MULTILINE), f"{file} has no test_{name}"


def test_what_the_findings_of_every_rule_rest_on_is_named_alike() -> None:
    found = every_finding()
    assert {finding.rule for finding in found} == {rule.id for rule in BUILT} - PROPOSED
    names = {name for finding in found for name in finding.numbers}
    assert {name for name in names if name != name.lower()} == {DIVERGED}, "reasons are named as in a trial's status"


def test_a_status_takes_the_findings_of_every_rule() -> None:
    for finding in every_finding():
        shown = json.dumps({"findings": lessons_at_acceptance([finding]).findings})
        assert [told.rule for told in StudyStatus.model_validate_json(shown).findings] == [finding.rule]


def test_what_any_rule_says_is_seen_in_the_status_on_the_terminal_and_on_the_page() -> None:
    report = wide_report()
    findings = tuple(
        Finding(rule.id, Severity.WARNING, Subject(), f"Said by {rule.id}.", "Act.") for rule in RULES.values()
    )
    changes = tuple(Change("spec.goal", "", "a", f"Asked for by {rule.id}.", rule.id, ()) for rule in RULES.values())
    analysis = replace(report.analysis, findings=findings, proposal=Proposal("So many.", changes, ("A note.",)))
    report = replace(report, analysis=analysis)
    lessons = lessons_of(analysis)
    status = json.dumps({"findings": lessons.findings, "proposedNext": lessons.proposed_next})
    StudyStatus.model_validate_json(status)
    output = io.StringIO()
    Console(file=output, width=200).print(terminal_view(report))
    for surface in (status, " ".join(output.getvalue().split()), page(report)):
        for rule in RULES.values():
            assert f"Said by {rule.id}." in surface
            assert f"Asked for by {rule.id}." in surface
            assert rule.id in surface
        assert "A note." in surface
    assert len(told(findings)) == len(RULES)

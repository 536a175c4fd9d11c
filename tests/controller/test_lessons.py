"""What the status tells of an analysis is small, whatever the study."""

import json

import numpy
from study_operator.analysis import Analysis
from study_operator.api.lessons import CHANGES, FINDINGS, NOTES
from study_operator.api.status import StudyStatus
from study_operator.conclusions import Conclusion, Verdict, arms, compare
from study_operator.controller.lessons import LONGEST, lessons_of, lessons_told, told
from study_operator.findings import Finding, Severity, Subject
from study_operator.rounds import Change, Proposal

from tests.findings.evidence_samples import sobol, study, unit_space

LONG = "The objective \x1b[31m gets better. " * 10_000


def finding(rule: str, arm: int, severity: Severity = Severity.INFO) -> Finding:
    return Finding(rule, severity, Subject(arm=f"method=a{arm}"), LONG, LONG, {"n": 8})


def test_every_rule_has_its_say_before_any_has_a_second_one() -> None:
    warnings = [finding("overfitting", arm, Severity.WARNING) for arm in range(3)]
    remarks = [finding(rule, arm) for rule in ("enough-points", "arm-comparison") for arm in range(100)]
    shown = told([*warnings, *remarks], most=6)
    assert [each.rule for each in shown] == ["overfitting"] * 3 + ["enough-points"] * 2 + ["arm-comparison"]
    assert [each.subject.arm for each in shown[3:]] == ["method=a0", "method=a1", "method=a0"]
    assert told(remarks[:5]) == remarks[:5]


def test_a_study_of_many_arms_and_long_words_has_a_status_that_an_api_server_takes() -> None:
    evidence = study(unit_space(1, arms=100), sobol(1, 4), {arm: [0.1, 0.2, 0.3, 0.4] for arm in range(100)})
    comparison = compare(arms(evidence), numpy.random.default_rng(0))
    change = Change("spec.phase", LONG, LONG, LONG, "after-exploration", ())
    analysis = Analysis(
        evidence,
        tuple(finding("overfitting", arm, Severity.WARNING) for arm in range(100)),
        comparison,
        Conclusion(Verdict.INCONCLUSIVE, LONG, caveats=(LONG,) * 100),
        Proposal(LONG, (change,) * 100, (LONG,) * 100),
    )
    lessons = lessons_of(analysis)
    status = {"findings": lessons.findings, "conclusion": lessons.conclusion, "proposedNext": lessons.proposed_next}
    told_status = StudyStatus.model_validate_json(json.dumps(status))
    assert len(told_status.findings) == FINDINGS
    assert told_status.proposed_next is not None
    assert (len(told_status.proposed_next.changes), len(told_status.proposed_next.notes)) == (CHANGES, NOTES)
    assert max(len(each.message) for each in told_status.findings) == LONGEST
    assert "\x1b" not in json.dumps(status, ensure_ascii=False)
    assert len(json.dumps(status)) < 1_000_000
    assert len(lessons.intervals) == 100


def test_what_was_told_is_told_again_by_the_next_controller() -> None:
    shown = {"findings": [{"rule": "overfitting"}], "proposedNext": {"summary": "Go on.", "notes": ["Look."]}}
    lessons = lessons_told(shown)
    assert (lessons.findings, lessons.proposed_next) == (({"rule": "overfitting"},), shown["proposedNext"])

"""Findings by their rule."""

from study_operator.findings import Finding, Severity, Subject
from study_operator.report.by_rule import SHOWN, Limit, by_rule, limits


def found(rule: str, severity: Severity, arm: str, advice: str = "Do it.") -> Finding:
    return Finding(rule, severity, Subject(arm=arm), f"Seen in {arm}.", advice)


def test_findings_of_a_rule_are_together_and_keep_their_numbers() -> None:
    findings = [
        found("overfitting", Severity.WARNING, "a"),
        found("overfitting", Severity.WARNING, "b"),
        found("enough-points", Severity.INFO, "a"),
    ]
    assert [[number for number, _ in each.members] for each in by_rule(findings)] == [[1, 2], [3]]
    assert [each.rule.id for each in by_rule(findings)] == ["overfitting", "enough-points"]


def test_an_advice_is_shared_only_where_it_is_the_same() -> None:
    same = [found("overfitting", Severity.WARNING, arm) for arm in "ab"]
    other = [*same, found("overfitting", Severity.WARNING, "c", "Do that.")]
    assert [each.advice for each in (*by_rule(same), *by_rule(other))] == ["Do it.", ""]


def test_all_that_denies_is_shown_at_once_and_the_first_of_the_rest() -> None:
    for severity, shown in ((Severity.DENIAL, 5), (Severity.WARNING, SHOWN), (Severity.INFO, SHOWN)):
        (each,) = by_rule([found("enough-points", severity, arm) for arm in "abcde"])
        assert (len(each.shown), len(each.shown + each.more)) == (shown, 5)


def test_without_findings_there_is_nothing() -> None:
    assert by_rule([]) == ()


def test_limits_that_are_findings_of_one_rule_are_one_line() -> None:
    findings = [found("overfitting", Severity.WARNING, arm) for arm in "ab"]
    findings.append(found("late-variance", Severity.WARNING, "c"))
    told = limits(["Seen in a.", "b: Seen in b.", "Seen in c.", "A value was fixed."], findings)
    assert told == (
        Limit("Seen in a.", (1, 2)),
        Limit("Seen in c.", (3,)),
        Limit("A value was fixed."),
    )

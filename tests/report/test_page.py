"""The page as text: what is in it, and what cannot be."""

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from importlib.resources import files
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from study_operator.api import parse_study
from study_operator.findings import RULES, Finding, Severity, Subject, boundary, overfitting
from study_operator.report.chart_values import drawable, layout, number
from study_operator.report.charts import chart_data
from study_operator.report.explanations import EXPLANATIONS
from study_operator.report.page import embedded, page, prose
from study_operator.report.places import Places
from study_operator.report.report import Report, notes
from study_operator.scalar import Scalar
from study_operator.space import Choices, Hyperparameter, Range, Role, ScaleName, Value

from tests.report.studies import manifest, one_arm, report, trials_of, wide_report

REPORT = wide_report()
PAGE = page(REPORT)
ONE_ARM = report(parse_study(one_arm()), trials_of(parse_study(one_arm())))
VENDOR = files("study_operator.report").joinpath("vendor")


@given(st.recursive(st.text() | st.integers() | st.none(), st.lists))
def test_embedded_data_end_no_element_and_are_read_back(data: object) -> None:
    text = embedded(data)
    assert not set("<>&") & set(text) and text.isascii()
    assert json.loads(text) == data


def test_only_the_package_s_own_scripts_and_styles_are_allowed() -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', PAGE)
    assert policy is not None and "unsafe" not in policy[1] and "default-src &#39;none&#39;" in policy[1]
    inline = re.findall(r"<(?:script|style)>(.*?)</(?:script|style)>", PAGE, re.DOTALL)
    assert len(inline) == 3
    for content in inline:
        assert base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() in policy[1]


def test_nothing_in_it_has_an_address_to_load_from() -> None:
    assert not re.search(r"(?:src|href|action)=[\"'](?!#)", PAGE.partition("<script>")[0])


def test_the_same_study_makes_the_same_page() -> None:
    assert page(wide_report()) == PAGE


def test_the_charting_library_is_the_one_that_was_built() -> None:
    digest = hashlib.sha256(VENDOR.joinpath("echarts.js").read_bytes()).hexdigest()
    assert f"sha256 {digest}" in VENDOR.joinpath("README.md").read_text()


def test_every_rule_is_explained() -> None:
    assert {rule.page for rule in RULES.values()} == EXPLANATIONS.keys()


@pytest.mark.parametrize(("page", "rule"), [("overfitting", overfitting), ("search-space-boundary", boundary)])
def test_an_explanation_names_the_significance_of_its_rule(page: str, rule: ModuleType) -> None:
    assert re.findall(r"p < (\.\d+)", EXPLANATIONS[page]) == [f"{rule.SIGNIFICANCE}".removeprefix("0")]


def test_every_finding_has_its_place() -> None:
    places = Places(REPORT)
    anchors = set(re.findall(r'id="([\w-]+)"', PAGE))
    assert {places.of(finding) for finding in REPORT.analysis.findings} <= anchors


@pytest.mark.parametrize("told", [REPORT, ONE_ARM], ids=["two arms", "a name twice in an arm"])
def test_no_two_elements_have_one_id(told: Report) -> None:
    ids = re.findall(r' id="([^"]+)"', page(told).partition("<script>")[0])
    assert [name for name, times in Counter(ids).items() if times > 1] == []


def test_each_range_of_a_name_in_an_arm_has_its_own_axis() -> None:
    nesterov, adam = [
        plot for plot in chart_data(ONE_ARM, Places(ONE_ARM))["axes"] if plot["hyperparameter"].startswith("learning_")
    ]
    assert nesterov["hyperparameter"] == "learning_rate (optimizer=nesterov)"
    assert [(plot["min"], plot["max"]) for plot in (nesterov, adam)] == [(0.001, 10), (0.00001, 0.01)]
    for plot in (nesterov, adam):
        assert plot["value"] and plot["min"] <= min(plot["value"]) and max(plot["value"]) <= plot["max"]


@pytest.mark.parametrize(
    ("fixed", "axis"),
    [
        (0.0, {"scale": "ReverseLog", "min": 0.0, "max": 0.999, "integer": False}),
        (1.0, {"scale": "Linear", "min": 0.9, "max": 1.0, "integer": False}),
        ("none", {"scale": "Choice", "choices": ["none"]}),
    ],
)
def test_an_axis_takes_the_range_of_one_arm_and_the_fixed_value_of_another(
    fixed: Scalar, axis: dict[str, object]
) -> None:
    searched = Hyperparameter("momentum", Role.NUISANCE, Range(0.9, 0.999, ScaleName.REVERSE_LOG))
    assert layout([searched, Hyperparameter("momentum", Role.FIXED, Value(fixed))]) == axis


def test_flags_stand_on_their_axis_as_in_the_manifest() -> None:
    flag = Hyperparameter("nesterov", Role.NUISANCE, Choices((True, False)))
    assert layout([flag]) == {"scale": "Choice", "choices": ["true", "false"]}
    assert [drawable(value, choice=True) for value in (True, False, None)] == ["true", "false", None]


def test_a_finding_of_a_name_that_an_arm_has_twice_is_marked_on_neither_axis() -> None:
    """It does not tell which of the two it speaks of."""
    found = Finding("search-space-boundary", Severity.WARNING, Subject("all", "learning_rate"), "", "", {"from": 0.01})
    told = replace(ONE_ARM, analysis=replace(ONE_ARM.analysis, findings=(found,)))
    places = Places(told)
    assert places.of(found) == "axes"
    assert [mark for plot in chart_data(told, places)["axes"] for mark in plot["marks"]] == []


def test_a_finding_of_a_curve_is_marked_where_it_begins() -> None:
    findings = {number: each for number, each in enumerate(REPORT.analysis.findings, 1) if each.step is not None}
    marks = [mark for plot in chart_data(REPORT, Places(REPORT))["curves"] for mark in plot["marks"]]
    assert findings and {(mark["finding"], mark["step"], mark["trial"]) for mark in marks} == {
        (number, each.step, each.subject.trial) for number, each in findings.items()
    }


def test_what_each_hyperparameter_explains_is_drawn_with_its_interval() -> None:
    drawn = chart_data(wide_report(200), Places(wide_report(200)))["importance"]
    assert [arm["arm"] for arm in drawn] == [0, 1]
    for arm in drawn:
        assert "learning_rate" in arm["hyperparameters"]
        assert all(low <= high for low, high in zip(arm["low"], arm["high"], strict=True))


def test_what_a_finding_has_told_already_is_not_told_again_as_what_to_do() -> None:
    still_open, others = notes(REPORT)
    told = {each.message for each in REPORT.analysis.findings}
    assert all(message not in note for note in others for message in told)
    assert all(1 <= number <= len(told) for number in still_open)


def test_what_a_sentence_has_in_backticks_is_code_and_no_markup() -> None:
    assert prose("Write `<b>` & `x`.") == "Write <code>&lt;b&gt;</code> &amp; <code>x</code>."


def test_a_question_asked_afterwards_does_not_promise_a_manifest() -> None:
    study = parse_study(manifest(64))
    asked = report(study, trials_of(study), asked="ranked by another metric.")
    assert asked.analysis.proposal is not None and asked.analysis.proposal.changes
    assert "writes that manifest" in page(report(study, trials_of(study)))
    assert "writes that manifest" not in page(asked)


def test_what_is_not_finite_is_no_number() -> None:
    assert [number(value) for value in (float("nan"), float("inf"), 0.123456789, None)] == [None, None, 0.123457, None]

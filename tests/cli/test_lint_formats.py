"""``study lint`` in a repository's checks: where a remark stands, in what form, and with what exit code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from study_operator.cli.lint import lint
from study_operator.cli.lint_formats import Level, Remark, github
from study_operator.cli.places import TOP, Place, Places

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits-quick.yaml"
GOOD = EXAMPLE.read_text()
UNWISE = GOOD.replace("metric: validation_error", "metric: test_error")
DENIED = GOOD.replace("  budget:", "  - name: steps\n    role: Nuisance\n    range: {min: 1, max: 9}\n  budget:")
WAIVED = DENIED.replace("  goal:", "  waivers: [{rule: tuned-steps, reason: It is the question.}]\n  goal:")
BROKEN = GOOD.replace("max: 10", "max: 0")


def run(source: str, *arguments: str) -> Result:
    return CliRunner().invoke(lint, [*arguments, "-"], input=source)


def line_of(source: str, words: str) -> int:
    return next(number for number, line in enumerate(source.splitlines(), 1) if words in line)


@pytest.mark.parametrize(
    ("source", "code", "strict"), [(GOOD, 0, 0), (UNWISE, 0, 1), (WAIVED, 0, 0), (DENIED, 1, 1), (BROKEN, 1, 1)]
)
def test_errors_and_denials_fail_and_warnings_do_so_where_they_are_to(source: str, code: int, strict: int) -> None:
    assert run(source).exit_code == code
    assert run(source, "--strict").exit_code == strict


@pytest.mark.parametrize("form", ["---\n{}---\n", "{}---\n# Nothing.\n"])
def test_empty_documents_beside_the_manifest_are_passed_over(form: str) -> None:
    text = form.format(UNWISE)
    remark = next(each for each in json.loads(run(text, "--format=json").output) if each["severity"] == "warning")
    assert remark["line"] == line_of(text, "metric: test_error")


def test_people_are_told_the_field_the_reason_what_to_write_and_the_section() -> None:
    told = run(DENIED).output
    assert "spec.hyperparameters[5].role: error: steps is tuned" in told
    assert "write the length as `spec.training.steps`" in told
    assert "Playbook: Determining the number of steps for each training run" in told


def test_a_waiver_stays_visible() -> None:
    assert re.search(r"note: steps is tuned.* Waived: It is the question\. \[tuned-steps\]", run(WAIVED).output)


def test_programs_get_every_part() -> None:
    remarks = json.loads(run(DENIED, "--format=json").output)
    denial = next(remark for remark in remarks if remark["severity"] == "error")
    assert denial["rule"] == "tuned-steps"
    assert denial["line"] == line_of(DENIED, "name: steps") + 1
    assert {"file", "path", "message", "advice", "section"} < set(denial)


def test_github_shows_each_remark_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a,b.yaml"
    file.write_text(UNWISE)
    lines = CliRunner().invoke(lint, ["--format=github", str(file)]).output.splitlines()
    where = f"file={tmp_path}/a%2Cb.yaml,line={line_of(UNWISE, 'test_error')},col=5,title=test-metric-objective"
    assert lines[0].startswith(f"::warning {where}::spec.objective.metric: test_error looks like a test metric")
    assert [line.split()[0] for line in lines] == ["::warning", "::notice", "::notice"]


@given(st.text(), st.text(), st.text())
def test_an_annotation_is_one_command_whatever_is_said_of_whatever_file(file: str, path: str, message: str) -> None:
    remark = Remark(file, Level.WARNING, path, Place(3, 5), "grid-search", message)
    [command] = github([remark])
    assert "\n" not in command and "\r" not in command
    properties, _, told = command.removeprefix("::warning ").partition("::")
    values = dict(each.split("=", 1) for each in properties.split(","))
    assert unescaped(values["file"]) == file
    assert unescaped(told) == ": ".join(filter(None, (path, message.strip())))


def unescaped(text: str) -> str:
    """What a workflow's runner makes of it."""
    for code, letter in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, letter)
    return text


def test_what_keeps_a_file_from_being_read_is_shown_at_its_line() -> None:
    assert "::error file=-,line=2,col=1," in run("a: 1\na: 2\n", "--format=github").output


# The parts of the SARIF 2.1.0 schema that a run of this tool can touch (OASIS, section 3).
MESSAGE = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
POSITION = {"type": "integer", "minimum": 1}
LOCATION = {
    "type": "object",
    "required": ["physicalLocation"],
    "additionalProperties": False,
    "properties": {
        "physicalLocation": {
            "type": "object",
            "additionalProperties": False,
            "required": ["artifactLocation", "region"],
            "properties": {
                "artifactLocation": {"required": ["uri"], "properties": {"uri": {"pattern": "^[^ \\\\]+$"}}},
                "region": {"required": ["startLine"], "properties": {"startLine": POSITION, "startColumn": POSITION}},
            },
        },
        "logicalLocations": {"items": {"required": ["fullyQualifiedName"], "additionalProperties": {"type": "string"}}},
    },
}
SARIF = {
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "tool": {"required": ["driver"], "properties": {"driver": {"required": ["name", "rules"]}}},
                    "results": {
                        "items": {
                            "required": ["message", "ruleId", "ruleIndex"],
                            "additionalProperties": False,
                            "properties": {
                                "ruleId": {"type": "string"},
                                "ruleIndex": {"type": "integer", "minimum": 0},
                                "level": {"enum": ["none", "note", "warning", "error"]},
                                "message": MESSAGE,
                                "locations": {"items": LOCATION},
                            },
                        }
                    },
                },
            }
        },
    },
}


@pytest.mark.parametrize("source", [GOOD, UNWISE, DENIED, BROKEN, "a: [", "a: 1\na: 2", ""])
def test_sarif_is_valid_and_its_results_point_to_their_rules(source: str) -> None:
    log: dict[str, Any] = json.loads(run(source, "--format=sarif").output)
    jsonschema.validate(log, SARIF)
    [told] = log["runs"]
    rules = [rule["id"] for rule in told["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in told["results"]] == [
        result["ruleId"] for result in told["results"]
    ]


KEYS = st.text("abc", min_size=1, max_size=3)
TREES = st.recursive(
    st.integers(0, 9), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
)


def paths(tree: object, path: str = "") -> list[str]:
    if isinstance(tree, dict):
        steps = [(f"{path}.{key}".removeprefix("."), value) for key, value in tree.items()]
    else:
        steps = [(f"{path}[{index}]", value) for index, value in enumerate(tree)] if isinstance(tree, list) else []
    return [found for step, value in steps for found in (step, *paths(value, step))]


@given(st.dictionaries(KEYS, TREES, min_size=1, max_size=3))
def test_every_field_has_the_place_where_it_is_written(tree: dict[str, Any]) -> None:
    text = yaml.safe_dump(tree)
    lines, places = text.splitlines(), Places(text)
    for path in paths(tree):
        place = places.of(path)
        here = lines[place.line - 1][place.column - 1 :]
        if not path.endswith("]"):
            assert here.startswith(path.rpartition(".")[2].rpartition("]")[2])


def test_a_field_that_is_not_there_is_shown_at_the_nearest_that_holds_it() -> None:
    places = Places("a:\n  b:\n  - c: 1\n")
    assert places.of("a.b[0].x.y") == places.of("a.b[0]") == Place(3, 5)
    assert places.of("z[3].y") == TOP

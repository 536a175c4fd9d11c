"""Edits of a manifest in its own text: what is meant changes, and no other character."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from study_operator.api.yaml import load_manifest
from study_operator.cli.manifest_text import MARK, Remarked, applied, dumped, edited
from study_operator.rounds import Drop, Put, Swap

from tests.cli.rounds import MANIFEST


def test_a_manifest_with_aliases_is_written_anew_and_says_so() -> None:
    text = MANIFEST.replace("{min: 1e-05, max: 0.1, scale: Log}", "&rate {min: 1e-05, max: 0.1, scale: Log}").replace(
        "  # The network", "  - {name: width, role: Nuisance, range: *rate}\n  # The network"
    )
    after = edited(text, [], [Remarked((Put("spec.hyperparameters[3].range.max", 5),), "Wider.")])
    assert load_manifest(after)["spec"]["hyperparameters"][2]["range"]["max"] == 0.1
    assert load_manifest(after)["spec"]["hyperparameters"][3]["range"]["max"] == 5
    assert MARK + "Wider." in after
    assert MARK + "This was written anew, without the comments" in after
    assert "written anew" not in edited(MANIFEST, [], [])


def test_comments_of_the_round_before_go_and_look_alikes_in_texts_stay() -> None:
    text = MANIFEST.replace("  budget:", f"  {MARK}old\n  budget:")
    assert "old" not in edited(text, [], [])
    script = MANIFEST.replace(
        "command: [python, -m, train]", f"args:\n            - |\n              {MARK}old\n              x"
    )
    assert load_manifest(edited(script, [], [])) == load_manifest(script)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_stay_as_they_are(newline: str) -> None:
    after = edited(
        MANIFEST.replace("\n", newline), ["Header."], [Remarked((Put("spec.phase", "Exploration"),), "Why.")]
    )
    assert after.count("\n") == after.count(newline)
    assert after.splitlines()[0] == MARK + "Header."


@pytest.mark.parametrize(
    ("written", "as_well"),
    [
        ("max: 0.1     #", "max: 0.1\t#"),
        ("max: 0.1 ", "max:\t0.1 "),
        ("command: [python, -m, train]\n", "command: [python, -m, train]\n---\n"),
        ("# Which optimizer?\n", "---\n# Which optimizer?\n---\n"),
    ],
)
def test_what_a_manifest_may_be_written_like_is_edited_in_place(written: str, as_well: str) -> None:
    text = MANIFEST.replace(written, as_well)
    after = edited(text, [], [Remarked((Put("spec.hyperparameters[1].range.max", 5),), "Wider.")])
    assert load_manifest(after)["spec"]["hyperparameters"][1]["range"]["max"] == 5
    assert "# torch's default is 0.01" in after


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("goal", [">+\n    Which?\n\n\n", "|+\n    Which?\n\n", "|\n    Which?\n\n"])
def test_a_goal_keeps_its_empty_lines_above_a_new_field(goal: str, newline: str) -> None:
    text = MANIFEST.replace(">-\n    Does Adam beat\n    Nesterov momentum?\n", goal).replace("\n", newline)
    after = edited(text, [], [Remarked((Put("spec.basedOn", "optimizers-r0"),))])
    assert load_manifest(after)["spec"]["goal"] == load_manifest(text)["spec"]["goal"]
    assert "# torch's default is 0.01" in after


def test_a_manifest_that_gives_an_anchor_twice_is_written_anew() -> None:
    text = MANIFEST.replace("max: 0.1 ", "max: &a 0.1 ").replace("value: 64", "value: &a 64")
    after = edited(text, [], [Remarked((Put("spec.hyperparameters[1].range.max", 5),), "Wider.")])
    assert load_manifest(after)["spec"]["hyperparameters"][1]["range"]["max"] == 5


KEYS = st.sampled_from(["a", "b", "yes", "1e3", "x y", "#", "- c", "é"])
TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=12) | KEYS
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=12
)


@given(st.dictionaries(TEXTS, TREES, min_size=1, max_size=4))
def test_what_is_dumped_is_read_back(tree: dict[str, Any]) -> None:
    assert load_manifest(dumped(tree)) == json.loads(json.dumps(tree), parse_float=lambda text: _number(float(text)))


def _number(value: float) -> float | int:
    return int(value) if value.is_integer() and abs(value) < 2**63 else value


WRITTEN = st.recursive(
    st.integers(0, 9) | st.sampled_from(["x", "two words", "quoted: #"]),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from("abcd"), inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=100)
@given(st.data(), st.dictionaries(st.sampled_from("abcd"), WRITTEN, min_size=1), st.sampled_from([True, False, None]))
def test_any_field_is_edited_in_place_and_nothing_else(
    data: st.DataObject, tree: dict[str, Any], flow: bool | None
) -> None:
    text = yaml.safe_dump(tree, default_flow_style=flow, sort_keys=False)
    paths = _fields(tree)
    path, holder = data.draw(st.sampled_from(paths))
    new = data.draw(WRITTEN)
    if isinstance(holder, dict):
        edit = data.draw(
            st.sampled_from([Put(path, new), Swap(path, "z", new), Put(f"{path.rpartition('.')[0]}.new", new)])
        )
        assume(edit.path != ".new")
    else:
        assume(len(holder) > 1)
        edit = Drop(path)
    after = edited(text, ["Header."], [Remarked((edit,), "Its reason.")])
    assert load_manifest(after) == applied(tree, [edit])
    assert after.startswith(f"{MARK}Header.\n")
    assert "Its reason." in after or flow is not False


def _fields(tree: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(tree, dict):
        steps = [(f"{path}.{key}".removeprefix("."), value) for key, value in tree.items()]
    else:
        steps = [(f"{path}[{index}]", value) for index, value in enumerate(tree)] if isinstance(tree, list) else []
    return [found for step, value in steps for found in ((step, tree), *_fields(value, step))]

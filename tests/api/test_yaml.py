import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from study_operator.api import InvalidManifest
from study_operator.api.yaml import DEEPEST, LARGEST_FILE, MOST_VALUES, load_manifest

from tests.cluster.control_plane import ControlPlane

SCALARS = """
yes y Y No n on OFF On yEs true TRUE tRUE null ~ Null NULL nULL
1e-3 1E3 1e5 .5 5. 1.0 -0.0 +1.5 -.5 1e20 1e21 -1e19 1e-400 1.7976931348623157e308 0.1e 1.e3 .e3 . .1.2 00.5 01e3
0x1.8p1 0 -0 00 +5 0x1F 0x 0x_1F +0x10 0o17 0O17 017 -017 08 09 0b101 -0b11 0B1 1_000 1_0.5 _1 1__0 0_0 1,000 12:30
1:2:3 2024-01-01 2001-12-14t21:59:43.10-05:00 Inf NaN 'yes' "1" '' ! !!str 18446744073709551615 18446744073709551616
9223372036854775807 9223372036854775808 -9223372036854775809
""".split()  # noqa: SIM905 - quotes would change what these are in YAML
STRUCTURES = [
    "{a: &x {b: 1}, c: *x}",
    "{a: &x {b: 1, d: 2}, c: {<<: *x, b: 3}}",
    "{a: &x {b: 1}, e: &y {b: 2, f: 3}, c: {<<: [*x, *y]}}",
    "{1: a, true: b, 1.5: c, x: d}",
    "\n- a\n- b: c\n  d:\n  - e",
    '"tab\\t and \\u00e9"',
    "|\n  a\n  b",
    ">-\n  a\n  b",
]


def refusal(source: str | bytes) -> str:
    with pytest.raises(InvalidManifest) as invalid:
        load_manifest(source)
    return str(invalid.value)


def test_reads_what_kubectl_reads(control_plane: ControlPlane) -> None:
    values = [*SCALARS, *STRUCTURES]
    items = "".join(f"- value: {value}\n".replace("\n", "\n    ").rstrip(" ") for value in values)
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nvalues:\n" + items
    shown = control_plane.kubectl(
        "create", "--dry-run=client", "--validate=false", "--output=json", "--filename=-", input=text
    )
    for value, ours, theirs in zip(
        values, load_manifest(text)["values"], json.loads(shown.stdout)["values"], strict=True
    ):
        assert _typed(ours) == _typed(theirs), value


def _typed(value: object) -> object:
    """Numbers beyond 64 bits are floats, however they are printed."""
    if isinstance(value, dict):
        return {key: _typed(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_typed(member) for member in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        value = float(value)
    return type(value), value


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("a: 1\nb: ]", "line 2", "is not YAML"),
        ("a: 1\n\tb: 2", "line 2", "is not YAML"),
        ("a: 1\nb: 2\na: 3", "line 3", "the key a is there twice"),
        ("a: 1\nb: .nan", "line 2", "not a finite number"),
        ("a: -.Inf", "line 1", "not a finite number"),
        ("a: 1e400", "line 1", "too large for a number"),
        ("a: !!python/object:os.system x", "line 1", "is not understood"),
        ("a: *x", "line 1", "refers to nothing"),
        ("a: &x [*x]", "line 1", "refers to nothing"),
        ("a: {<<: 3}", "line 1", "must be followed by a map"),
        ("? [a]\n: 1", "line 1", "a key must be a text"),
        ("a: 1\n---\nb: 2", "", "must hold one manifest, and has 2"),
        ("", "", "is empty"),
        ("# nothing\n---\n", "", "is empty"),
        ("- a", "", "must be a map"),
        ("hello", "", "must be a map"),
        (b"a: \xff", "", "is not a text in UTF-8"),
        ("a: \0", "", "is not YAML"),
        ("a: " + "[" * (DEEPEST + 10) + "]" * (DEEPEST + 10), "line 1", "nested too deeply"),
        ("[" * 100_000, "line 1", "nest"),
        ("a: " + "x" * LARGEST_FILE, "", "is too large"),
    ],
)
def test_what_is_no_manifest_is_refused_with_its_line(source: str | bytes, line: str, words: str) -> None:
    message = refusal(source)
    assert message.startswith(line)
    assert words in message


def test_aliases_cannot_make_a_small_file_large() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert str(MOST_VALUES) in refusal("\n".join(lines))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        assert isinstance(load_manifest(text), dict)
    except InvalidManifest as invalid:
        assert invalid.problems


words = st.text(st.characters(exclude_categories=["C"]), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | words,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(words, children, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(words, json_values, max_size=4))
def test_json_is_read_as_it_is(manifest: dict[str, object]) -> None:
    assert load_manifest(json.dumps(manifest, ensure_ascii=False)) == manifest


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_to_its_last_digit(value: float) -> None:
    assert load_manifest(yaml.safe_dump({"x": value}))["x"] == value

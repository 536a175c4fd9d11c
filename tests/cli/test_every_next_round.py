"""Whatever a study is and whatever was found, its next round can be searched and is what the proposal says."""

from __future__ import annotations

import json

import numpy
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from study_operator.api import parse_study, study_space
from study_operator.api.review import denial, review
from study_operator.api.yaml import load_manifest
from study_operator.cli.manifest_text import applied
from study_operator.cli.next import next_manifest, proposal_of
from study_operator.findings import Finding, Severity, Subject
from study_operator.rounds import Put, propose
from study_operator.rounds.draft import Plan, domain_content
from study_operator.space import Space

from tests.cli.rounds import MANIFEST
from tests.findings.evidence_samples import sobol, study
from tests.space.test_random_spaces import spaces

RULES = (
    "search-space-boundary",
    "infeasible-trials",
    "insensitive-nuisance",
    "enough-points",
    "overfitting",
    "early-saturation",
    "learning-rate-edge",
)


@st.composite
def findings_on(draw: st.DrawFn, space: Space) -> list[Finding]:
    names = [definition.name for definition in space.definitions if definition.sampled]
    number = st.sampled_from([0.1, 0.5, 2.0, 3.0, 100.0])
    numbers = st.fixed_dictionaries(
        {"side": st.sampled_from(["min", "max"])}, optional={"to": number, "settled": number, "choice": st.just("1")}
    )
    subjects = st.builds(
        Subject,
        arm=st.sampled_from([arm.label for arm in space.arms]),
        hyperparameter=st.sampled_from(names),
    )
    one = st.builds(
        Finding,
        rule=st.sampled_from(RULES),
        severity=st.sampled_from([Severity.INFO, Severity.WARNING]),
        subject=subjects,
        message=st.just("Seen: # 'so'."),
        advice=st.just("Act."),
        numbers=numbers,
    )
    return draw(st.lists(one, max_size=6))


@settings(max_examples=40)
@given(st.data(), spaces(), st.booleans(), st.sampled_from([True, False, None]), st.sampled_from([None, 2.0]))
def test_the_next_round_always_lints_without_an_error_and_does_what_it_says(
    data: st.DataObject, space: Space, exploitation: bool, flow: bool | None, longer: float | None
) -> None:
    assume(len(space.arms) <= 8)
    manifest = load_manifest(MANIFEST)
    manifest["spec"]["hyperparameters"] = [
        {"name": each.name, "role": each.role.value, **({"when": {k: list(v) for k, v in each.when.items()}})}
        | dict([domain_content(each.domain)])
        for each in space.definitions
    ]
    manifest["spec"]["budget"]["trials"] = 8
    manifest["spec"]["phase"] = "Exploitation" if exploitation else "Exploration"
    baseline = {
        name: value
        for name, value in space.parameters(0, [0.7] * len(space.dimensions)).items()
        if not any(each.name == name and each.role == "Fixed" for each in space.definitions)
    }
    manifest["spec"]["confirmation"] = {"top": 2, "reruns": 2, "baseline": baseline}
    text = yaml.safe_dump(manifest, default_flow_style=flow, sort_keys=False)
    given_study = parse_study(load_manifest(text))
    points = sobol(len(space.dimensions), 8)
    seen = study(space, points, {arm.index: numpy.abs(points[:, 0] - 0.3) + arm.index for arm in space.arms})
    if longer is None:
        plan = Plan(trials=8, exploitation=exploitation, seed=7, baseline=given_study.spec.confirmation.baseline)
        proposal = propose(seen, data.draw(findings_on(space)), plan)
    else:
        proposal = proposal_of(given_study, seen.trials, longer)
    following = load_manifest(next_manifest(text, given_study, proposal))
    edits = [edit for change in proposal.changes for edit in change.edits]
    named = [Put("metadata.name", "optimizers-r2"), Put("spec.basedOn", "optimizers-r1")]
    assert following == json.loads(json.dumps(applied(load_manifest(text), [*named, *edits])))
    after = parse_study(following)
    assert denial(review(after, study_space(after))) == ""

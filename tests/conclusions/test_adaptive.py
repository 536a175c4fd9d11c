"""What is said of points that follow the results."""

import pytest
from study_operator.analysis import analyse
from study_operator.api import parse_study, study_space

from tests.report.studies import manifest, trials_of


@pytest.mark.parametrize(("phase", "hints"), [("Exploration", 0), ("Exploitation", 1)])
def test_what_is_made_for_even_points_is_a_hint_where_they_are_not(phase: str, hints: int) -> None:
    written = manifest(16)
    written["spec"]["phase"] = phase
    study = parse_study(written)
    found = analyse(study, study_space(study), trials_of(study), 7, complete=True).findings
    assert sum("take it for a hint" in finding.message for finding in found) == hints

"""The pages of the lints: each says what its rule is about, and its examples are what the linter says they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from study_operator.api import check_manifest, parse_study, study_space
from study_operator.api.review import review
from study_operator.api.yaml import load_manifest
from study_operator.findings import RULES, Severity

from tests.api.manifests import study_manifest

FOLDER = Path(__file__).parents[2] / "docs" / "rules"
NUMBERS = (1, 2, 3, 4, 5, 6, 33)
PAGES = sorted({rule.page for rule in RULES.values() if rule.number in NUMBERS})
LONGEST = 72
"""Lines of a page: a screen."""


def told(spec: str) -> set[str]:
    """The pages whose rules warn of a study with these parts of a spec."""
    manifest = study_manifest()
    manifest["spec"] |= load_manifest(spec)
    assert check_manifest(manifest) == ()
    study = parse_study(manifest)
    found = review(study, study_space(study))
    return {RULES[finding.rule].page for finding in found if finding.severity is not Severity.INFO}


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_are_what_they_say_they_are(page: str) -> None:
    blamed, praised = re.findall(r"```yaml\n(.*?)```", (FOLDER / f"{page}.md").read_text(), re.DOTALL)
    assert page in told(blamed)
    assert told(praised) == set()


@pytest.mark.parametrize("page", [*PAGES, "warmup", "after-exploration", "compute-bound-rounds"])
def test_a_page_has_its_parts_on_one_screen(page: str) -> None:
    text = (FOLDER / f"{page}.md").read_text()
    for part in ("**How often it is wrong.**", "**The playbook:**"):
        assert part in text
    assert len(text.splitlines()) <= LONGEST
    for rule in (rule for rule in RULES.values() if rule.page == page and page != rule.id):
        assert f"`{rule.id}`" in text

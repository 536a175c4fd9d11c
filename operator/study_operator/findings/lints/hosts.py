"""Rule 33, as far as a plan shows it: a trial on several hosts, and batch normalisation.

Each host that reports is a curve of its own, mixed with the others'. The hosts have to start from the same parameters
and see different examples. Batch normalisation makes the statistics that an evaluation uses depend on how a batch is
split over them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from study_operator.findings.finding import Finding, Severity, Subject
from study_operator.findings.lints.design import Design

_BATCH_NORM = re.compile(r"\b(?:sync[-_]?)?(?:batch[-_]?norm(?:ali[sz]ation)?|bn[-_]momentum)", re.I)
_JOB = "spec.trialTemplate.spec"


def several_hosts(design: Design) -> Iterator[Finding]:
    """What to see to when a trial has several pods at once."""
    if design.pods <= 1:
        return
    numbers = {"pods": design.pods}
    if not design.indexed:
        yield Finding(
            "batch-norm-hosts",
            Severity.WARNING,
            Subject(field=f"{_JOB}.completionMode"),
            f"A trial runs {design.pods} pods that are not numbered: none can know that it is the one to report.",
            "Write `completionMode: Indexed`; pod 0 is the trainer whose result counts.",
            numbers,
        )
    yield Finding(
        "batch-norm-hosts",
        Severity.WARNING,
        Subject(field=f"{_JOB}.parallelism"),
        f"A trial runs on {design.pods} hosts: they need one reporter, one initialisation and different data.",
        "Let index 0 alone report (JOB_COMPLETION_INDEX), seed the initialisation with STUDY_SEED, and the data with "
        "STUDY_SEED and the index together.",
        numbers,
    )
    named = [definition.path for definition in design.definitions if _BATCH_NORM.search(definition.name)]
    written = [words.field for words in design.words if _BATCH_NORM.search(words.text)]
    if named or written:
        yield Finding(
            "batch-norm-hosts",
            Severity.WARNING,
            Subject(field=[*named, *written][0]),
            f"Batch normalisation on {design.pods} hosts: each host's running statistics are of its own examples, "
            "and an evaluation or a checkpoint takes one host's.",
            "Synchronise the statistics over the hosts before each evaluation and checkpoint, or normalise by groups "
            "or layers.",
            numbers,
        )
